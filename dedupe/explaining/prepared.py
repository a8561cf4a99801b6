"""Evidence for many explanations at once: everything they ask was read and counted before.

What belongs here: the same answers as Evidence gives, out of dictionaries. It
holds the records of some cases only and costs nothing that grows with the rest.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dedupe import comparisons
from dedupe.counts import Counts
from dedupe.explaining import shown
from dedupe.explaining.evidence import Evidence
from dedupe.explaining.facts import Record
from dedupe.explaining.frequency import Held


@dataclass(frozen=True)
class Prepared(Evidence):
    """One matching, of some whole clusters.

    The tables hold the records of these clusters only; ``scored`` every pair among them, also
    those that decisions closed.

    Attributes:
        pairs: the scored pairs, sorted by left_id and right_id, plain columns.
        frequencies: of every value of the records, among all records.
        contradictions: left and right id → what the records of a pair contradict each other in,
            of the pairs whose weight overruled it.
    """

    pairs: pa.Table = field(default_factory=lambda: pa.table({}))
    frequencies: Held = field(default_factory=dict)
    contradictions: Mapping[tuple[str, str], str | None] = field(default_factory=dict)

    @cached_property
    def _records(self) -> dict[str, Record]:
        golden = self.golden_ids(self.record_ids.to_pylist())
        values = {row["record_id"]: row for row in self.staged([]).to_pylist()}
        return {
            name: Record(
                record_id=name,
                source=one["source"],
                customer_type=one["customer_type"],
                name=one["name"] or "",
                golden_id=golden.get(name),
                cluster_id=self._cluster.get(name),
                values=shown.values(values.get(name, {}), one),
            )
            for name, one in self._features.items()
        }

    @cached_property
    def _features(self) -> dict[str, dict[str, Any]]:
        return {row["record_id"]: row for row in self.features.to_pylist()}

    @cached_property
    def _cluster(self) -> dict[str, str]:
        names = (self.clusters[name].to_pylist() for name in ("record_id", "cluster_id"))
        return dict(zip(*names, strict=True))

    @cached_property
    def _members(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for record_id, cluster_id in sorted(self._cluster.items()):
            found[cluster_id].append(record_id)
        return found

    @cached_property
    def _pairs_at(self) -> dict[str, list[tuple[int, str]]]:
        """Record → row and other record of each of its pairs."""
        found: dict[str, list[tuple[int, str]]] = defaultdict(list)
        ends = (self.pairs[name].to_pylist() for name in ("left_id", "right_id"))
        for row, (left, right) in enumerate(zip(*ends, strict=True)):
            found[left].append((row, right))
            found[right].append((row, left))
        return found

    def cluster_of(self, record_id: str) -> str | None:
        """The cluster of a record."""
        return self._cluster.get(record_id)

    def members(self, cluster_id: str) -> list[str]:
        """The records of a cluster, sorted."""
        return list(self._members.get(cluster_id, ()))

    def records(self, ids: Sequence[str]) -> dict[str, Record]:
        """Records as they are shown, by id."""
        return {one: self._records[one] for one in ids}

    def rows_of(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of features of some records, in their order."""
        return [self._features[one] for one in ids]

    def held(
        self, customer_type: str, columns: tuple[str, ...], shortened: bool, value: str
    ) -> tuple[int, int] | None:
        """How many records and customers have a value."""
        return self.frequencies.get((customer_type, columns, shortened, value))

    def pairs_of(self, ids: Sequence[str]) -> pa.Table:
        """Scored pairs that have any of these records."""
        return self._take({row for one in ids for row, _ in self._pairs_at.get(one, ())})

    def pairs_between(
        self, left: Sequence[str], right: Sequence[str], columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Scored pairs of one of the left and one of the right records."""
        others = set(right)
        return self._take(
            {row for one in left for row, other in self._pairs_at.get(one, ()) if other in others},
            columns,
        )

    def pairs_inside(self, ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """Pairs among these records; the ones that decisions close were scored before."""
        return self.pairs_between(ids, ids, columns)

    def pair(self, left: str, right: str) -> tuple[dict[str, Any], bool]:
        """A scored pair as a mapping, and whether matching had scored it."""
        low, high = sorted((left, right))
        at = next((row for row, other in self._pairs_at.get(low, ()) if other == high), None)
        return super().pair(low, high) if at is None else (self._rows[at], True)

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        """The scored pairs as mappings."""
        return self.pairs.to_pylist()

    def _take(self, rows: Iterable[int], columns: Sequence[str] | None = None) -> pa.Table:
        pairs = self.pairs if columns is None else self.pairs.select(list(columns))
        return pairs.take(pa.array(sorted(rows), pa.int64())).combine_chunks()

    def contradiction(self, row: Mapping[str, Any]) -> str | None:
        """What the records of a scored pair contradict each other in, also if overruled."""
        if row["veto"] is not None or not row.get("veto_bits"):
            return row["veto"]
        return self.contradictions.get((row["left_id"], row["right_id"]))


def contradictions(
    pairs: pa.Table, features: pa.Table, counts: Counts | None
) -> dict[tuple[str, str], str | None]:
    """What pairs contradict each other in whose weight overruled it, compared all at once.

    Args:
        pairs: scored pairs.
        features: of their records.
        counts: of all records; None: of the features.
    """
    if "veto_bits" not in pairs.column_names:
        return {}
    overruled = pc.and_(pc.is_null(pairs["veto"]), pc.not_equal(pairs["veto_bits"], 0.0))
    ends = pairs.filter(pc.fill_null(overruled, False)).select(["left_id", "right_id"])
    if not ends.num_rows:
        return {}
    compared = comparisons.compare(ends, features, counts)
    names = (compared[name].to_pylist() for name in ("left_id", "right_id", "veto"))
    return {(left, right): veto for left, right, veto in zip(*names, strict=True)}
