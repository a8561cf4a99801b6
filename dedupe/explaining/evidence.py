"""All that an explanation is drawn from: the tables of one matching, and how to ask them.

What belongs here: reading, and weighing a pair that matching never saw. What
it means stands in the other modules.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from dedupe import clusters, matching, scoring
from dedupe.comparing.columns import decoded
from dedupe.explaining import shown
from dedupe.explaining.facts import Record
from dedupe.model import MatchingSettings, Models, counts_of


@dataclass(frozen=True)
class Evidence:
    """One matching of some records.

    Attributes:
        features: of every record, sorted by record_id; all columns of features.build.
        scored: scored_pairs, as a table or as a Parquet file that is read in parts.
        clusters: record_id, cluster_id.
        suggestions: of clustering.
        models: that scored the pairs.
        settings: section ``matching``.
        staged: reads the shown values of some records, as STAGED_SCHEMA.
        decisions: those in force; None if none.
        crosswalk: record_id, golden_id as last published; None before.
        redirects: retired golden id → the live one, or None where it ended.
    """

    features: pa.Table
    scored: ds.Dataset
    clusters: pa.Table
    suggestions: pa.Table
    models: Models
    settings: MatchingSettings
    staged: Callable[[Sequence[str]], pa.Table]
    decisions: pa.Table | None = None
    crosswalk: pa.Table | None = None
    redirects: Mapping[str, str | None] = field(default_factory=dict)

    @cached_property
    def record_ids(self) -> pa.Array:
        """Every matched record, sorted."""
        return self.features.column("record_id").combine_chunks()

    @cached_property
    def cluster_ids(self) -> pa.Array:
        """The cluster of each record, in the order of features; null where it has none."""
        at = pc.index_in(self.record_ids, value_set=self.clusters["record_id"].combine_chunks())
        return self.clusters["cluster_id"].combine_chunks().take(at)

    def rows(self, ids: Iterable[str]) -> list[int]:
        """Rows of records in features.

        Raises:
            KeyError: one is not there.
        """
        wanted = pa.array(list(ids), pa.string())
        found = pc.index_in(wanted, value_set=self.record_ids)
        if found.null_count:
            raise KeyError("a record is not in features")
        return list(found.to_pylist())

    def cluster_of(self, record_id: str) -> str | None:
        """The cluster of a record."""
        return self.cluster_ids[self.rows([record_id])[0]].as_py()

    def members(self, cluster_id: str) -> list[str]:
        """The records of a cluster, sorted."""
        return sorted(
            self.clusters.filter(pc.equal(self.clusters["cluster_id"], cluster_id))[
                "record_id"
            ].to_pylist()
        )

    def golden_ids(self, ids: Sequence[str]) -> dict[str, str]:
        """Record → golden customer, as last published."""
        if self.crosswalk is None:
            return {}
        found = self.crosswalk.filter(pc.is_in(self.crosswalk["record_id"], pa.array(ids)))
        return dict(
            zip(found["record_id"].to_pylist(), found["golden_id"].to_pylist(), strict=True)
        )

    def records(self, ids: Sequence[str]) -> dict[str, Record]:
        """Records as they are shown, by id."""
        at = self.rows(ids)
        golden, staged = self.golden_ids(ids), self.staged(ids)
        features = self.features.take(pa.array(at, pa.int64())).to_pylist()
        values = {row["record_id"]: row for row in staged.to_pylist()}
        return {
            one["record_id"]: Record(
                record_id=one["record_id"],
                source=one["source"],
                customer_type=one["customer_type"],
                name=one["name"] or "",
                golden_id=golden.get(one["record_id"]),
                cluster_id=self.cluster_ids[row].as_py(),
                values=shown.values(values.get(one["record_id"], {}), one),
            )
            for row, one in zip(at, features, strict=True)
        }

    def rows_of(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of features of some records, in their order.

        Raises:
            KeyError: one is not there.
        """
        return self.features.take(pa.array(self.rows(ids), pa.int64())).to_pylist()

    def held(
        self, customer_type: str, columns: tuple[str, ...], shortened: bool, value: str
    ) -> tuple[int, int] | None:
        """How many records and customers have a value, where it was counted before; else None."""
        return None

    # ------------------------------------------------------------------ scored pairs
    def pairs_of(self, ids: Sequence[str]) -> pa.Table:
        """Scored pairs that have any of these records."""
        wanted = pa.array(ids, pa.string())
        return self._read(ds.field("left_id").isin(wanted) | ds.field("right_id").isin(wanted))

    def pairs_between(
        self, left: Sequence[str], right: Sequence[str], columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Scored pairs of one of the left and one of the right records.

        Args:
            columns: of scored_pairs, left_id and right_id among them; None: all.
        """
        ids = {"left_id": pa.array(left, pa.string()), "right_id": pa.array(right, pa.string())}
        one = ds.field("left_id").isin(ids["left_id"]) & ds.field("right_id").isin(ids["right_id"])
        other = ds.field("left_id").isin(ids["right_id"]) & ds.field("right_id").isin(
            ids["left_id"]
        )
        return self._read(one | other, columns)

    def _read(self, condition: pc.Expression, columns: Sequence[str] | None = None) -> pa.Table:
        names = None if columns is None else [*columns]
        found = decoded(self.scored.to_table(columns=names, filter=condition))
        return found.sort_by([("left_id", "ascending"), ("right_id", "ascending")]).combine_chunks()

    def pairs_inside(self, ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """Pairs among these records as clustering saw them: scored, or closed by decisions.

        Args:
            columns: of scored_pairs, those that clustering reads among them; None: all.
        """
        known = self.pairs_between(ids, ids, columns)
        unseen = clusters.missing_pairs(ids, known, self.decisions_on(ids), self.settings)
        if not unseen.num_rows:
            return known
        return pa.concat_tables([known, self.weigh(unseen).select(known.column_names)])

    def pair(self, left: str, right: str) -> tuple[dict[str, Any], bool]:
        """A scored pair as a mapping, and whether matching had scored it."""
        left, right = sorted((left, right))
        found = self.pairs_between([left], [right])
        if found.num_rows:
            return found.to_pylist()[0], True
        ids = {"left_id": [left], "right_id": [right], "found_by": [""]}
        return self.weigh(pa.table(ids)).to_pylist()[0], False

    def weigh(self, pairs: pa.Table) -> pa.Table:
        """Compare and score pairs now, with the model and the frequencies of the matching."""
        levels = matching.compare(pairs, self.features, counts_of(self.models))
        return decoded(scoring.score(levels, self.features, self.models))

    def contradiction(self, row: Mapping[str, Any]) -> str | None:
        """What the records of a scored pair contradict each other in, also if overruled."""
        if row["veto"] is not None or not row.get("veto_bits"):
            return row["veto"]
        ids = {name: [row[name]] for name in ("left_id", "right_id")}
        counts = counts_of(self.models)
        return matching.compare(pa.table(ids), self.features, counts)["veto"][0].as_py()

    # ------------------------------------------------------------------ decisions
    def decisions_on(self, ids: Iterable[str]) -> pa.Table | None:
        """The pair decisions that bear on these records: on them, or on records linked to them."""
        if self.decisions is None or not self.decisions.num_rows:
            return None
        return bearing_on(self.decisions, ids)


def bearing_on(decisions: pa.Table, ids: Iterable[str]) -> pa.Table:
    """The pair decisions on some records, or on records linked to them.

    Args:
        decisions: kind, left_id, right_id, and whatever else: it is kept.
    """
    table = decisions.filter(pc.is_in(decisions["kind"], pa.array(["link", "no_link"])))
    if not table.num_rows:
        return table
    left, right = (table[name].to_pylist() for name in ("left_id", "right_id"))
    links = np.asarray(pc.equal(table["kind"], "link"))
    reached, grown = set(ids), True
    while grown:
        grown = False
        for a, b, link in zip(left, right, links, strict=True):
            if link and (a in reached) != (b in reached):
                reached |= {a, b}
                grown = True
    keep = [a in reached or b in reached for a, b in zip(left, right, strict=True)]
    return table.filter(pa.array(keep, pa.bool_()))
