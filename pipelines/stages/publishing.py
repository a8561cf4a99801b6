"""Clusters → golden_customer, published in one transaction.

Only customers whose records or clusters changed since the last publish, and those that
decisions touch, are worked out and written; the result is that of publishing everything.
"""

import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import cases, identity, relations, survivorship
from dedupe.comparing.columns import positions
from dedupe.explaining import stored
from dedupe.identity import Identity
from pipelines import fingerprint, lake
from pipelines.report import PublishedReport
from pipelines.stages import case_evidence, changes, features, gating, matching, retention
from pipelines.stages.deployment import Deployment
from warehouse import case_tables, decisions, text_form
from warehouse import overrides as pinning
from warehouse import publish as publishing
from warehouse import taken_in as taking
from warehouse.publish import PublishedIdentity
from warehouse.taken_in import TakenIn

log = logging.getLogger("onefold.refresh")

_LOOKED_AT = "published_records"
"""What Deployment.once keeps: the records that the last publish looked at."""


def publish(deployment: Deployment) -> PublishedReport:
    """Give clusters their lasting ids, choose golden values, publish in one transaction.

    Then tables of older fingerprints leave the lake, and raw snapshots that are too old.

    Raises:
        DecisionConflict: stewards' decisions in force contradict each other.
        PublishHeld: the result would change more than the budgets of ``gate`` allow.
        PublishError: the result would lose a record or misuse an id.
    """
    began = time.monotonic()
    deployment.drop(_LOOKED_AT)
    name, taken_in, overrides = _basis(deployment)
    published = publishing.standing(deployment.warehouse, name)
    if published is not None:
        taking.note(deployment.warehouse, taken_in)
    else:
        made = _prepared(deployment, name, taken_in, overrides)
        published = gating.publish(deployment, name, taken_in, made)
    matching.forget(deployment, taken_in.clusters)
    for source, count in retention.prune(deployment).items():
        log.info("raw/%s: %s snapshots removed, older than raw_keep_days", source, f"{count:,}")
    log.info(
        "golden_customer: %s customers%s",
        f"{published.golden:,}",
        "" if published.written else ", unchanged",
    )
    return PublishedReport(
        fingerprint=name,
        written=published.written,
        golden=published.golden,
        added=published.count("golden_customer", "added"),
        changed=published.count("golden_customer", "changed"),
        ended=published.count("golden_customer", "deleted"),
        suggestions=published.suggestions,
        restatement=published.restated.sentence if published.restated else "",
        seconds=time.monotonic() - began,
    )


def _basis(deployment: Deployment) -> tuple[str, TakenIn, pa.Table]:
    """The golden table's fingerprint, what it takes in, and the values pinned by stewards."""
    decided = taking.decided(deployment.warehouse)
    found, _ = matching.have_clusters(deployment)
    overrides = decisions.read(deployment.warehouse)
    overrides = overrides.filter(pc.equal(overrides["kind"], "override"))
    staged = changes.noted(deployment)
    rest = fingerprint.of(
        deployment.policy.model_dump(mode="json"),
        fingerprint.of_code("rules", "dedupe", "warehouse"),
        stored.VERSION,
    )
    name = fingerprint.of(found, staged, rest, overrides.to_pylist())
    taken_in = TakenIn(decided.made, decided.revoked, staged, found, rest)
    return name, taken_in, overrides


def looked_at(deployment: Deployment) -> pa.Array | None:
    """The records whose customers were worked out since the home was opened; None: all or none."""
    kept: pa.Array | None = deployment.kept.get(_LOOKED_AT, (None, None))[1]
    return kept


def held_back(deployment: Deployment, why: str) -> PublishedReport:
    """The report of a publish that the gate held: what is published stays."""
    stands = publishing.last(deployment.warehouse)
    return PublishedReport(
        fingerprint="held",
        written=False,
        golden=stands.golden if stands else 0,
        suggestions=stands.suggestions if stands else 0,
        held=why,
    )


def rehearse(deployment: Deployment, look: publishing.Look) -> bool:
    """Make a publish up to the moment before it is committed, for somebody to look at.

    Args:
        deployment: the opened home, with other settings or models.
        look: sees it; has to raise, so that nothing is kept.

    Returns:
        False if the golden table would be the one that is published; then nothing was made.
    """
    name, taken_in, overrides = _basis(deployment)
    if publishing.standing(deployment.warehouse, name) is not None:
        return False
    _prepared(deployment, name, taken_in, overrides)(look)
    return True


def _prepared(
    deployment: Deployment, name: str, taken_in: TakenIn, overrides: pa.Table
) -> gating.Publish:
    """Everything that a publish writes, worked out; called, it is written."""
    log.info("golden_customer: choosing ids and values")
    warehouse, found = deployment.warehouse, taken_in.clusters
    base = publishing.read_identity(warehouse, partial(_kept, deployment))
    grouped = matching.grouped(deployment, found)
    assigned, touched, changed = _identity(deployment, taken_in, base, grouped)
    retired = publishing.redirects(warehouse) | identity.as_dict(assigned.redirects)
    used = assigned.crosswalk["golden_id"]
    used = used.filter(pc.is_in(used, value_set=pa.array(list(retired), pa.string())))
    for one in pc.unique(used).to_pylist():
        del retired[one]
    only, records = _part(deployment, base, assigned, touched, changed, retired)
    staged = deployment.staged() if records is None else deployment.records(records)
    crosswalk = assigned.crosswalk
    own = crosswalk if records is None else identity.of_records(crosswalk, records)
    overrides = identity.follow(overrides, retired)
    moved = pinning.changed(warehouse, staged, assigned.crosswalk, retired)
    suggestions = lake.read(deployment.lake, "suggestions", found)
    doubted = _doubted(assigned.crosswalk, suggestions, moved)
    golden = _names(deployment, staged, doubted, overrides)
    if only is not None:
        known = golden["golden_id"].to_pylist()
        elsewhere = sorted({*doubted["golden_id"].to_pylist()}.difference(known))
        golden = pa.concat_tables([publishing.read_names(warehouse, elsewhere), golden])
    names = {**matching.names(deployment), "clusters": found, "suggestions": found}
    members = pc.unique(doubted["record_id"])
    pairs = matching.pairs_among(deployment, names["scored_pairs"], members)
    suggested = case_evidence.scored(deployment, names, _suggested(pairs, suggestions))
    doubtful = cases.make(suggestions, doubted, golden, suggested)
    others = _with_other_evidence(deployment, found, records)
    evidence = case_evidence.of(
        deployment,
        names,
        grouped,
        doubtful if others is None else _looked_at(deployment, doubtful, others),
        pairs,
        doubted,
        matching.pair_decisions(deployment),
        matching.saved_models(deployment),
    )
    pinned, told = pinning.as_cases(moved, golden)
    every = assigned.crosswalk["golden_id"]
    size = len(only) if only is not None else pc.count_distinct(every).as_py()
    log.info("golden_customer: publishing %s", f"{size:,}")
    publish = partial(
        publishing.publish,
        warehouse,
        assigned,
        suggestions=suggestions,
        fingerprint=name,
        relations=relations.relate(features.kinships(deployment), assigned.crosswalk),
        cases=cases.joined(doubtful, pinned),
        evidence=pa.concat_tables([evidence, told]),
        base=base,
        taken_in=taken_in,
        only=only,
        basis=gating.basis(deployment),
    )
    # Made as they are written, in the publish's transaction: never all at once.
    parts = partial(survivorship.in_parts, staged, own, deployment.policy, overrides)

    def do(look: publishing.Look | None) -> publishing.Published:
        published = publish(parts=parts(), look=look)
        if published.written:
            _keep(deployment, published.name, base, assigned)
            deployment.once(_LOOKED_AT, published.name, lambda: records)
        return published

    return do


def _kept(deployment: Deployment, name: str) -> pa.Table | None:
    """The crosswalk of a publish, if the lake has it: reading it there costs a tenth."""
    known = lake.has(deployment.lake, "crosswalk", name)
    return lake.read(deployment.lake, "crosswalk", name) if known else None


def _keep(deployment: Deployment, name: str, base: PublishedIdentity, assigned: Identity) -> None:
    """Keep the crosswalk of a publish: what it changed, where the one before is kept."""
    folder, before = deployment.lake, base.kept
    if assigned.looked_at is not None and before is not None:
        was, now = (one["record_id"].combine_chunks() for one in assigned.looked_at)
        ids = base.crosswalk["record_id"].combine_chunks()
        stands = np.ones(len(ids), dtype=bool)
        stands[positions(was, ids)] = False
        stored = lake.stored(folder, "crosswalk", before)
        made = stored.changed(stands, assigned.looked_at[1], changes.places(ids, now))
        lake.write_stored(folder, "crosswalk", name, made)
    else:
        lake.write(folder, "crosswalk", name, assigned.crosswalk)
    lake.forget(folder, {"crosswalk": name})


def _doubted(crosswalk: pa.Table, suggestions: pa.Table, moved: list[dict[str, Any]]) -> pa.Table:
    """record_id, golden_id of the customers that cases are made of."""
    ends = pa.chunked_array(
        [part for name in ("left_id", "right_id") for part in suggestions[name].chunks], pa.string()
    )
    inside = pc.is_in(crosswalk["record_id"], value_set=ends.unique())
    ids = {*crosswalk.filter(inside)["golden_id"].to_pylist(), *(one["golden_id"] for one in moved)}
    wanted = pa.array(sorted(ids), pa.string())
    return crosswalk.filter(pc.is_in(crosswalk["golden_id"], value_set=wanted))


def _suggested(pairs: pa.Table, suggestions: pa.Table) -> pa.Table:
    """Those of some pairs that suggestions name."""
    named = (text_form.key(one, ["left_id", "right_id"]) for one in (pairs, suggestions))
    found, wanted = named
    return pairs.filter(pc.is_in(found, value_set=pc.unique(wanted)))


def _names(
    deployment: Deployment, staged: pa.Table, crosswalk: pa.Table, overrides: pa.Table
) -> pa.Table:
    """golden_id, name, customer_type of customers, as far as their records are given."""
    made = survivorship.in_parts(staged, crosswalk, deployment.policy, overrides)
    columns = ["golden_id", "name", "customer_type"]
    empty = survivorship.GOLDEN_SCHEMA.empty_table().select(columns)
    return pa.concat_tables([empty, *(part.golden.select(columns) for part in made)])


def _identity(
    deployment: Deployment, taken_in: TakenIn, base: PublishedIdentity, now: pa.Table
) -> tuple[Identity, pa.Array | None, pa.Array]:
    """The lasting ids, the records whose clusters changed, and those whose content did.

    No clusters (None) if it can be any.
    """
    last = taking.last(deployment.warehouse)
    if (
        last is not None
        and last.rest == taken_in.rest
        and lake.has(deployment.lake, "clusters", last.clusters)
    ):
        changed = changes.since(deployment, last.staged)
        before = matching.grouped(deployment, last.clusters)
        if changed is not None:
            others = pc.unique(pa.concat_arrays([changed.new, changed.stale]))
            touched = identity.touched_records(before, now, others)
            if len(touched) <= changes.MOST * now.num_rows:
                found = identity.reassign(
                    now, base.crosswalk, base.next_number, base.former, touched
                )
                return found, touched, changed.new
    found = identity.assign(now, base.crosswalk, base.live, base.next_number, base.former)
    return found, None, pa.array([], pa.string())


def _part(
    deployment: Deployment,
    base: PublishedIdentity,
    assigned: Identity,
    touched: pa.Array | None,
    changed: pa.Array,
    retired: Mapping[str, str | None],
) -> tuple[set[str] | None, pa.Array | None]:
    """Published customers that can be others now, and the records they hold now or held.

    Those of touched and of changed records, and all for which a value was ever pinned, whether
    that is in force or not: there are few.
    """
    if touched is None:
        return None, None
    pinned = {
        identity.resolve(one, dict(retired))
        for one in decisions.ever_overridden(deployment.warehouse)
    }
    crosswalk = assigned.crosswalk
    own = identity.of_records(crosswalk, changed)["golden_id"]
    ids = pa.array(sorted({*own.to_pylist(), *(one for one in pinned if one)}), pa.string())
    held = crosswalk.filter(pc.is_in(crosswalk["golden_id"], value_set=ids))["record_id"]
    records = pa.chunked_array([touched, *held.chunks], pa.string()).unique()
    inside = identity.of_records(base.crosswalk, records)
    return {*inside["golden_id"].to_pylist()}, records


def _with_other_evidence(
    deployment: Deployment, found: str, records: pa.Array | None
) -> pa.Array | None:
    """Records of which evidence can be other than it is stored; None: all can.

    Args:
        found: fingerprint of the clusters.
        records: of :func:`_part`.
    """
    last = taking.last(deployment.warehouse)
    if records is None or last is None:
        return None
    paired = matching.in_changed_pairs(deployment, last.clusters, found)
    if paired is None:
        return None
    judged = pa.array(taking.records_since(deployment.warehouse, last.decided), pa.string())
    return pc.unique(pa.concat_arrays([records, paired, judged]))


def _looked_at(deployment: Deployment, every: cases.Cases, records: pa.Array) -> cases.Cases:
    """The cases that can need other evidence than is stored: on these records, and new ones."""
    known = list(case_tables.evidence_hashes(deployment.warehouse))
    on = every.members.filter(pc.is_in(every.members["record_id"], value_set=records))
    new = pc.invert(pc.is_in(every.cases["case_id"], value_set=pa.array(known, pa.string())))
    wanted = pc.or_(pc.is_in(every.cases["case_id"], value_set=pc.unique(on["case_id"])), new)
    ids = pc.unique(every.cases.filter(wanted)["case_id"])
    tables = (every.cases, every.members, every.pairs)
    return cases.Cases(*(one.filter(pc.is_in(one["case_id"], value_set=ids)) for one in tables))
