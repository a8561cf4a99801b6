"""Keys that are kept: pairs are those of keys made anew, whatever came, went or changed."""

import json
import random
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def compare(then: dict[int, int], now: dict[int, int], fields: tuple[str, ...], limit: int) -> Any:
    """Pairs of keys that were kept and of keys made anew.

    Args:
        then, now: number of each record -> its seed; of equal seeds it is as it was.
    """
    before, after = (
        made((record(number, seed) for number, seed in one.items()), fields) for one in (then, now)
    )
    same = pa.array(
        [f"a:{number:03d}" for number in now if then.get(number) == now[number]], pa.string()
    )
    every = before["record_id"].combine_chunks(), after["record_id"].combine_chunks()
    at = pc.fill_null(pc.index_in(every[0], value_set=every[1]), -1).to_numpy()
    to = np.where(pc.is_in(every[0], value_set=same), at, -1)
    fresh = np.flatnonzero(np.invert(pc.is_in(every[1], value_set=same)))
    stored = kept_keys.tables(before, MEMORY_MB)
    kept = kept_keys.Kept(stored, to, fresh, after.take(pa.array(fresh)))

    used = after.select(["record_id", "source", *kept_keys.reads(after.column_names)])
    own = Settings(limit)
    return blocking.candidates(used, own, kept), blocking.candidates(after, own)


@pytest.mark.parametrize(("fields", "others"), [((), 9), (("desk",), 60), ((), 0)])
def test_pairs_are_those_of_keys_made_anew(fields: tuple[str, ...], others: int) -> None:
    then = dict.fromkeys(range(60), 1)
    now = then | dict.fromkeys(range(20, 20 + others), 2)
    for gone in [number for number in now if now[number] == 1][: others // 3]:
        del now[gone]
    found, anew = compare(then, now, fields, 10)
    assert found.pairs.num_rows
    assert found.pairs.equals(anew.pairs)
    assert found.report.equals(anew.report)
    assert "acronym" in found.report["kind"].to_pylist()
    assert ("text" in found.report["kind"].to_pylist()) == bool(fields)


RECORDS = st.dictionaries(st.integers(0, 50), st.integers(1, 3), max_size=45)


@settings(max_examples=12, deadline=None)
@given(then=RECORDS, now=RECORDS, limit=st.integers(2, 12))
def test_whatever_came_went_or_changed(
    then: dict[int, int], now: dict[int, int], limit: int
) -> None:
    stays = {number: then[number] for number in then if number % 3}
    found, anew = compare(then, now | stays, (), limit)
    assert found.pairs.equals(anew.pairs)
    assert found.report.equals(anew.report)
