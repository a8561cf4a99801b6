"""``onefold superset``: the sample dashboard, for Superset to import."""

from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.options import Home


def superset(
    file: Annotated[Path, typer.Argument(help="The zip file to write.")],
    home: Home = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="SQLAlchemy URL by which Superset reaches the database; else that of the home,"
            " without user and password."
        ),
    ] = None,
) -> None:
    """Write a sample dashboard over the views of schema bi, for Apache Superset to import."""
    from onefold import settings
    from onefold.cli.console import out
    from warehouse.bi import superset as bundles

    found = settings.load(settings.find_home(home))
    charts = bundles.write(file, url or bundles.address(found.database_url))
    out.print(f"{file}: {len(charts)} charts. Import it under Dashboards; docs/bi.md says how.")
