"""``onefold key``: the key that encrypts personal columns."""

import typer

key = typer.Typer(help="The key that encrypts personal columns.", no_args_is_help=True)


@key.command("new")
def new() -> None:
    """Print a new key and how to use it. It is written nowhere: keep it in a safe place."""
    from onefold import keys
    from onefold.cli.console import err

    typer.echo(keys.new())
    err.print(
        "Keep it where secrets are kept, apart from backups of the home: without it nothing"
        " that was encrypted can be read again.\n"
        "Set it as the variable ONEFOLD_KEY, and write into onefold.yml:\n\n"
        "privacy:\n  key: ${ONEFOLD_KEY}\n  encrypt: [national_id]\n",
        highlight=False,
    )
