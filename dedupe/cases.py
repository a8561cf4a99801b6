"""Suggestions → cases: the records that a steward looks at in one go.

What belongs here: which suggestions form one case, and what the queue is
ordered and filtered by. Evidence is dedupe/explain.py's, tables are
warehouse/case_tables.py's.

A case of kind merge is golden customers that merge suggestions connect: "these
records, now N customers, may be fewer". One of kind split is a customer that
may be two. Every suggestion is in exactly one case; where more customers hang
together than anybody can judge at once, the strongest suggestions form the
first case and the others the next ones, so that a customer can be in several.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.suggestions import SPLITS_RIGHT

CUSTOMERS = 8
"""Golden customers in a case at most."""
RECORDS = 30
"""Records in a case at most, unless a single pair of customers has more."""

CASES_SCHEMA = pa.schema(
    [
        ("case_id", pa.string()),
        ("kind", pa.string()),
        ("customer_type", pa.string()),
        ("title", pa.string()),
        ("golden_ids", pa.list_(pa.string())),
        ("sources", pa.list_(pa.string())),
        ("record_count", pa.int64()),
        ("customer_count", pa.int64()),
        ("source_count", pa.int64()),
        ("probability", pa.float64()),
        ("band", pa.int64()),
        ("expected_cost", pa.float64()),
        ("reason", pa.string()),
        ("strongest", pa.string()),
        ("weakest", pa.string()),
    ]
)
MEMBERS_SCHEMA = pa.schema(
    [
        ("case_id", pa.string()),
        ("record_id", pa.string()),
        ("golden_id", pa.string()),
        ("source", pa.string()),
    ]
)
PAIRS_SCHEMA = pa.schema(
    [("case_id", pa.string()), ("left_id", pa.string()), ("right_id", pa.string())]
)


@dataclass(frozen=True)
class Cases:
    """What stewards should look at.

    Attributes:
        cases: CASES_SCHEMA; one row per case, by case_id.
        members: MEMBERS_SCHEMA; the records of each, by case_id and record_id.
        pairs: PAIRS_SCHEMA; the suggested pairs of each, strongest suggestion first.
    """

    cases: pa.Table
    members: pa.Table
    pairs: pa.Table


@dataclass(frozen=True)
class _Doubt:
    """One suggestion on published customers."""

    kind: str
    left_id: str
    right_id: str
    left_golden: str
    right_golden: str
    probability: float
    reason: str


def make(
    suggestions: pa.Table,
    crosswalk: pa.Table,
    golden: pa.Table,
    scored_pairs: pa.Table | None = None,
) -> Cases:
    """The cases of a matching.

    Args:
        suggestions: of clustering: left_id, right_id, probability, kind, reason.
        crosswalk: record_id, golden_id, as it is to be published.
        golden: golden_id, name, customer_type.
        scored_pairs: at least the suggested pairs, with their ``<field>_bits``; None: the
            comparisons that speak most for and against a case stay unnamed.

    Returns:
        Cases; the same for any order of rows. A case keeps its id from run to run as long
        as its records and their customers are the same.
    """
    ends = {one for name in ("left_id", "right_id") for one in suggestions[name].to_pylist()}
    doubts = _doubts(suggestions, _golden_of(_among(crosswalk, "record_id", ends)))
    wanted = {one for doubt in doubts for one in (doubt.left_golden, doubt.right_golden)}
    records: dict[str, list[str]] = defaultdict(list)
    for record_id, golden_id in _golden_of(_among(crosswalk, "golden_id", wanted)).items():
        records[golden_id].append(record_id)
    named = _among(golden, "golden_id", wanted).select(["golden_id", "name", "customer_type"])
    shown = {row["golden_id"]: row for row in named.to_pylist()}
    speaking = _speaking(doubts, scored_pairs)
    found: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[_Doubt]]] = {}
    sizes = {golden_id: len(ids) for golden_id, ids in records.items()}
    merges = [doubt for doubt in doubts if doubt.kind == "merge"]
    splits = [[doubt] for doubt in doubts if doubt.kind == "split"]
    for group in [*_grouped(merges, sizes), *splits]:
        row, members = _case(group, records, shown, speaking)
        found.setdefault(row["case_id"], (row, members, group))
    ordered = [found[case_id] for case_id in sorted(found)]
    return Cases(
        pa.Table.from_pylist([row for row, _, _ in ordered], CASES_SCHEMA),
        pa.Table.from_pylist([one for _, rows, _ in ordered for one in rows], MEMBERS_SCHEMA),
        pa.Table.from_pylist(
            [
                {"case_id": row["case_id"], "left_id": one.left_id, "right_id": one.right_id}
                for row, _, group in ordered
                for one in group
            ],
            PAIRS_SCHEMA,
        ),
    )


def _among(table: pa.Table, column: str, values: Iterable[str]) -> pa.Table:
    """The rows with one of these values."""
    return table.filter(pc.is_in(table[column], value_set=pa.array(sorted(values), pa.string())))


def _golden_of(crosswalk: pa.Table) -> dict[str, str]:
    """Record id → golden id."""
    columns = (crosswalk[name].to_pylist() for name in ("record_id", "golden_id"))
    return dict(zip(*columns, strict=True))


def _doubts(suggestions: pa.Table, golden_of: Mapping[str, str]) -> list[_Doubt]:
    """Suggestions on published customers, likeliest first, each pair once."""
    columns = ["kind", "left_id", "right_id", "probability", "reason"]
    found: dict[tuple[str, str, str], _Doubt] = {}
    for row in suggestions.select(columns).to_pylist():
        low, high = sorted((row["left_id"], row["right_id"]))
        if low not in golden_of or high not in golden_of:
            continue  # the record is gone since
        one, other = golden_of[low], golden_of[high]
        if (row["kind"] == "merge") == (one == other):
            continue  # settled by what was published since
        doubt = _Doubt(
            row["kind"], low, high, one, other, float(row["probability"] or 0.0), row["reason"]
        )
        name = (row["kind"], *sorted((one, other)))
        known = found.get(name)
        if known is None or _order(doubt) < _order(known):
            found[name] = doubt
    return sorted(found.values(), key=_order)


def _order(doubt: _Doubt) -> tuple[float, str, str]:
    return -doubt.probability, doubt.left_id, doubt.right_id


def _grouped(doubts: Sequence[_Doubt], sizes: Mapping[str, int]) -> Iterable[list[_Doubt]]:
    """Suggestions that connect customers, in groups that can be judged at once.

    Joins the likeliest first as long as the group stays small; what would make it too
    large waits for the next round. Every round takes one suggestion at least.
    """
    rest = list(doubts)
    while rest:
        top: dict[str, str] = {}
        held: dict[str, tuple[int, int]] = {}
        taken: list[_Doubt] = []
        later: list[_Doubt] = []
        for doubt in rest:
            a, b = _top(top, doubt.left_golden), _top(top, doubt.right_golden)
            if a != b:
                mine = held.get(a, (1, sizes[a]))
                yours = held.get(b, (1, sizes[b]))
                both = (mine[0] + yours[0], mine[1] + yours[1])
                if both[0] > 2 and (both[0] > CUSTOMERS or both[1] > RECORDS):
                    later.append(doubt)
                    continue
                top[max(a, b)] = min(a, b)
                held[min(a, b)] = both
            taken.append(doubt)
        groups: dict[str, list[_Doubt]] = defaultdict(list)
        for doubt in taken:
            groups[_top(top, doubt.left_golden)].append(doubt)
        yield from groups.values()
        rest = later


def _top(top: dict[str, str], one: str) -> str:
    while top.setdefault(one, one) != one:
        top[one] = top[top[one]]
        one = top[one]
    return one


def _case(
    group: Sequence[_Doubt],
    records: Mapping[str, Sequence[str]],
    shown: Mapping[str, Mapping[str, Any]],
    speaking: Mapping[tuple[str, str], tuple[str | None, str | None]],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A case and its members; as likely as the joint that it needs and that is least sure.

    The pair that makes a customer doubtful is far from likely by itself, but the others hold it:
    what a split's customer is worth follows from how often such a suggestion is right.
    """
    kind = group[0].kind
    customers = sorted(
        {one for doubt in group for one in (doubt.left_golden, doubt.right_golden)},
        key=lambda one: (-len(records[one]), one),
    )
    partition = [sorted(records[one]) for one in customers]
    doubt = _weakest_joint(group)
    probability = 1.0 - SPLITS_RIGHT if kind == "split" else doubt.probability
    sources = sorted({source_of(one) for part in partition for one in part})
    name = case_id(kind, partition)
    count = sum(map(len, partition))
    largest = shown[customers[0]]
    strongest, weakest = speaking.get((doubt.left_id, doubt.right_id), (None, None))
    row = {
        "case_id": name,
        "kind": kind,
        "customer_type": largest["customer_type"],
        "title": largest["name"] or partition[0][0],
        "golden_ids": customers,
        "sources": sources,
        "record_count": count,
        "customer_count": len(customers),
        "source_count": len(sources),
        "probability": probability,
        "band": band(probability),
        "expected_cost": expected_cost(
            probability, pairs_at_stake(kind, list(map(len, partition))), len(sources)
        ),
        "reason": doubt.reason,
        "strongest": strongest,
        "weakest": weakest,
    }
    return row, members_of(name, {one: records[one] for one in customers})


def members_of(case_id: str, customers: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The rows of MEMBERS_SCHEMA of a case, by record.

    Args:
        case_id: the case.
        customers: golden customer → its records.
    """
    return [
        {"case_id": case_id, "record_id": one, "golden_id": golden_id, "source": source_of(one)}
        for one, golden_id in sorted(
            (one, golden_id) for golden_id, part in customers.items() for one in part
        )
    ]


def pinned_case(
    records: Sequence[str], golden_id: str, shown: Mapping[str, Any], reason: str, more: str
) -> dict[str, Any]:
    """The row of a case of kind override: a pinned value whose records say something else now.

    It has no probability; what it costs is one value in every source.

    Args:
        records: of the customer.
        golden_id: the customer.
        shown: name and customer_type of it.
        reason: name of the reason.
        more: what makes it another case: decision and evidence.
    """
    sources = sorted(set(map(source_of, records)))
    return {
        "case_id": case_id("override", [records], more),
        "kind": "override",
        "customer_type": shown["customer_type"],
        "title": shown["name"] or min(records),
        "golden_ids": [golden_id],
        "sources": sources,
        "record_count": len(records),
        "customer_count": 1,
        "source_count": len(sources),
        "probability": None,
        "band": 0,
        "expected_cost": pinned_cost(records),
        "reason": reason,
        "strongest": None,
        "weakest": None,
    }


def pinned_cost(records: Iterable[str]) -> float:
    """What a pinned value may cost: one wrong value, in every source of its customer.

    >>> pinned_cost(["crm:1", "crm:2", "erp:7"])
    1.0
    """
    return 0.5 * len(set(map(source_of, records)))


def joined(one: Cases, other: Cases) -> Cases:
    """The cases of both."""
    return Cases(
        pa.concat_tables([one.cases, other.cases]),
        pa.concat_tables([one.members, other.members]),
        pa.concat_tables([one.pairs, other.pairs]),
    )


def _weakest_joint(group: Sequence[_Doubt]) -> _Doubt:
    """The last suggestion that is needed to make one of all, the likeliest used first."""
    top: dict[str, str] = {}
    last = group[0]
    for doubt in group:
        a, b = _top(top, doubt.left_golden), _top(top, doubt.right_golden)
        if a != b:
            top[max(a, b)] = min(a, b)
            last = doubt
    return last


def case_id(kind: str, partition: Iterable[Sequence[str]], more: str = "") -> str:
    """The id of a case: it follows from its kind, its records and how they are grouped.

    Args:
        kind: merge, split or override.
        partition: record ids of each customer.
        more: what else makes it another case (override: field and evidence).

    >>> case_id("merge", [["a"], ["b", "c"]]) == case_id("merge", [["c", "b"], ["a"]])
    True
    >>> case_id("merge", [["a"], ["b", "c"]]) == case_id("merge", [["a", "b"], ["c"]])
    False
    """
    groups = sorted("\0".join(sorted(group)) for group in partition)
    text = "\0\0".join([kind, more, *groups]).encode()
    return "C" + hashlib.blake2b(text, digest_size=10).hexdigest()


def source_of(record_id: str) -> str:
    """The source of a record: its id's part before the colon.

    >>> source_of("crm:7:a")
    'crm'
    """
    return record_id.partition(":")[0]


def band(probability: float) -> int:
    """The tenth that a probability is in.

    >>> band(0.0), band(0.39), band(0.4), band(1.0)
    (0, 3, 4, 9)
    """
    return min(int(probability * 10), 9)


def pairs_at_stake(kind: str, sizes: Sequence[int]) -> int:
    """Pairs of records that are wrong if the case is left as it is and should not be.

    All pairs across the customers of a merge; of a split, those of one record with the others.

    >>> pairs_at_stake("merge", [2, 1, 1]), pairs_at_stake("split", [4])
    (5, 3)
    """
    if kind == "split":
        return max(sum(sizes) - 1, 1)
    total = sum(sizes)
    return (total * total - sum(size * size for size in sizes)) // 2


def expected_cost(probability: float, pairs: int, sources: int) -> float:
    """What it costs to leave a case to the likelier answer: wrong pairs, in every source.

    The likelier answer is wrong with probability min(p, 1 - p): most in the middle. It
    puts ``pairs`` of records wrong, in each of the ``sources`` that use the result.

    >>> expected_cost(0.5, 4, 2), expected_cost(0.9, 1, 1)
    (4.0, 0.1)
    """
    return round(min(probability, 1.0 - probability) * pairs * sources, 9)


def _speaking(
    doubts: Sequence[_Doubt], scored_pairs: pa.Table | None
) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """Suggested pair → the comparisons that speak most for and most against it, if any do."""
    if scored_pairs is None:
        return {}
    names = sorted(
        column.removesuffix("_level")
        for column in scored_pairs.column_names
        if column.endswith("_level")
    )
    ends = (scored_pairs[name].to_pylist() for name in ("left_id", "right_id"))
    at = {pair: row for row, pair in enumerate(zip(*ends, strict=True))}
    pairs = [pair for pair in ((one.left_id, one.right_id) for one in doubts) if pair in at]
    if not names or not pairs:
        return dict.fromkeys(pairs, (None, None))
    some = scored_pairs.take(pa.array([at[pair] for pair in pairs]))
    bits = np.column_stack([_bits(some, name) for name in names])
    most, least = bits.argmax(axis=1), bits.argmin(axis=1)
    return {
        pair: (
            names[for_] if own[for_] > 0 else None,
            names[against] if own[against] < 0 else None,
        )
        for pair, own, for_, against in zip(pairs, bits, most, least, strict=True)
    }


def _bits(scored_pairs: pa.Table, name: str) -> np.ndarray:
    """What a comparison says of each pair; 0 where it says nothing."""
    bits = np.zeros(scored_pairs.num_rows)
    for column in (f"{name}_bits", f"{name}_rarity_bits"):
        if column in scored_pairs.column_names:
            bits += np.asarray(pc.fill_null(scored_pairs[column], 0.0))
    return bits
