"""``staged/*`` → ``candidates`` → ``scored_pairs`` → ``clusters``, tables of the lake."""

from collections.abc import Sequence

import dagster as dg
import pyarrow as pa

from pipelines import previews, stages
from pipelines.checks import BLOCKING, check_result
from pipelines.naming import asset_name
from pipelines.report import Computed, as_plain
from pipelines.resources import Home
from rules.suites import Check


def _result(
    report: Computed, table: pa.Table, shown: list[str], checks: Sequence[Check] = ()
) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": report.rows,
            **as_plain(report),
            "dagster/column_schema": previews.schema(table.schema),
            "preview": previews.preview(table.to_pylist(), shown),
        },
        check_results=[check_result(check.name, [check]) for check in checks],
    )


def candidates_asset(sources: list[str]) -> dg.AssetsDefinition:
    """The asset ``candidates``."""

    @dg.asset(
        name="candidates",
        deps=["quarantine", *(dg.AssetKey(["staged", asset_name(source)]) for source in sources)],
        group_name="matching",
        kinds={"parquet", "duckdb"},
    )
    def candidates(home: Home) -> dg.MaterializeResult:
        """Pairs of records that share a blocking key and are worth comparing."""
        with home.working() as deployment:
            report = stages.candidates(deployment)
            return _result(report, stages.sample(deployment, report), ["found_by"])

    return candidates


@dg.asset(deps=["candidates"], group_name="matching", kinds={"parquet"})
def scored_pairs(home: Home) -> dg.MaterializeResult:
    """Every candidate pair with its comparison levels, weight in bits and probability."""
    shown = ["found_by", "veto", "weight_bits", "probability"]
    with home.working() as deployment:
        report = stages.scored_pairs(deployment)
        return _result(report, stages.sample(deployment, report), shown)


@dg.asset(
    deps=["scored_pairs"],
    group_name="matching",
    kinds={"parquet"},
    check_specs=[
        dg.AssetCheckSpec(name, asset="clusters", description=description, blocking=True)
        for name, description in BLOCKING["clusters"].items()
    ],
)
def clusters(home: Home) -> dg.MaterializeResult:
    """Records held to be one customer, and what a steward should look at."""
    with home.working() as deployment:
        report = stages.clusters(deployment)
        checks = stages.clustering_checks(deployment, report)
        return _result(report, stages.sample(deployment, report), [], checks)
