"""What is kept of how a sync and a publish went, for the status, the alerts and the pages."""

from pipelines.report import SourceReport, Staged, Synced
from pipelines.stages.deployment import Deployment
from warehouse import outcomes, staged_records
from warehouse.outcomes import GoldenOutcome, SourceOutcome


def note_source(deployment: Deployment, synced: Synced | None, staged: Staged) -> SourceOutcome:
    """Keep how a source's sync went, from reading to staging.

    Args:
        deployment: the opened home.
        synced: of the same run; None where the source was not read in it.
        staged: what staging said.

    Returns:
        the outcome, with its moments.
    """
    report = SourceReport.of(synced, staged)
    home = deployment.settings.home
    before = outcomes.read(home).sources.get(report.source)
    read = deployment.seen.get(report.source, "") if synced and synced.good else ""
    if before and before.newest_at and staged.status == "unchanged":
        newest = before.newest_at
    else:
        moment = staged_records.newest(deployment.warehouse, report.source)
        newest = moment.isoformat() if moment else ""
    outcome = SourceOutcome(
        status=report.status,
        message=report.message,
        read=report.read,
        staged=report.staged,
        quarantined=report.quarantined,
        findings=report.findings,
        added=report.added,
        changed=report.changed,
        deleted=report.deleted,
        newest_at=newest,
        fresh_for=_fresh_for(deployment, report.source, before),
        files=read or (before.files if before else ""),
    )
    return outcomes.note_source(home, report.source, outcome)


def _fresh_for(deployment: Deployment, source: str, before: SourceOutcome | None) -> int:
    """Seconds; of a source that is declared wrongly what was known before."""
    if source not in deployment.sources:
        return before.fresh_for if before else 0
    length = deployment.sources[source].fresh_for
    return int(length.total_seconds()) if length else 0


def note_golden(deployment: Deployment, held: str = "") -> None:
    """Keep that the golden table is up to date with the staged records, or why it is held back."""
    outcome = GoldenOutcome("held", held) if held else GoldenOutcome("published")
    outcomes.note_golden(deployment.settings.home, outcome)
