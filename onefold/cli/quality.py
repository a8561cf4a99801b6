"""``onefold quality``: how good the sources are, and what their owners should mend."""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.options import Home
from onefold.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from warehouse.quality import Measure
    from warehouse.quality_policy import QualityPolicy


_HEADINGS = {
    "completeness": "complete",
    "validity": "valid",
    "uniqueness": "unique",
    "timeliness": "timely",
    "consistency": "consistent",
}


def quality(
    home: Home = None,
    source: Annotated[
        str | None, typer.Option(help="This source, by field; else all of them, fields together.")
    ] = None,
    to_mend: Annotated[
        Path | None,
        typer.Option(help="Write the source's open findings to a file: .xlsx, .csv or .parquet."),
    ] = None,
    data_docs: Annotated[
        bool,
        typer.Option(
            "--data-docs",
            help="Make Great Expectations' Data Docs of all checks; the page Quality links them.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
) -> None:
    """Show how good every source is: shares of records and values that are as they should be."""
    from onefold import settings
    from onefold.cli.console import out
    from warehouse import engine, export, export_places, quality_policy, staged_records
    from warehouse import quality as figures

    found = settings.load(settings.find_home(home))
    policy = quality_policy.load(found.sections.get("quality"))
    with closing(engine.connect(found)) as warehouse:
        known = list(staged_records.sources(warehouse))
        if source is not None and source not in known:
            raise ConfigError(
                f"source {source}",
                "nothing of it was staged",
                found=", ".join(known) or "no source",
                do="Name one of these, or run 'onefold refresh' first.",
            )
        if to_mend is not None:
            if source is None:
                raise ConfigError("--to-mend", "of which source?", do="Add --source NAME.")
            where = str(to_mend.expanduser().resolve())
            export_places.note(found.home, export_places.TO_MEND, where, source)
            count = export.to_mend(warehouse, source, to_mend)
            out.print(f"{to_mend}: {count:,} findings")
            return
        if data_docs:
            from pipelines.stages import data_docs as making

            out.print(f"wrote {making.build(found, warehouse)}")
            return
        measures = figures.latest(warehouse)
    if source is not None:
        measures = [one for one in measures if one.source == source]
    if as_json:
        typer.echo(json.dumps([_plain(one, policy) for one in measures], ensure_ascii=False))
        return
    if not measures:
        out.print("Nothing was measured yet. Run 'onefold refresh'.")
        return
    out.print(_by_field(measures, policy) if source is not None else _by_source(measures))


def _plain(one: "Measure", policy: "QualityPolicy") -> dict[str, Any]:
    return {
        "day": one.day.isoformat(),
        "source": one.source,
        "field": one.field,
        "measure": one.measure,
        "good": one.good,
        "counted": one.counted,
        "share": round(one.share, 6),
        "target": policy.target(one.measure, one.field),
    }


def _table(heading: str, measures: tuple[str, ...]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column(heading, no_wrap=True)
    for measure in measures:
        table.add_column(_HEADINGS.get(measure, measure), justify="right", no_wrap=True)
    return table


def _by_source(measures: list["Measure"]) -> "Table":
    from warehouse.quality import together
    from warehouse.quality_policy import MEASURES

    table = _table("source", MEASURES)
    shares = together(measures)
    for source in sorted({one.source for one in measures}):
        found = [shares.get((source, name)) for name in MEASURES]
        table.add_row(source, *("" if one is None else f"{one:.1%}" for one in found))
    return table


def _by_field(measures: list["Measure"], policy: "QualityPolicy") -> "Table":
    """One line per field; what is below its target is marked."""
    from warehouse.quality import FIELDS
    from warehouse.quality_policy import MEASURES, OF_RECORDS

    of_fields = tuple(name for name in MEASURES if name not in OF_RECORDS)
    table = _table("field", of_fields)
    known = {(one.field, one.measure): one for one in measures}

    def told(field: str, name: str) -> str:
        one = known.get((field, name))
        if one is None:
            return ""
        target = policy.target(name, field)
        low = target is not None and one.share < target
        return f"{one.share:.1%}{' (!)' if low else ''}"

    for field in FIELDS:
        if any((field, name) in known for name in of_fields):
            table.add_row(field, *(told(field, name) for name in of_fields))
    of_records = [f"{name} {told('', name)}" for name in OF_RECORDS if ("", name) in known]
    table.caption = f"records: {', '.join(of_records)}; (!) is below its target"
    table.caption_justify = "left"
    return table
