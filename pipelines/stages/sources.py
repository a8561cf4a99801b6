"""Source → raw → staged and quarantine, one source at a time.

A source that is declared wrongly, or cannot be read or staged, is an outcome, not
an error: sync_run notes it once, and its last good records stay in use.
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from connectors import snapshot
from connectors.source import SourceConfig, extract, reread
from onefold.errors import ConfigError, SourceError, SourceHeld
from pipelines import fingerprint
from pipelines.report import Staged, Status, Synced
from pipelines.stages import restaging, withholding
from pipelines.stages.deployment import Deployment
from pipelines.stages.restaging import repairs_fingerprint
from rules.suites import Check
from warehouse import repairs as mending
from warehouse import staged as staging
from warehouse import sync_runs

log = logging.getLogger("onefold.refresh")


def sync(
    deployment: Deployment,
    source: str,
    *,
    last_try: bool = True,
    between: tuple[str, str] | None = None,
) -> Synced:
    """Read one source into the lake, if it changed since its last snapshot.

    A source that is declared wrongly, cannot be read or lost too many rows is no
    error here: the outcome says so, sync_run notes it once, and its last good
    records stay.

    Args:
        deployment: the opened home.
        source: the source's name.
        last_try: whether a source that does not answer counts as failed now.
        between: read only this range of its cursor again, the end excluded.

    Raises:
        SourceError: a transient one, unless this is the last try.
    """
    began, started_at = time.monotonic(), datetime.now(UTC)
    log.info("raw/%s: reading", source)
    previous = snapshot.latest(deployment.lake, source)
    try:
        if source in deployment.broken:
            raise deployment.broken[source]
        config = deployment.sources[source]
        withhold = withholding.hook(deployment, config, previous)
        if between and previous:
            found = reread(config, deployment.lake, previous, *between, withhold)
        else:
            found = extract(config, deployment.lake, previous, withhold)
    except (SourceError, ConfigError) as error:
        if isinstance(error, SourceError) and error.transient and not last_try:
            raise
        status: Status = "held" if isinstance(error, SourceHeld) else "failed"
        _note_failure(deployment, source, status, error, started_at)
        return Synced(
            source=source,
            status=status,
            message=str(error),
            error=type(error).__name__,
            sync_id=previous.sync_id if previous else "",
            read=previous.rows if previous else 0,
            held=error.gone if isinstance(error, SourceHeld) else 0,
            seconds=time.monotonic() - began,
        )
    deployment.read_now.add(source)
    manifest = found.manifest
    if found.compared is not None and previous is not None:
        paths = snapshot.path_of(deployment.lake, previous), found.path
        deployment.kept[restaging.kept(source)] = paths, found.compared
    counts = found.counts
    log.info(
        "raw/%s: %s, %s rows, %s read, %s new, %s changed, %s deleted, %s withheld",
        source,
        found.status,
        *(
            f"{number:,}"
            for number in (
                manifest.rows,
                counts.read,
                counts.new,
                counts.changed,
                counts.deleted,
                found.withheld,
            )
        ),
    )
    skipped: Counter[str] = Counter()
    for one in manifest.skipped:
        skipped[one.what] += one.count
    return Synced(
        source=source,
        status=found.status,
        sync_id=manifest.sync_id,
        read=manifest.rows,
        fetched=counts.read,
        new=counts.new,
        changed=counts.changed,
        deleted=counts.deleted,
        withheld=found.withheld,
        skipped=dict(sorted(skipped.items())),
        notes=list(manifest.notes),
        key_basis=manifest.key_basis,
        seconds=time.monotonic() - began,
    )


def stage(deployment: Deployment, source: str, manifest: snapshot.Manifest | None = None) -> Staged:
    """Bring staged and quarantine to a snapshot of the source, in one transaction.

    Nothing is computed or written when they stand on the same snapshot, YAML,
    rules and repairs already. As in sync, a source that cannot be staged is an outcome.

    Args:
        deployment: the opened home.
        source: the source's name.
        manifest: of the snapshot; None: the newest.
    """
    began, started_at = time.monotonic(), datetime.now(UTC)
    good = sync_runs.last_sync(deployment.warehouse, source)
    if source in deployment.broken:
        error = deployment.broken[source]
        return _stands(source, good, "failed", str(error), began, type(error).__name__)
    config = deployment.sources[source]
    last = sync_runs.last_sync(deployment.warehouse, source, good=False)
    # A source that could be read again, though it is unchanged, is noted as good again.
    failed = last if last != good and source in deployment.read_now else None
    replayed = manifest is not None
    manifest = manifest or snapshot.latest(deployment.lake, source)
    if manifest is None:
        return _stands(source, good, "failed", "The source was never read.", began)
    repairs = mending.in_force(deployment.warehouse, source)
    depends_on = staging_fingerprint(
        deployment, config, manifest.model_dump(), repairs_fingerprint(repairs)
    )
    if good is not None and good.fingerprint == depends_on and failed is None:
        log.info("staged/%s: unchanged, %s records", source, f"{good.rows_staged:,}")
        return _stands(source, good, "unchanged", "", began)
    settings = _settings_fingerprint(deployment, config)
    failing = last is not None and last.status in ("failed", "held") and failed is None
    if good is not None and failing and (good.manifest or {}).get("settings") != settings:
        # The source was not read with these settings, so they are not tried on its records.
        log.info("staged/%s: kept, %s records", source, f"{good.rows_staged:,}")
        return _stands(source, good, "unchanged", "", began)
    try:
        again = restaging.plan(deployment, config, manifest, repairs, settings, good)
        log.info(
            "staged/%s: cleaning %s of %s rows", source, f"{again.rows:,}", f"{manifest.rows:,}"
        )
        before = sync_runs.content_fingerprint(deployment.warehouse)
        changes = staging.write(
            deployment.warehouse,
            source,
            again.parts(),
            sync_runs.Sync(
                sync_id=_staging_id(manifest, depends_on, good, failed, replayed=replayed),
                started_at=started_at,
                rows_read=manifest.rows,
                snapshot=again.path.relative_to(deployment.lake).as_posix(),
                content_hash=manifest.content_hash,
                key_basis=manifest.key_basis,
                fingerprint=depends_on,
                manifest=manifest.model_dump(mode="json"),
            ),
            again.rest,
            again.told,
        )
        if changes.looked_at is not None:
            now = sync_runs.content_fingerprint(deployment.warehouse)
            deployment.written[now] = (before, changes.looked_at)
    except (SourceError, ConfigError) as error:
        _note_failure(deployment, source, "failed", error, started_at)
        return _stands(source, good, "failed", str(error), began, type(error).__name__)
    if last is not None and failing:
        # Staged again for other rules only: that the source fails is still the last word on it.
        status: Literal["failed", "held"] = "held" if last.status == "held" else "failed"
        sync_runs.record_failure(deployment.warehouse, source, status, last.message or "")
    log.info(
        "staged/%s: %s records, %s added, %s changed, %s moved, %s deleted, %s kept out",
        source,
        *(
            f"{number:,}"
            for number in (
                changes.staged,
                changes.added,
                changes.changed,
                changes.moved,
                changes.deleted,
                changes.quarantined,
            )
        ),
    )
    return Staged(
        source=source,
        status="changed" if changes else "unchanged",
        sync_id=manifest.sync_id,
        read=manifest.rows,
        staged=changes.staged,
        quarantined=changes.quarantined,
        findings=changes.findings,
        added=changes.added,
        changed=changes.changed,
        deleted=changes.deleted,
        checks=again.checks,
        seconds=time.monotonic() - began,
    )


def _note_failure(
    deployment: Deployment, source: str, status: Status, error: Exception, started_at: datetime
) -> None:
    """Write a row of sync_run, unless the last one says the same already."""
    log.warning("%s: %s. %s", source, status, error)
    last = sync_runs.last_sync(deployment.warehouse, source, good=False)
    if last is None or (last.status, last.message) != (status, str(error)):
        sync_runs.record_failure(
            deployment.warehouse,
            source,
            "held" if status == "held" else "failed",
            str(error),
            started_at,
        )


def _stands(
    source: str,
    good: sync_runs.SyncRun | None,
    status: Status,
    message: str,
    began: float,
    error: str = "",
) -> Staged:
    """The report of a source whose staged records stay as they are."""
    seconds = time.monotonic() - began
    if good is None:
        return Staged(source, status, message, error, seconds=seconds)
    checks = (good.manifest or {}).get("checks", [])
    return Staged(
        source=source,
        status=status,
        message=message,
        error=error,
        sync_id=good.sync_id,
        read=good.rows_read,
        staged=good.rows_staged,
        quarantined=good.rows_quarantined,
        findings=good.findings,
        checks=[Check(**check) for check in checks],
        seconds=seconds,
    )


_NOT_STAGING = {
    "description", "owner", "url", "table", "query", "path", "layout", "schedule", "fresh_within",
    "hold_if_shrinks_by", "mode", "cursor", "overlap", "full_every", "changes", "deleted",
    "backfill_from", "removed_files", "raw_keep_days",
}  # fmt: skip
"""Settings of a source that say where and when to read, not what the records become."""


def staging_fingerprint(
    deployment: Deployment, config: SourceConfig, manifest: Mapping[str, Any], repairs: str
) -> str:
    """Of all that staged depends on.

    Args:
        manifest: of the snapshot, as plain values.
        repairs: fingerprint of the repairs in force.
    """
    return fingerprint.of(
        manifest["content_hash"],
        manifest["positions_hash"],
        _settings_fingerprint(deployment, config),
        fingerprint.of_code("connectors", "rules"),
        repairs,
    )


def _settings_fingerprint(deployment: Deployment, config: SourceConfig) -> str:
    """Of the settings of a source that say what its records become."""
    return fingerprint.of(
        config.model_dump(mode="json", exclude=_NOT_STAGING),
        config.country or deployment.settings.country,
    )


def _staging_id(
    manifest: snapshot.Manifest,
    depends_on: str,
    good: sync_runs.SyncRun | None,
    failed: sync_runs.SyncRun | None,
    *,
    replayed: bool,
) -> str:
    """Name of the sync: the snapshot's; with an addition when it was staged before.

    Other rules, a failure since then, or a replay make another row of sync_run.
    """
    if not replayed and (good is None or not good.sync_id.startswith(manifest.sync_id)):
        return manifest.sync_id
    before = good.sync_id if replayed and good else None
    return f"{manifest.sync_id}-{fingerprint.of(depends_on, failed and failed.sync_id, before)[:8]}"
