"""Staging again what the lake has kept: a source's snapshots, in order.

What belongs here: which snapshots, and staging one after another. Nothing is read from
the source.
"""

from datetime import UTC, datetime

from connectors import snapshot
from connectors.snapshot import Manifest
from onefold.errors import ConfigError
from pipelines.report import Staged
from pipelines.stages.deployment import Deployment
from pipelines.stages.sources import stage


def replay(
    deployment: Deployment, source: str, since: str = "", until: str = ""
) -> list[tuple[Manifest, Staged]]:
    """Stage a source's snapshots again, the oldest first.

    Each step is a sync of its own to staged and quarantine: sync_run gets a row, records come,
    change and go, findings are opened and closed, as they did or, by today's rules and
    settings, would have. All of it is dated now; the golden table and its history are not
    touched: the next publish compares the end with what is published.

    Args:
        deployment: the opened home.
        source: the source's name.
        since: the first snapshot, by its sync's id or the beginning of it, or a day or moment
            (UTC) from which on; '': the oldest.
        until: the last one, likewise; '': the newest. After an older one staged stands there
            until the source is staged again.

    Returns:
        every snapshot and what became of it; a failed one is the last.

    Raises:
        ConfigError: there is no such source, or no snapshot in the range.
    """
    if source not in deployment.sources:
        raise deployment.broken.get(source) or ConfigError(
            source, "there is no such source", found=", ".join(deployment.sources) or "none"
        )
    kept = snapshot.kept(deployment.lake, source)
    first, last = _place(kept, since, 0), _place(kept, until, len(kept) - 1)
    chosen = kept[first : last + 1]
    if not chosen:
        raise ConfigError(
            f"source {source}",
            "no snapshot lies in this range",
            found=f"{len(kept)} snapshots"
            + (f", {kept[0].sync_id} to {kept[-1].sync_id}" if kept else ""),
            do="Name one of them, or a day.",
        )
    done: list[tuple[Manifest, Staged]] = []
    for manifest in chosen:
        done.append((manifest, stage(deployment, source, manifest)))
        if not done[-1][1].good:
            break
    return done


def _place(kept: list[Manifest], text: str, otherwise: int) -> int:
    """Where a snapshot stands: the one that is named, the first or last by a moment."""
    if not text:
        return otherwise
    named = [place for place, one in enumerate(kept) if one.sync_id.startswith(text)]
    if named:
        return named[0] if otherwise == 0 else named[-1]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            text,
            "this is neither a sync nor a day",
            found=", ".join(one.sync_id for one in kept[-3:]) or "no snapshot",
            do="Write a sync's id, or a day as 2026-10-31.",
        ) from None
    whole_day = len(text) == len("2026-10-31")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    begun = [snapshot.began_at(one.sync_id) for one in kept]
    if otherwise == 0:
        return sum(at < moment for at in begun)
    if whole_day:
        return sum(at.date() <= moment.date() for at in begun) - 1
    return sum(at <= moment for at in begun) - 1
