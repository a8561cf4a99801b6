"""``clusters`` → ``golden_customer`` and the tables published with it."""

import dagster as dg

from dedupe.survivorship import GOLDEN_SCHEMA
from onefold.errors import PublishHeld
from pipelines import previews, stages
from pipelines.checks import AFTER_PUBLISH, GATE, check_result
from pipelines.report import as_plain
from pipelines.resources import Home

SHOWN = previews.harmless(GOLDEN_SCHEMA.names)


@dg.asset(
    deps=["clusters"],
    group_name="golden",
    kinds={"table"},
    metadata={"dagster/column_schema": previews.schema(GOLDEN_SCHEMA)},
    check_specs=[
        dg.AssetCheckSpec(
            GATE,
            asset="golden_customer",
            description="The publish changes no more than the budgets of gate: in onefold.yml.",
            blocking=True,
        ),
        *(
            dg.AssetCheckSpec(name, asset="golden_customer", description=description)
            for name, description in AFTER_PUBLISH.items()
        ),
    ],
)
def golden_customer(home: Home) -> dg.MaterializeResult:
    """One row per customer, published in one transaction with crosswalk, history and lineage."""
    with home.working() as deployment:
        try:
            report = stages.publish(deployment)
        except PublishHeld as error:
            report = stages.held_back(deployment, str(error))
        sample = stages.golden_sample(deployment, SHOWN)
        checks = stages.published_checks(deployment)
        stages.note_golden(deployment, report.held)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": report.golden,
            **as_plain(report),
            "preview": previews.preview(sample, SHOWN),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=GATE,
                passed=not report.held,
                severity=dg.AssetCheckSeverity.ERROR,
                description=report.held or None,
            ),
            *(check_result(check.name, [check]) for check in checks),
        ],
    )
