"""How long raw snapshots are kept: ``raw_keep_days``, of the home or of a source.

What belongs here: which snapshots are too old, and removing them. A snapshot says how its
source stood until the next one began, so it is that old. The newest one, and the one that
staged records stand on, stay whatever their age; every day within the time that is kept can
be staged again (``onefold replay``).
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors import snapshot
from pipelines.stages.deployment import Deployment
from warehouse import staged_records, sync_runs


def days(deployment: Deployment, source: str) -> int | None:
    """How long a source's snapshots are kept; None: for ever."""
    config = deployment.sources.get(source)
    if config is not None and config.raw_keep_days is not None:
        return config.raw_keep_days
    return deployment.keys.policy.raw_keep_days


def too_old(deployment: Deployment, now: datetime | None = None) -> dict[str, list[Path]]:
    """Snapshots that were superseded longer ago than is kept, by source, the oldest first.

    Of a source that is declared no more and has no staged record the newest one counts, too.

    Raises:
        ConfigError: section ``privacy`` cannot be understood.
    """
    now = now or datetime.now(UTC)
    place = deployment.lake / "raw"
    live = set(staged_records.source_names(deployment.warehouse))
    known = {*deployment.sources, *deployment.broken, *live}
    found: dict[str, list[Path]] = {}
    for folder in sorted(place.iterdir()) if place.is_dir() else ():
        keep = days(deployment, folder.name) if folder.is_dir() else None
        if keep is None:
            continue
        limit = now - timedelta(days=keep)
        paths = sorted(folder.glob("*.parquet"))
        begun = [snapshot.began_at(path.stem) for path in paths]
        ended = [*begun[1:], None if folder.name in known else begun[-1]] if paths else []
        stands = _standing(deployment, folder.name)
        old = [
            path
            for path, end in zip(paths, ended, strict=True)
            if end is not None and end < limit and path != stands
        ]
        if old:
            found[folder.name] = old
    return found


def _standing(deployment: Deployment, source: str) -> Path | None:
    """The snapshot that the source's staged records stand on."""
    run = sync_runs.last_sync(deployment.warehouse, source)
    return deployment.lake / run.snapshot if run is not None and run.snapshot else None


def prune(deployment: Deployment, now: datetime | None = None) -> dict[str, int]:
    """Remove snapshots that are too old, and what stands beside them.

    Returns:
        source → how many.

    Raises:
        ConfigError: section ``privacy`` cannot be understood.
    """
    found = too_old(deployment, now)
    for paths in found.values():
        for path in paths:
            for beside in path.parent.glob(f"{path.stem}.*"):
                beside.unlink()
    return {source: len(paths) for source, paths in found.items()}
