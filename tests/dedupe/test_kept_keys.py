"""Keys that are kept: pairs are those of keys made anew, whatever came, went or changed."""

import json
import random
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dedupe import blocking, features, kept_keys
from rules.customer import STAGED_SCHEMA

MEMORY_MB = 200


class Settings(NamedTuple):
    """What blocking reads of the matching settings."""

    block_limit: int = 10
    link_only: bool = False


def record(number: int, seed: int) -> dict[str, Any]:
    """A person or organization out of few names, so that many share a key."""
    pick = random.Random(f"{number}.{seed}")
    family, given = pick.choice(("Smith", "Jones", "Lee")), pick.choice(("Ann", "Bo", "Cy"))
    own: dict[str, Any] = {"record_id": f"a:{number:03d}", "source": "a", "source_key": str(number)}
    own |= {"city": pick.choice(("Leeds", "York", None)), "phones": [f"0790090000{number % 7}"]}
    if number % 3:
        return own | {
            "customer_type": "person", "name": f"{given} {family}",
            "name_key": f"{given}{family}".lower(), "family_name": family, "given_name": given,
            "name_readings": [f"{family} {given}".lower()],
        }  # fmt: skip
    name = pick.choice(("Big Blue Machines", "BBM", "Great Yarn Spinners", "GYS"))
    return own | {
        "customer_type": "organization", "name": name, "name_key": name.lower(), "org_brand": name,
        "attributes": json.dumps({"desk": pick.choice("xyz")}),
    }  # fmt: skip


def made(rows: Iterable[dict[str, Any]], fields: tuple[str, ...]) -> pa.Table:
    full = sorted(rows, key=lambda row: str(row["record_id"]))
    columns = {one.name: [row.get(one.name) for row in full] for one in STAGED_SCHEMA}
    return features.build(pa.table(columns, schema=STAGED_SCHEMA), fields)


def file(tables: Iterable[pa.Table]) -> pq.ParquetFile:
    """The tables in one file of small row groups, so that kinds share some."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, kept_keys.SCHEMA) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=64)
    return pq.ParquetFile(pa.BufferReader(sink.getvalue()))


@pytest.mark.parametrize(("fields", "others"), [((), 9), (("desk",), 60), ((), 0)])
def test_pairs_are_those_of_keys_made_anew(fields: tuple[str, ...], others: int) -> None:
    before = made((record(number, 1) for number in range(60)), fields)
    new = {number: record(number, 2) for number in range(20, 20 + others)}
    same = {number: record(number, 1) for number in range(60) if number not in new}
    gone = sorted(same)[: others // 3]
    rows = [row for number, row in (same | new).items() if number not in gone]
    now = made(rows, fields)

    to = pc.fill_null(
        pc.index_in(before["record_id"], value_set=now["record_id"].combine_chunks()), -1
    )
    to = to.to_numpy().copy()
    to[[number for number in new if number < 60]] = -1
    ids = now["record_id"].to_pylist()
    fresh = np.flatnonzero([int(one[2:]) in new for one in ids])
    stored = file(kept_keys.tables(before, MEMORY_MB))
    kept = kept_keys.Kept(stored, to, fresh, now.take(pa.array(fresh)))

    used = now.select(["record_id", *kept_keys.reads(now.column_names)])
    found = blocking.candidates(used, Settings(), kept)
    anew = blocking.candidates(now, Settings())
    assert found.pairs.num_rows
    assert found.pairs.equals(anew.pairs)
    assert found.report.equals(anew.report)
    assert "acronym" in found.report["kind"].to_pylist()
    assert ("text" in found.report["kind"].to_pylist()) == bool(fields)
