"""Clusters → golden_customer, published in one transaction."""

import logging
import time

import pyarrow as pa
import pyarrow.compute as pc

from dedupe import cases, identity, relations, survivorship
from pipelines import fingerprint, lake
from pipelines.report import PublishedReport
from pipelines.stages import case_evidence, matching
from pipelines.stages.deployment import Deployment
from warehouse import decisions
from warehouse import overrides as pinning
from warehouse import publish as publishing
from warehouse import staged as staging
from warehouse import taken_in as taking

log = logging.getLogger("onefold.refresh")


def publish(deployment: Deployment) -> PublishedReport:
    """Give clusters their lasting ids, choose golden values, publish in one transaction.

    Then tables of older fingerprints leave the lake.

    Raises:
        DecisionConflict: stewards' decisions in force contradict each other.
        PublishError: the result would lose a record or misuse an id.
    """
    began = time.monotonic()
    decided = taking.decided(deployment.warehouse)
    found, _ = matching.have_clusters(deployment)
    overrides = decisions.read(deployment.warehouse)
    overrides = overrides.filter(pc.equal(overrides["kind"], "override"))
    staged = staging.content_fingerprint(deployment.warehouse)
    rest = fingerprint.of(
        staged,
        deployment.policy.model_dump(mode="json"),
        fingerprint.of_code("rules", "dedupe", "warehouse"),
    )
    name = fingerprint.of(found, rest, overrides.to_pylist())
    taken_in = taking.TakenIn(decided.made, decided.revoked, staged, found, rest)
    published = publishing.standing(deployment.warehouse, name)
    if published is not None:
        taking.note(deployment.warehouse, taken_in)
    if published is None:
        log.info("golden_customer: choosing ids and values")
        base = publishing.read_identity(deployment.warehouse)
        assigned = identity.assign(
            lake.read(deployment.lake, "clusters", found),
            base.crosswalk,
            base.live,
            base.next_number,
            base.former,
        )
        retired = publishing.redirects(deployment.warehouse) | identity.as_dict(assigned.redirects)
        for golden_id in pc.unique(assigned.crosswalk["golden_id"]).to_pylist():
            retired.pop(golden_id, None)  # restored
        consolidated = survivorship.consolidate(
            deployment.staged(),
            assigned.crosswalk,
            deployment.policy,
            identity.follow(overrides, retired),
        )
        suggestions = lake.read(deployment.lake, "suggestions", found)
        names = {**matching.names(deployment), "clusters": found, "suggestions": found}
        doubtful = cases.make(
            suggestions,
            assigned.crosswalk,
            consolidated.golden,
            case_evidence.suggested_pairs(deployment, names),
        )
        evidence = case_evidence.of(
            deployment,
            names,
            doubtful,
            assigned.crosswalk,
            matching.pair_decisions(deployment),
            matching.saved_models(deployment),
        )
        moved = pinning.changed(
            deployment.warehouse, deployment.staged(), assigned.crosswalk, retired
        )
        pinned, told = pinning.as_cases(moved, consolidated.golden)
        log.info("golden_customer: publishing %s", f"{consolidated.golden.num_rows:,}")
        published = publishing.publish(
            deployment.warehouse,
            assigned,
            consolidated,
            suggestions,
            name,
            relations=relations.relate(deployment.staged(), assigned.crosswalk),
            cases=cases.joined(doubtful, pinned),
            evidence=pa.concat_tables([evidence, told]),
            base=base,
            taken_in=taken_in,
        )
    matching.forget(deployment, found)
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
        seconds=time.monotonic() - began,
    )
