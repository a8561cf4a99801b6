"""``source/<name>``: the systems that records come from, left of everything else.

Dagster runs nothing for them; each staging reports how the sync went: a good one
as a materialization, which is what the freshness policy counts, any other as an
observation. A source that is watched by its files is materialized, too, when its
sensor finds them to be those that were read. So the page of a source shows when it
was last read and whether that is late, and plots what came of it: rows new, changed,
deleted and held, share kept out, lag.
"""

from datetime import datetime

import dagster as dg

from connectors import file_state
from connectors.source import SourceConfig
from onefold.errors import ConfigError
from pipelines.jobs import sync_job_name
from pipelines.naming import asset_name
from warehouse.health import UNREAD_WITHIN
from warehouse.outcomes import SourceOutcome

_SAME = {"dagster/data_version": "INITIAL"}
"""One data version for ever: no sync of a source makes another asset 'unsynced', not even the
first, before which Dagster takes a source to have this one."""
_KINDS = {"mssql": "sqlserver", "spreadsheet": "excel", "delimited": "csv", "fixed_width": "text"}
"""What Dagster's page has another name and a picture for."""
_MAIL = "@"


def source_key(source: str) -> dg.AssetKey:
    """Key of the asset that stands for the source itself."""
    return dg.AssetKey(["source", asset_name(source)])


def source_spec(
    source: str, declared: SourceConfig | ConfigError, time_zone: str = "UTC"
) -> dg.AssetSpec:
    """The asset ``source/<name>``.

    Args:
        source: its name.
        declared: its settings, or what is wrong with them.
        time_zone: in which its schedule is meant.
    """
    key = source_key(source)
    if isinstance(declared, ConfigError):
        return dg.AssetSpec(
            key, group_name="source", description=f"Source {source} is declared wrongly. {declared}"
        )
    fresh_for = UNREAD_WITHIN if file_state.is_watched(declared) else declared.fresh_for
    about = declared.description or f"Source {source}."
    return dg.AssetSpec(
        key,
        group_name="source",
        kinds={kind(declared)},
        description=f"{about}\n\n{_when(declared, time_zone)}",
        owners=_owners(declared.owner),
        tags={"onefold/source": asset_name(source)},
        metadata={
            "source": source,
            "declared_in": declared.file,
            **({"schedule": declared.schedule} if declared.schedule else {}),
            **({"server": declared.server} if declared.server else {}),
            **({"key": ", ".join(declared.key)} if declared.key else {}),
        },
        freshness_policy=(
            dg.FreshnessPolicy.time_window(fail_window=fresh_for) if fresh_for else None
        ),
    )


def kind(config: SourceConfig) -> str:
    """What Dagster's page shows a picture of: the database, or the kind of file."""
    name: str = config.connector
    if name == "sql" and config.url:
        name = config.url.split(":", 1)[0].split("+", 1)[0]
    return _KINDS.get(name, name)


def event(source: str, outcome: SourceOutcome) -> dg.AssetMaterialization | dg.AssetObservation:
    """What is told of a sync: materialized if it was good, else only observed."""
    metadata = _metadata(outcome)
    if outcome.good:
        return dg.AssetMaterialization(source_key(source), metadata=metadata, tags=_SAME)
    return dg.AssetObservation(source_key(source), metadata=metadata)


def confirmation(source: str, files: int) -> dg.AssetMaterialization:
    """What is told when a source's files were found to be those that the last good sync read."""
    metadata: dict[str, dg.MetadataValue] = {
        "status": dg.MetadataValue.text("unchanged files"),
        "files": dg.MetadataValue.int(files),
    }
    return dg.AssetMaterialization(source_key(source), metadata=metadata, tags=_SAME)


def _metadata(outcome: SourceOutcome) -> dict[str, dg.MetadataValue]:
    found: dict[str, dg.MetadataValue] = {
        "status": dg.MetadataValue.text(outcome.status),
        "dagster/row_count": dg.MetadataValue.int(outcome.read),
        "records": dg.MetadataValue.int(outcome.staged),
        "rows_new": dg.MetadataValue.int(outcome.added),
        "rows_changed": dg.MetadataValue.int(outcome.changed),
        "rows_deleted": dg.MetadataValue.int(outcome.deleted),
        "rows_held": dg.MetadataValue.int(outcome.quarantined),
        "findings": dg.MetadataValue.int(outcome.findings),
    }
    if outcome.message:
        found["message"] = dg.MetadataValue.text(outcome.message)
    if outcome.read:
        share = 100 * outcome.quarantined / outcome.read
        found["quarantine_percent"] = dg.MetadataValue.float(round(share, 3))
    if outcome.good_at:
        at = datetime.fromisoformat(outcome.good_at)
        found["last_good_sync"] = dg.MetadataValue.timestamp(at)
        if outcome.newest_at:
            lag = at - datetime.fromisoformat(outcome.newest_at)
            hours = max(0.0, lag.total_seconds() / 3600)
            found["lag_hours"] = dg.MetadataValue.float(round(hours, 2))
    return found


def _when(config: SourceConfig, time_zone: str) -> str:
    job = sync_job_name(config.name)
    ways = [f"by the schedule {config.schedule} ({time_zone})"] if config.schedule else []
    ways += ["when its files change"] if config.path else []
    ways += ["by hand or with the job refresh"] if not ways else []
    return f"Synced {' and '.join(ways)}: job {job}."


def _owners(owner: str) -> list[str]:
    """Who answers for the source, as Dagster wants it: an address, or a team."""
    if not owner:
        return []
    return [owner if _MAIL in owner else f"team:{owner.removeprefix('team:')}"]
