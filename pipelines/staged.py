"""``raw/<source>`` → ``staged/<source>``, and ``quarantine`` over all sources.

Staged and quarantine are tables of the warehouse, written source by source in
one transaction each. ``quarantine`` reports on them and carries the checks
that hold everything after it back.
"""

import dagster as dg

from pipelines import previews, stages
from pipelines.checks import BLOCKING, SOURCE_CHECKS, WARNING, check_result, source_check
from pipelines.naming import asset_name
from pipelines.report import as_plain
from pipelines.resources import Home
from pipelines.source import event
from rules.customer import STAGED_SCHEMA
from rules.quarantine import QUARANTINE_SCHEMA

SHOWN = previews.harmless(STAGED_SCHEMA.names)


def staged_asset(source: str) -> dg.AssetsDefinition:
    """The asset ``staged/<source>``: its records cleaned, typed and checked."""
    name = asset_name(source)
    key = dg.AssetKey(["staged", name])

    @dg.asset(
        key=key,
        deps=[dg.AssetKey(["raw", name])],
        group_name="staged",
        kinds={"table"},
        description=f"Records of source {source}, cleaned and typed, with keys for matching.",
        metadata={"dagster/column_schema": previews.schema(STAGED_SCHEMA)},
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, description=description)
            for name, description in SOURCE_CHECKS["staged"].items()
        ],
    )
    def staged(context: dg.AssetExecutionContext, home: Home) -> dg.MaterializeResult:
        with home.working() as deployment:
            report = stages.stage(deployment, source)
            outcome = stages.note_source(deployment, deployment.synced.get(source), report)
            sample = stages.staged_sample(deployment, source, SHOWN)
        context.log_event(event(source, outcome))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.staged,
                **as_plain(report),
                "preview": previews.preview(sample, SHOWN),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="staged",
                    passed=report.good,
                    severity=dg.AssetCheckSeverity.ERROR,
                    description=report.message or f"{report.staged} records.",
                ),
                source_check(report),
            ],
        )

    return staged


def quarantine_asset(sources: list[str]) -> dg.AssetsDefinition:
    """The asset ``quarantine``: what was kept out, by source and rule."""

    @dg.asset(
        name="quarantine",
        deps=[dg.AssetKey(["staged", asset_name(source)]) for source in sources],
        group_name="staged",
        kinds={"table"},
        metadata={"dagster/column_schema": previews.schema(QUARANTINE_SCHEMA)},
        check_specs=[
            dg.AssetCheckSpec(name, asset="quarantine", description=description, blocking=True)
            for name, description in BLOCKING["quarantine"].items()
        ]
        + [
            dg.AssetCheckSpec(name, asset="quarantine", description=description)
            for name, description in WARNING["quarantine"].items()
        ],
    )
    def quarantine(home: Home) -> dg.MaterializeResult:
        """Values and records that failed a rule, with rule, reason and position."""
        with home.working() as deployment:
            rows = stages.quarantine_counts(deployment)
            accounting = stages.accounting(deployment)
            canonical = stages.canonical(deployment)
            warnings = [stages.orphans(deployment), stages.declarations(deployment)]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(int(row["findings"]) for row in rows),
                "by_rule": previews.preview(
                    rows, ["source", "field", "rule", "severity", "findings"]
                ),
            },
            check_results=[
                check_result("no_record_lost", accounting),
                check_result("canonical_model", canonical),
                *(check_result(check.name, [check]) for check in warnings),
            ],
        )

    return quarantine
