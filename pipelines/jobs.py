"""What can be run: everything, or one source with all that follows from it."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from pipelines.naming import asset_name

REFRESH = "refresh"
"""The job of every asset."""

APPLY = "apply_decisions"
"""The job that brings decisions into the golden table, without a sync."""

TIMEOUT_SECONDS = 6 * 60 * 60
"""A run that takes longer than this has hung and is ended by the daemon."""

SOURCE_TAG = "onefold/source"
"""Tag of runs that sync one source, by its name; the page lists all runs of it."""

_TAGS = {"dagster/max_runtime": str(TIMEOUT_SECONDS)}


def sync_job_name(source: str) -> str:
    """Name of the job that syncs one source."""
    return f"sync_{asset_name(source)}"


def all_jobs(sources: Sequence[str]) -> list[Any]:
    """``refresh``, ``apply_decisions`` and one ``sync_<source>`` per source."""
    return [
        dg.define_asset_job(
            REFRESH,
            selection=dg.AssetSelection.all(),
            description="Sync every source and publish the golden table.",
            tags=_TAGS,
        ),
        dg.define_asset_job(
            APPLY,
            selection=dg.AssetSelection.assets("clusters", "golden_customer"),
            description="Cluster again what new decisions touch, and publish.",
            tags=_TAGS,
        ),
        *(
            dg.define_asset_job(
                sync_job_name(source),
                selection=dg.AssetSelection.assets(
                    dg.AssetKey(["raw", asset_name(source)])
                ).downstream(),
                description=f"Sync source {source} and publish the golden table.",
                tags={**_TAGS, SOURCE_TAG: source},
            )
            for source in sources
        ),
    ]
