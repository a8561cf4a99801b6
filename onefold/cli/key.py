"""``onefold key``: the key that encrypts personal columns."""

import typer

from onefold.cli.options import Home

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


@key.command("apply")
def apply(home: Home = None) -> None:
    """Bring a home to what privacy: in onefold.yml says: encrypt, replace the key, or decrypt.

    Killed, it is simply run again. Until it is done, nothing else writes to the home.
    """
    from onefold import settings
    from onefold.cli import console
    from pipelines.stages import rekeying

    place = settings.find_home(home)
    rekeying.check(place)
    with console.progress("Writing values again"):
        done = rekeying.apply(place)
    out = console.out
    out.print(f"Snapshots written again: {done.snapshots:,}; tables of the lake: {done.tables:,}.")
    for table, rows in sorted(done.rows.items()):
        out.print(f"{table}: {rows:,} rows")
    out.print(f"Was: {done.was}. Now: {done.now}.")


@key.command("rotate")
def rotate(home: Home = None) -> None:
    """Replace the key: the same as apply, once 'key' is the new one and old_keys has the old."""
    apply(home)
