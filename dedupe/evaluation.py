"""How good a result is, against a known truth.

Only for measuring: nothing that makes a result reads a truth.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from onefold.errors import OnefoldError


@dataclass(frozen=True)
class Evaluation:
    """Scores of one result; shares are 0..1.

    Attributes:
        records: records that are both in the result and in the truth.
        only_in_result: records that the truth does not know; they do not count.
        only_in_truth: records missing from the result; each counts as a
            customer of its own, so their true pairs are missed.
        clusters: customers in the result, among the counted records.
        entities: customers in the truth.
        true_pairs: pairs of records that are one customer in truth.
        found_pairs: pairs that the result puts together.
        right_pairs: pairs in both.
        precision: right_pairs / found_pairs.
        recall: right_pairs / true_pairs.
        f1: harmonic mean of the two.
        b_cubed_precision: mean over records of the share of its cluster that is right.
        b_cubed_recall: mean over records of the share of its entity that was found.
        b_cubed_f1: harmonic mean of the two.
        hard_negatives: look-alike pairs of entities that were given and have records.
        hard_negatives_merged: those of which some records share a cluster.
        hard_negatives_merged_share: hard_negatives_merged / hard_negatives.
    """

    records: int
    only_in_result: int
    only_in_truth: int
    clusters: int
    entities: int
    true_pairs: int
    found_pairs: int
    right_pairs: int
    precision: float
    recall: float
    f1: float
    b_cubed_precision: float
    b_cubed_recall: float
    b_cubed_f1: float
    hard_negatives: int
    hard_negatives_merged: int
    hard_negatives_merged_share: float

    def as_dict(self) -> dict[str, float]:
        """The scores by name."""
        return asdict(self)


def evaluate(
    crosswalk: pa.Table, truth: pa.Table, hard_negatives: pa.Table | None = None
) -> Evaluation:
    """Score a crosswalk against a truth.

    Args:
        crosswalk: source, source_key, golden_id (or cluster_id); position, if
            there: a truth key may be either the key or the position, as
            spreadsheets' are.
        truth: source, source_key, entity_id.
        hard_negatives: entity_a, entity_b: entities that look alike and differ.

    Raises:
        OnefoldError: a table lacks a column, or the two share no record.
    """
    cluster_column = "golden_id" if "golden_id" in crosswalk.column_names else "cluster_id"
    _require(crosswalk, ("source", "source_key", cluster_column), "the crosswalk")
    _require(truth, ("source", "source_key", "entity_id"), "the truth")
    entity_of = {
        (source, key): entity
        for source, key, entity in _rows(truth, ("source", "source_key", "entity_id"))
    }
    positions = (
        crosswalk.column("position").to_pylist()
        if "position" in crosswalk.column_names
        else [None] * crosswalk.num_rows
    )
    clusters: dict[tuple[str, str], Hashable] = {}
    unknown = 0
    for (source, key, cluster), position in zip(
        _rows(crosswalk, ("source", "source_key", cluster_column)), positions, strict=True
    ):
        for name in ((source, key), (source, position)):
            if name in entity_of:
                clusters[name] = ("cluster", cluster)
                break
        else:
            unknown += 1
    if not clusters:
        raise OnefoldError(
            "evaluation",
            "the result and the truth have no record in common",
            found=f"sources {_names(crosswalk)} in the result, {_names(truth)} in the truth",
            do="Check that sources and keys are named alike.",
        )
    missing = len(entity_of) - len(clusters)
    labels = {name: clusters.get(name, ("missing", name)) for name in entity_of}
    hard = (
        list(_rows(hard_negatives, ("entity_a", "entity_b"))) if hard_negatives is not None else []
    )
    return _score(labels, entity_of, hard, len(clusters), unknown, missing)


def _score(
    labels: Mapping[tuple[str, str], Hashable],
    entity_of: Mapping[tuple[str, str], str],
    hard: Sequence[tuple[str, ...]],
    records: int,
    unknown: int,
    missing: int,
) -> Evaluation:
    by_cluster = Counter(labels.values())
    by_entity = Counter(entity_of.values())
    both = Counter((labels[name], entity) for name, entity in entity_of.items())
    found, true, right = _pairs(by_cluster), _pairs(by_entity), _pairs(both)
    precision, recall = _share(right, found), _share(right, true)
    total = len(entity_of)
    cubed_precision = sum(n * n / by_cluster[label] for (label, _), n in both.items()) / total
    cubed_recall = sum(n * n / by_entity[entity] for (_, entity), n in both.items()) / total
    clusters_of: dict[str, set[Hashable]] = defaultdict(set)
    for name, entity in entity_of.items():
        clusters_of[entity].add(labels[name])
    pairs = {frozenset((a, b)) for a, b in hard if a != b and a in clusters_of and b in clusters_of}
    merged = sum(
        not clusters_of[a].isdisjoint(clusters_of[b]) for a, b in (tuple(pair) for pair in pairs)
    )
    return Evaluation(
        records=records,
        only_in_result=unknown,
        only_in_truth=missing,
        clusters=len(by_cluster),
        entities=len(by_entity),
        true_pairs=true,
        found_pairs=found,
        right_pairs=right,
        precision=precision,
        recall=recall,
        f1=_harmonic(precision, recall),
        b_cubed_precision=cubed_precision,
        b_cubed_recall=cubed_recall,
        b_cubed_f1=_harmonic(cubed_precision, cubed_recall),
        hard_negatives=len(pairs),
        hard_negatives_merged=merged,
        hard_negatives_merged_share=_share(merged, len(pairs), empty=0.0),
    )


def _pairs(counts: Counter) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())


def _share(part: int, whole: int, empty: float = 1.0) -> float:
    """part / whole; of nothing, nothing was wrong."""
    return part / whole if whole else empty


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def _rows(table: pa.Table, columns: Iterable[str]) -> list[tuple[str, ...]]:
    return list(zip(*(table.column(name).to_pylist() for name in columns), strict=True))


def _names(table: pa.Table) -> str:
    return ", ".join(sorted({str(source) for source in table.column("source").to_pylist()}))


def _require(table: pa.Table, columns: Iterable[str], where: str) -> None:
    absent = [name for name in columns if name not in table.column_names]
    if absent:
        raise OnefoldError(
            where,
            f"there is no column {', '.join(absent)}",
            found=", ".join(table.column_names),
            do="Give a table with these columns.",
        )
