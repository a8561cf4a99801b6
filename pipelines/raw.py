"""Source → ``raw/<source>``: one asset per source, made by a factory.

A source that cannot be read does not fail the run: its check ``synced`` fails
and says why, and everything after it goes on with its last good records.
"""

import dagster as dg

from connectors import file_state
from connectors.source import SourceConfig
from onefold.errors import ConfigError, SourceError
from pipelines import resources, stages
from pipelines.checks import SOURCE_CHECKS
from pipelines.naming import asset_name
from pipelines.report import Synced, as_plain
from pipelines.resources import Home
from pipelines.source import source_key

TRIES = 3
"""How often an unreachable source is tried in one run."""


def raw_asset(source: str, declared: SourceConfig | ConfigError) -> dg.AssetsDefinition:
    """The asset ``raw/<source>``: the newest good snapshot in the lake.

    Args:
        source: its name.
        declared: its settings, or what is wrong with them; then every run says so.
    """
    key = dg.AssetKey(["raw", asset_name(source)])
    server = None if isinstance(declared, ConfigError) else declared.server
    if isinstance(declared, ConfigError):
        description = f"Source {source} is declared wrongly. {declared}"
    else:
        description = f"Source {source} as text, exactly as read: an immutable snapshot."

    @dg.asset(
        key=key,
        deps=[source_key(source)],
        group_name="raw",
        pool=server and f"server:{server}",
        kinds={"parquet"},
        description=description,
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, description=description)
            for name, description in SOURCE_CHECKS["raw"].items()
        ],
    )
    def raw(context: dg.AssetExecutionContext, home: Home) -> dg.MaterializeResult:
        with home.working() as deployment:
            if isinstance(declared, SourceConfig):
                deployment.seen[source] = file_state.name(declared)
            try:
                synced = stages.sync(deployment, source, last_try=context.retry_number >= TRIES - 1)
            except SourceError as error:
                context.log.warning(f"{error} Trying again.")
                raise dg.RetryRequested(
                    max_retries=TRIES - 1,
                    seconds_to_wait=resources.RETRY_SECONDS * 2**context.retry_number,
                ) from error
            deployment.synced[source] = synced
        return dg.MaterializeResult(
            metadata={"dagster/row_count": synced.read, **as_plain(synced)},
            check_results=[
                dg.AssetCheckResult(
                    check_name="synced",
                    passed=synced.good,
                    severity=dg.AssetCheckSeverity.ERROR,
                    description=synced.message or _said(synced),
                )
            ],
        )

    return raw


def _said(synced: Synced) -> str:
    """How a good sync went, and what its connector found worth saying."""
    notes = "".join(f" {note[:1].upper()}{note[1:]}." for note in synced.news)
    return f"{synced.read} rows, {synced.status}.{notes}"
