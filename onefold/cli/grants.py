"""``onefold grants``: who may read the views for BI tools."""

from contextlib import closing
from typing import Annotated

import typer

from onefold.cli.options import Home
from warehouse.bi.names import PII_READER, READER


def grants(
    home: Home = None,
    reader: Annotated[
        str, typer.Option(help="Role that reads the views with masks; made if missing.")
    ] = READER,
    pii_reader: Annotated[
        str, typer.Option(help="Role that reads personal data too; made if missing.")
    ] = PII_READER,
    only_print: Annotated[
        bool, typer.Option("--print", help="Only print the statements, for a database admin.")
    ] = False,
) -> None:
    """Let two roles read the views of schema bi: one sees masks, the other personal data."""
    from onefold import settings
    from onefold.cli.console import out
    from warehouse import engine
    from warehouse.bi import grants as granting

    with closing(engine.connect(settings.load(settings.find_home(home)))) as warehouse:
        do = granting.planned if only_print else granting.grant
        statements = do(warehouse, reader, pii_reader)
    for statement in statements:
        out.print(f"{statement};", soft_wrap=True)
    if not only_print:
        out.print(f"Next: GRANT {reader} TO the user of your BI tool.")
