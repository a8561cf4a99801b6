"""Removing a source: saying what will happen, and the steps in their order."""

from pathlib import Path

from connectors import declarations, following
from connectors.config import SourceConfig
from connectors.declarations import ASIDE
from connectors.source import declared
from onefold.cli.console import out
from onefold.errors import ConfigError, OnefoldError
from pipelines import run, stages
from pipelines.report import RefreshReport
from warehouse import outcomes, removal
from warehouse.removal import Impact


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


def following_log(home: Path) -> dict[str, SourceConfig]:
    """The sources, synced or put aside, that a server keeps its log for, by name."""
    sources = declarations.put_aside(home) | declared(home).sources
    return {name: config for name, config in sources.items() if following.has_slot(config)}


def show(
    name: str, file: Path | None, impact: Impact, slot: SourceConfig | None, *, records: bool
) -> None:
    """Say what will happen."""
    if file is not None:
        aside = file.name + ASIDE
        out.print(f"{file.name} will be put aside as {aside}, and {name} not synced any more.")
    if slot is not None and slot.changes is not None:
        out.print(f"Its replication slot {slot.changes.slot} will be dropped on the server.")
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


def drop_slot(source: SourceConfig) -> bool:
    """Have the server keep no more log for a source that was put aside; whether that is done."""
    assert source.changes is not None
    slot = source.changes.slot
    try:
        found = following.abandon(source)
    except OnefoldError as error:
        out.print(f"The replication slot {slot} stays, and the server keeps its log: {error}")
        out.print(
            f"Run 'onefold source remove {source.name}' again, or on the server "
            f"SELECT pg_drop_replication_slot('{slot}');"
        )
        return False
    out.print(
        f"The replication slot {slot} was dropped."
        if found
        else f"The replication slot {slot} is gone already."
    )
    return True


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
