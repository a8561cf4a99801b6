"""Cases → what speaks for and against each, as facts, for those that are new or changed.

Runs before the publish, outside its transaction. All records of new cases are
read and counted at once: explaining a case then costs the same however many
records there are beside it.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from dedupe import clusters, explain, identity
from dedupe.cases import Cases
from dedupe.comparing.columns import decoded
from dedupe.explaining import frequency, stored
from dedupe.explaining.evidence import bearing_on
from dedupe.explaining.prepared import Prepared, contradictions
from dedupe.model import Models, counts_of
from pipelines import lake
from pipelines.stages import features, matching
from pipelines.stages.deployment import Deployment
from warehouse import case_tables, text_form

log = logging.getLogger("onefold.refresh")

CHUNK = 500
"""Cases that are explained out of one set of dictionaries."""


def scored(deployment: Deployment, names: Mapping[str, str], pairs: pa.Table) -> pa.Table:
    """Some of matching.pairs_among with all that scoring found, in the same order.

    It is worked out again, from the features that it followed from: reading it would take
    reading it of all pairs.
    """
    schema = lake.schema(deployment.lake, "scored_pairs", names["scored_pairs"])
    return matching.scored_again(deployment, pairs, schema).combine_chunks()


def of(
    deployment: Deployment,
    names: Mapping[str, str],
    grouped: pa.Table,
    cases: Cases,
    pairs: pa.Table,
    crosswalk: pa.Table,
    decisions: pa.Table,
    models: Models,
) -> pa.Table:
    """The evidence of the cases whose stored evidence was made from something else.

    Args:
        deployment: the opened home.
        names: table of the lake → fingerprint of the matching that the cases are of.
        grouped: the clusters, sorted by record_id.
        cases: those that can need other evidence than is stored.
        pairs: of matching.pairs_among: at least those among their records.
        crosswalk: record_id, golden_id, as it is to be published.
        decisions: pair decisions in force.
        models: that scored the pairs.

    Returns:
        case_tables.EVIDENCE_SCHEMA.
    """
    if not cases.cases.num_rows:
        return case_tables.EVIDENCE_SCHEMA.empty_table()
    ids = pc.unique(cases.members["record_id"])
    weighed = scored(deployment, names, _inside(pairs, ids))
    staged = deployment.records(ids)
    hashes = _bases(cases, weighed, staged, decisions, models, deployment.warehouse.sealer.row_key)
    known = case_tables.evidence_hashes(deployment.warehouse)
    fresh = [case_id for case_id, basis in hashes.items() if known.get(case_id) != basis]
    if not fresh:
        return case_tables.EVIDENCE_SCHEMA.empty_table()
    log.info("review_case: explaining %s of %s", f"{len(fresh):,}", f"{len(hashes):,}")
    world = _World(deployment, names, grouped, _members(cases, fresh), weighed, decisions, models)
    told = list(_told(world, cases, fresh, staged, crosswalk))
    bases = [hashes[case_id] for case_id in fresh]
    return pa.table([fresh, told, bases], schema=case_tables.EVIDENCE_SCHEMA)


def _bases(
    cases: Cases,
    scored: pa.Table,
    staged: pa.Table,
    decisions: pa.Table,
    models: Models,
    row_key: bytes,
) -> dict[str, str]:
    """Case → hash of what its evidence is made from: records, pairs, decisions, models."""
    parts: dict[str, list[str]] = defaultdict(list)
    of_record: dict[str, list[str]] = defaultdict(list)
    for case_id, record_id, golden_id in zip(
        *(cases.members[n].to_pylist() for n in ("case_id", "record_id", "golden_id")), strict=True
    ):
        of_record[record_id].append(case_id)
        parts[case_id].append(golden_id)
    content = text_form.hashes(text_form.encode(staged.drop_columns(["position"])), row_key)
    for record_id, value in zip(staged["record_id"].to_pylist(), content.to_pylist(), strict=True):
        for case_id in of_record[record_id]:
            parts[case_id].append(value)
    for table, column, either in ((scored, "weight_bits", False), (decisions, "decision_id", True)):
        rows = zip(*(table[n].to_pylist() for n in ("left_id", "right_id", column)), strict=True)
        for left, right, value in rows:
            one, other = set(of_record.get(left, ())), set(of_record.get(right, ()))
            for case_id in one | other if either else one & other:
                parts[case_id].append(f"{left} {right} {value}")
    start = json.dumps([stored.VERSION, sorted(one.fingerprint for one in models.values())])
    return {
        case_id: case_tables.digest("\n".join([start, *sorted(parts[case_id])]))
        for case_id in cases.cases["case_id"].to_pylist()
    }


def _members(cases: Cases, case_ids: Sequence[str]) -> pa.Array:
    """The records of cases, sorted."""
    wanted = pc.is_in(cases.members["case_id"], value_set=pa.array(case_ids, pa.string()))
    found = pc.unique(cases.members.filter(wanted)["record_id"])
    return found.take(pc.sort_indices(found))


def _told(
    world: "_World", cases: Cases, fresh: Sequence[str], staged: pa.Table, crosswalk: pa.Table
) -> Iterator[str]:
    """The facts of each case as JSON, in the order of ``fresh``."""
    kinds = dict(zip(*(cases.cases[n].to_pylist() for n in ("case_id", "kind")), strict=True))
    groups: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in cases.members.to_pylist():
        groups[row["case_id"]][row["golden_id"]].append(row["record_id"])
    suggested: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in cases.pairs.to_pylist():
        suggested[row["case_id"]].append((row["left_id"], row["right_id"]))
    for start in range(0, len(fresh), CHUNK):
        chunk = fresh[start : start + CHUNK]
        evidence = world.prepared(_members(cases, chunk), staged, crosswalk)
        for case_id in chunk:
            parts = list(groups[case_id].values())
            facts = explain.case(evidence, kinds[case_id], parts, suggested[case_id])
            yield stored.dumps(facts)


class _World:
    """What is read and counted once for all new cases."""

    def __init__(
        self,
        deployment: Deployment,
        names: Mapping[str, str],
        grouped: pa.Table,
        ids: pa.Array,
        scored: pa.Table,
        decisions: pa.Table,
        models: Models,
    ) -> None:
        self.deployment, self.settings, self.models = deployment, deployment.matching, models
        self.decisions = bearing_on(decisions, ids.to_pylist())
        records = features.have(deployment)
        self.features = records.take(features.rows_of(deployment, ids)).combine_chunks()
        counted = records.parts(frequency.columns(records.names))
        every = features.record_ids(deployment)
        self.frequencies = frequency.count(counted, every, grouped, self.features)
        del counted
        self.clusters = identity.of_records(grouped, ids)
        self.suggestions = lake.read(deployment.lake, "suggestions", names["suggestions"])
        self.pairs = self._closed(_inside(scored, ids))
        self.contradictions = contradictions(self.pairs, self.features, counts_of(models))

    def _closed(self, scored: pa.Table) -> pa.Table:
        """The scored pairs, and the ones inside components that decisions joined."""
        if not self.decisions.num_rows:
            return scored
        ids = self.features["record_id"].to_pylist()
        unseen = clusters.missing_pairs(ids, scored, self.decisions, self.settings)
        if not unseen.num_rows:
            return scored
        added = decoded(matching.weigher(self.deployment).score(unseen))
        together = pa.concat_tables([scored, added.select(scored.column_names).cast(scored.schema)])
        return together.sort_by([("left_id", "ascending"), ("right_id", "ascending")])

    def prepared(self, ids: pa.Array, staged: pa.Table, crosswalk: pa.Table) -> Prepared:
        """Evidence on some of the records."""
        shown = _among(staged, ids)
        own = _among(self.clusters, ids)
        on = pc.unique(own["cluster_id"])
        about = pc.or_(
            *(
                pc.is_in(self.suggestions[name], value_set=on)
                for name in ("left_cluster_id", "right_cluster_id")
            )
        )
        pairs = _inside(self.pairs, ids)
        return Prepared(
            features=_among(self.features, ids),
            scored=ds.dataset(pairs),
            clusters=own,
            suggestions=self.suggestions.filter(about),
            models=self.models,
            settings=self.settings,
            staged=lambda _: shown,
            decisions=bearing_on(self.decisions, ids.to_pylist()),
            crosswalk=_among(crosswalk, ids),
            pairs=pairs,
            frequencies=self.frequencies,
            contradictions=self.contradictions,
        )


def _among(table: pa.Table, ids: pa.Array) -> pa.Table:
    """The rows of some records, sorted."""
    found = table.filter(pc.is_in(table["record_id"], value_set=ids))
    return found.sort_by("record_id").combine_chunks()


def _inside(table: pa.Table, ids: pa.Array) -> pa.Table:
    """The pairs among some records."""
    ends: list[Any] = [pc.is_in(table[name], value_set=ids) for name in ("left_id", "right_id")]
    return table.filter(pc.and_(*ends)).combine_chunks()
