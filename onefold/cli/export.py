"""``onefold export``: the published tables as files, folders, and in other databases."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.options import Home
from onefold.errors import ConfigError


def export(
    file: Annotated[
        Path | None, typer.Argument(help="Golden table as .parquet, .csv or .xlsx.")
    ] = None,
    crosswalk: Annotated[
        Path | None,
        typer.Option(help="Crosswalk as a file: source, source_key, position, golden_id."),
    ] = None,
    crosswalks: Annotated[
        Path | None,
        typer.Option(help="A folder: one crosswalk file per source, for the sources' owners."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="Of --crosswalks: csv, parquet, xlsx.")] = (
        "csv"
    ),
    folder: Annotated[
        Path | None,
        typer.Option(help="A folder of its own: Parquet by segment, only what changed is written."),
    ] = None,
    by: Annotated[
        str, typer.Option(help="Segments of --folder: customer_type, region, country, status.")
    ] = "customer_type",
    to: Annotated[
        str | None,
        typer.Option(help="SQLAlchemy URL of another database; ${NAME} for secrets."),
    ] = None,
    prefix: Annotated[str, typer.Option(help="Of the tables' names there.")] = "",
    masked: Annotated[
        bool, typer.Option("--masked", help="Masks for personal data there.")
    ] = False,
    forget: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Say that an export is gone: erasures pass it by."),
    ] = None,
    home: Home = None,
) -> None:
    """Write the golden table or the crosswalk to files, a folder, or another database."""
    from onefold import settings
    from onefold.cli.console import out
    from warehouse import engine, export_database, export_folder, export_places
    from warehouse import export as exports

    config = settings.load(settings.find_home(home))
    if forget is not None:
        gone = export_places.drop(config.home, _known_as(forget))
        out.print(f"{forget}: {gone} exports forgotten")
        return
    if not any((file, crosswalk, crosswalks, folder, to)):
        raise ConfigError(
            "onefold export",
            "where to?",
            do="Name a FILE, or give --crosswalk, --crosswalks, --folder or --to.",
        )
    for place in (file, crosswalk, crosswalks, folder):
        if place is not None:
            kind = "folder" if place in (crosswalks, folder) else "file"
            export_places.note(config.home, kind, _known_as(str(place)))
    if to is not None:
        export_places.note(config.home, "database", _known_as(to), prefix)
    with closing(engine.connect(config)) as wh:
        if file is not None:
            out.print(f"{file}: {exports.golden(wh, file):,} golden customers")
        if crosswalk is not None:
            out.print(f"{crosswalk}: {exports.crosswalk_file(wh, crosswalk):,} records")
        if crosswalks is not None:
            for source, count in export_folder.crosswalks(wh, crosswalks, f".{form}").items():
                out.print(f"{crosswalks}: {source}, {count:,} records")
        if folder is not None:
            names = [name.strip() for name in by.split(",") if name.strip()]
            made = export_folder.partitioned(wh, folder, names)
            out.print(
                f"{folder}: {made.rows:,} golden customers in {made.files:,} files,"
                f" {made.written:,} written, {made.removed:,} removed"
            )
        if to is not None:
            url = settings.expand_environment(to, "--to")
            for one in export_database.to_database(wh, url, prefix=prefix, masked=masked):
                out.print(
                    f"{one.table}: {one.rows:,} rows, {one.added:,} added,"
                    f" {one.changed:,} changed, {one.deleted:,} deleted"
                )


def _known_as(place: str) -> str:
    """How an export is remembered: a whole path, or an address without a password."""
    import sqlalchemy as sa

    if "://" not in place:
        return str(Path(place).expanduser().resolve())
    if "${" in place:
        return place
    try:
        return sa.make_url(place).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return place
