"""Removing a source: saying what will happen, and the steps in their order."""

from pathlib import Path

from connectors.source import declared
from onefold.cli.console import out
from onefold.errors import ConfigError
from pipelines import run, stages
from pipelines.report import RefreshReport
from warehouse import outcomes, removal
from warehouse.removal import Impact

ASIDE = ".removed"
"""Ending of a source's file that was put aside: it is read no more."""


def file_of(home: Path, name: str) -> Path | None:
    """The file that declares a source; None if it is gone already.

    Raises:
        ConfigError: the source is declared wrongly, and in which file is not sure.
    """
    found = declared(home)
    if name in found.sources:
        return home / found.sources[name].file
    for file in (home / "sources" / f"{name}.yml", home / "sources" / f"{name}.yaml"):
        if file.is_file():
            return file
    if name in found.broken:
        raise ConfigError(
            f"source {name}",
            "its file is not sure",
            found=str(found.broken[name]),
            do="Mend that file, or remove it by hand.",
        )
    return None


def show(name: str, file: Path | None, impact: Impact, *, records: bool) -> None:
    """Say what will happen."""
    if file is not None:
        aside = file.name + ASIDE
        out.print(f"{file.name} will be put aside as {aside}, and {name} not synced any more.")
    what = f"{impact.records:,} records of {name}, in {impact.customers:,} golden customers"
    if not records:
        out.print(f"{what}, will stay as they are; every run will warn of them.")
        return
    out.print(f"{what}, will be taken out:")
    out.print(f"  {impact.ending:,} customers will end: no other source has them.")
    staying = impact.customers - impact.ending
    out.print(f"  {staying:,} customers will stay, with the records of other sources.")
    if impact.decisions:
        out.print(
            f"  {impact.decisions:,} decisions of stewards name its records;"
            " they will wait until the records are back."
        )
    out.print("Raw snapshots stay in the lake, and ended customers in the history.")


def remove(home: Path, name: str, file: Path | None, *, records: bool) -> RefreshReport | None:
    """Put the file aside; take the records out and publish without them, if asked to.

    A removal that was killed is finished by running it again.

    Returns:
        the report of the publish; None if there was nothing to publish.
    """
    with stages.opened(home) as deployment:
        if file is not None:
            file.replace(file.with_name(file.name + ASIDE))
        outcomes.forget(home, name)
        if not records:
            return None
        removal.remove(deployment.warehouse, name)
    if not declared(home).names:
        out.print("No source is left: the golden table stays until another one is synced.")
        return None
    return run.refresh(home, sources=[])
