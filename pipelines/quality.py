"""``golden_customer`` and ``quarantine`` → ``data_quality``: how good every source is."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from pipelines import stages
from pipelines.checks import WARNING, check_result
from pipelines.naming import asset_name
from pipelines.resources import Home
from warehouse.outcomes import DATA_DOCS, FIRST_PAGE
from warehouse.quality import Measure, together
from warehouse.quality_policy import MEASURES, OF_RECORDS


@dg.asset(
    deps=["golden_customer", "quarantine"],
    group_name="golden",
    kinds={"table"},
    check_specs=[
        dg.AssetCheckSpec(name, asset="data_quality", description=description)
        for name, description in WARNING["data_quality"].items()
    ],
)
def data_quality(home: Home) -> dg.MaterializeResult:
    """Shares of records and values that are as they should be, by source, field and day."""
    with home.working() as deployment:
        measured = stages.measure(deployment)
        docs = deployment.settings.home / DATA_DOCS / FIRST_PAGE
    check = measured.check()
    return dg.MaterializeResult(
        metadata={
            "figures_written": measured.written,
            "below_target": len(measured.below),
            **_plotted(measured.figures),
            "shares": _table(measured.figures),
            "data_docs": _linked(docs),
        },
        check_results=[check_result(check.name, [check])],
    )


def _linked(docs: Path) -> dg.MetadataValue:
    """Great Expectations' Data Docs, or how to have them: no refresh makes them."""
    if docs.is_file():
        return dg.MetadataValue.path(docs)
    return dg.MetadataValue.text("onefold quality --data-docs")


def _plotted(figures: Sequence[Measure]) -> dict[str, float]:
    """One number per source and measure, all fields together, for Dagster's plots."""
    shares = sorted(together(figures).items())
    return {
        f"{asset_name(source)}/{measure}": round(share, 4) for (source, measure), share in shares
    }


def _table(figures: Sequence[Measure]) -> dg.MarkdownMetadataValue:
    shares = {(one.source, one.field, one.measure): one.share for one in figures}
    rows = sorted({(one.source, one.field) for one in figures})
    of_fields = [name for name in MEASURES if name not in OF_RECORDS]
    lines = [
        f"| source | field | {' | '.join((*OF_RECORDS, *of_fields))} |",
        f"|---|---|{'---|' * len(MEASURES)}",
    ]
    for source, field in rows:
        found = [shares.get((source, field, name)) for name in (*OF_RECORDS, *of_fields)]
        told = " | ".join("" if one is None else f"{one:.1%}" for one in found)
        lines.append(f"| {source} | {field} | {told} |")
    return dg.MetadataValue.md("\n".join(lines))
