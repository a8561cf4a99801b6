"""What must hold between the stages, counted from what is stored."""

import logging
from dataclasses import asdict

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import fingerprint, lake
from pipelines.report import Computed
from pipelines.stages import changes, matching
from pipelines.stages.deployment import Deployment
from pipelines.stages.matching import pair_decisions
from pipelines.stages.publishing import looked_at
from rules import suites
from rules.suites import Check
from warehouse import publish as publishing
from warehouse import staged_records, sync_runs

log = logging.getLogger("onefold.refresh")

READABLE = "sources_readable"
"""Name of the check that says which files in sources/ cannot be used."""


def accounting(deployment: Deployment) -> list[Check]:
    """No record is lost: rows in the snapshot = staged + quarantined, per source.

    Three counts that come about apart: rows of the snapshot's file, what the
    sync says it kept out, and rows that are in staged_customer now.
    """
    live = staged_records.sources(deployment.warehouse)
    checks = []
    for source in sorted({*deployment.sources, *deployment.broken, *live}):
        good = sync_runs.last_sync(deployment.warehouse, source)
        if good is None:
            continue
        read = good.rows_read
        if good.snapshot and (deployment.lake / good.snapshot).is_file():
            read = pq.read_metadata(deployment.lake / good.snapshot).num_rows
        missing = read - live.get(source, 0) - good.rows_quarantined
        checks.append(
            Check(
                name=f"no_record_lost_{source}",
                passed=missing == 0,
                severity="error",
                blocking=True,
                evaluated=read,
                failed=abs(missing),
                description=f"{source}: {read} rows read = {live.get(source, 0)} staged"
                f" + {good.rows_quarantined} in quarantine.",
            )
        )
    return checks


def canonical(deployment: Deployment) -> list[Check]:
    """The canonical model's rules on all staged records together.

    Their outcome is kept in the lake: records that kept the rules and are as they were are not
    checked again. That no record id occurs twice is the table's own rule.
    """
    staged, code = changes.noted(deployment), fingerprint.of_code("rules")
    name = fingerprint.of(staged, code)
    if not lake.has(deployment.lake, "canonical_checks", name):
        records = _unchecked(deployment, code)
        log.info("quarantine: checking %s staged records", f"{records.num_rows:,}")
        found = [asdict(check) for check in suites.validate_canonical(records)]
        note = {"basis": code, "staged": staged}
        table = pa.Table.from_pylist(found)
        lake.write(deployment.lake, "canonical_checks", name, table, note)
        lake.forget(deployment.lake, {"canonical_checks": name})
    rows = lake.read(deployment.lake, "canonical_checks", name).to_pylist()
    return [Check(**row) for row in rows]


def _unchecked(deployment: Deployment, code: str) -> pa.Table:
    """The staged records that are not known to keep the rules."""
    for name, note in changes.bases(deployment, "canonical_checks", code):
        passed = lake.read(deployment.lake, "canonical_checks", name)["passed"]
        changed = changes.since(deployment, note["staged"])
        if changed is not None and changed.share <= changes.MOST and pc.all(passed).as_py():
            return changes.records(deployment, changed)
    return deployment.staged()


def orphans(deployment: Deployment) -> Check:
    """Sources that have records, but no YAML file any more."""
    live = staged_records.source_names(deployment.warehouse)
    known = {*deployment.sources, *deployment.broken}
    lost = {}
    if not known.issuperset(live):
        counts = staged_records.sources(deployment.warehouse)
        lost = {name: count for name, count in counts.items() if name not in known}
    return Check(
        name="sources_declared",
        passed=not lost,
        severity="warning",
        blocking=False,
        evaluated=len(live),
        failed=len(lost),
        description=" ".join(
            f"sources/{name}.yml is gone; its {count} records stay." for name, count in lost.items()
        )
        or "Every source that has records is declared.",
    )


def declarations(deployment: Deployment) -> Check:
    """Files in sources/ that cannot be used."""
    return Check(
        name=READABLE,
        passed=not deployment.broken,
        severity="warning",
        blocking=False,
        evaluated=len(deployment.sources) + len(deployment.broken),
        failed=len(deployment.broken),
        description=" ".join(map(str, deployment.broken.values()))
        or "Every file in sources/ can be used.",
    )


def clustering_checks(deployment: Deployment, report: Computed) -> list[Check]:
    """Every staged record is in one cluster, and decisions hold.

    Args:
        deployment: the opened home.
        report: what clusters returned.
    """
    table = matching.grouped(deployment, report.fingerprint)
    noted = changes.noted(deployment)
    staged_ids = lake.read(deployment.lake, "records", noted, ["record_id"])["record_id"]
    decided = pair_decisions(deployment)
    ends = pa.concat_arrays([decided[n].combine_chunks() for n in ("left_id", "right_id")])
    named = table.filter(pc.is_in(table["record_id"], value_set=ends))
    cluster_of = dict(
        zip(named["record_id"].to_pylist(), named["cluster_id"].to_pylist(), strict=True)
    )
    broken = sum(
        (cluster_of[row["left_id"]] == cluster_of[row["right_id"]]) != (row["kind"] == "link")
        for row in decided.to_pylist()
        if row["left_id"] in cluster_of and row["right_id"] in cluster_of
    )
    return [
        _invariant(
            "each_record_once",
            len(staged_ids),
            _unlike(staged_ids, table["record_id"]),
            "Every staged record is in exactly one cluster.",
        ),
        _invariant(
            "decisions_hold",
            decided.num_rows,
            broken,
            "Records a steward linked are together, those set apart are apart.",
        ),
    ]


def _invariant(name: str, evaluated: int, failed: int, description: str) -> Check:
    return Check(name, failed == 0, "error", True, evaluated, failed, description)


def published_checks(deployment: Deployment) -> list[Check]:
    """Every staged record is in exactly one golden customer, by what is in the warehouse.

    After a publish of some customers, their records are looked for and all others counted; a
    refresh that publishes nothing looks for all.
    """
    staged, wrong = publishing.unlike_staged(deployment.warehouse, looked_at(deployment))
    return [
        _invariant(
            "each_record_has_a_customer",
            staged,
            wrong,
            "Every staged record is in exactly one golden customer.",
        )
    ]


def _unlike(staged: pa.ChunkedArray, found: pa.ChunkedArray) -> int:
    """Records that are staged or found, but not both, and those found more than once."""
    if found.equals(staged):  # whose ids are there once each
        return 0
    distinct = pc.unique(found)
    both = pc.sum(pc.is_in(distinct, value_set=staged)).as_py() or 0
    return len(staged) - both + len(distinct) - both + len(found) - len(distinct)
