"""Right golden values, field by field: the default policy against trust learned from the records.

    python -m benchmarks.trust DIR [DIR ...] [--results FILE]

A world is a folder as for benchmarks/run.py, with truth/entities.parquet: the right values of
every customer. Records are staged and matched as the pipeline does it; trust is learned without
stewards and corrections; the truth is read only to count. Counted are golden customers that hold
records of one true customer only, from two sources or more, with two different values to choose
from in the field: elsewhere no policy can change anything.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.run import COUNTRY, Timer, entities, staged
from dedupe import blocking, claims, clusters, features, matching, trust
from dedupe.model import MatchingSettings
from dedupe.survivorship import Policy, consolidate, load_policy
from rules import address, text
from rules.customer import GROUPS, PERSON

Row = Mapping[str, Any]


def _same(golden: str, true: str) -> Callable[[Row, Row], bool]:
    return lambda row, entity: text.fold(str(row[golden])) == text.fold(str(entity[true]))


def _first(golden: str, *true: str) -> Callable[[Row, Row], bool]:
    return lambda row, entity: row[golden][0] in {entity[name] for name in true}


def _name(row: Row, entity: Row) -> bool:
    """A person's by family and given name: middle names are not in the truth."""
    if row["customer_type"] == PERSON and entity["family_name"]:
        names = ("family_name", "given_name")
        return all(text.fold(row[name] or "") == text.fold(entity[name]) for name in names)
    return text.fold(row["name"]) == text.fold(entity["name"])


def _address(row: Row, entity: Row) -> bool:
    """The same road and number, however abbreviated; units are written in too many ways."""
    keys = [
        address.parse(line, country=entity["country"]).key
        for line in (row["address_line"], entity["street"])
    ]
    return keys[0] is not None and keys[0] == keys[1]


RIGHT: dict[str, tuple[str, Callable[[Row, Row], bool]]] = {
    "name": ("name", _name),
    "birth_date": ("birth_date", _same("birth_date", "birth_date")),
    "sex": ("sex", _same("sex", "sex")),
    "national_id": ("national_id", _same("national_id", "identifier")),
    "tax_id": ("tax_id", _same("tax_id", "identifier")),
    "emails": ("emails", _first("emails", "email")),
    "phones": ("phones", _first("phones", "mobile", "phone")),
    "address": ("address_line", _address),
}
"""Field → the golden column that must be filled, and whether a golden row has the right value."""


def learned(records: pa.Table, crosswalk: pa.Table) -> dict[str, Any]:
    """Section ``survivorship`` as ``onefold trust`` proposes it from the records alone."""
    found = {head: trust.learn(said.claims) for head, said in claims.of(records, crosswalk)}
    default, proposed = trust.proposed(found)
    return {"default_trust": default, "trust": proposed}


def score(world: Path, records: pa.Table, crosswalk: pa.Table, policy: Policy) -> dict[str, Any]:
    """Field → how many golden values are right, of how many where there was a choice."""
    folder = world / "truth"
    truth = entities(records, pq.read_table(folder / "truth.parquet"))
    customers = pq.read_table(folder / "entities.parquet").to_pylist()
    known = {row["entity_id"]: row for row in customers}
    where = pc.index_in(crosswalk["record_id"], value_set=records["record_id"].combine_chunks())
    rows = records.take(where.combine_chunks()).to_pylist()
    members: dict[str, list[Row]] = {}
    for golden_id, row in zip(crosswalk["golden_id"].to_pylist(), rows, strict=True):
        members.setdefault(golden_id, []).append(row)
    counted = {head: [0, 0] for head in RIGHT}
    for golden in consolidate(records, crosswalk, policy).golden.to_pylist():
        own = members[golden["golden_id"]]
        true = {truth.get(row["record_id"]) for row in own}
        if len(true) != 1 or golden["source_count"] < 2 or None in true:
            continue
        entity = known[true.pop()]
        for head, (column, right) in RIGHT.items():
            values = {str(row[column]) for row in own if row[column]}
            if len(values) > 1 and golden[column]:
                counted[head][0] += right(golden, entity)
                counted[head][1] += 1
    return {head: {"right": right, "of": of} for head, (right, of) in counted.items()}


def spoiled(records: pa.Table, source: str, head: str, share: float) -> pa.Table:
    """The records with a share of one source's values in a field given to others of its records."""
    random = np.random.default_rng(7)
    at = np.flatnonzero(np.asarray(pc.equal(records["source"], source)))
    at = at[random.random(len(at)) < share]
    order = np.arange(records.num_rows)
    order[at] = random.permutation(at)
    for name in (*GROUPS.get(head, (head,)), *([f"{head}_key"] if head == "address" else [])):
        column = records[name].take(pa.array(order))
        records = records.set_column(records.schema.get_field_index(name), name, column)
    return records


def measure(world: Path, spoil: Sequence[tuple[str, str, float]] = ()) -> dict[str, Any]:
    """Both policies on one world."""
    params = json.loads((world / "truth" / "params.json").read_text(encoding="utf-8"))
    records, _ = staged(world, COUNTRY.get(params.get("lang", "zh"), "CN"), Timer())
    settings = MatchingSettings()
    table = features.build(records, settings.text_fields)
    candidates = blocking.candidates(table, settings)
    counted = matching.Counted(table)
    levels = matching.compare(candidates.pairs, table, counted.counts)
    models = matching.learn(levels, table, settings, counted=counted)
    scored = matching.weigh_pairs(levels, table, models, None, settings, counted)
    found = clusters.cluster(table["record_id"].combine_chunks(), scored, None, settings)
    crosswalk = found.clusters.rename_columns({"cluster_id": "golden_id"})
    for source, head, share in spoil:
        records = spoiled(records, source, head, share)
    section = learned(records, crosswalk)
    return {
        "world": world.name,
        "records": records.num_rows,
        "proposed": section,
        "default": score(world, records, crosswalk, Policy()),
        "learned": score(world, records, crosswalk, load_policy(section)),
    }


def main() -> None:
    """Measure the worlds that are named, and print a line for each field."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worlds", nargs="+", type=Path)
    parser.add_argument("--results", type=Path)
    parser.add_argument(
        "--spoil", action="append", default=[], metavar="SOURCE:FIELD:SHARE",
        help="After matching, give a share of a source's values to others of its records.",
    )  # fmt: skip
    asked = parser.parse_args()
    parted = [one.split(":") for one in asked.spoil]
    spoil = [(source, head, float(share)) for source, head, share in parted]
    found = []
    for world in asked.worlds:
        one = measure(world, spoil)
        found.append(one)
        print(f"{one['world']}: {one['records']:,} records; {json.dumps(one['proposed'])}")
        for head, before in one["default"].items():
            after = one["learned"][head]
            if before["of"]:
                shares = [each["right"] / each["of"] for each in (before, after)]
                print(f"  {head:12} {before['of']:6,} {shares[0]:7.1%} {shares[1]:7.1%}")
    if asked.results:
        asked.results.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
