"""``onefold publish`` and ``onefold rehearse``: what is held, accepting it, trying a change."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.options import Home
from onefold.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onefold.settings import Settings
    from pipelines.stages.rehearsing import Side

_INCOMPLETE = 3


def publish(
    home: Home = None,
    accept: Annotated[
        str | None, typer.Option(metavar="HOLD", help="Accept what was held, and publish it.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who accepts it.")] = "",
    reason: Annotated[str, typer.Option(help="Why it is right.")] = "",
) -> None:
    """Show the last publish that was held because it changes too much; or accept it."""
    from onefold import settings
    from onefold.cli import console
    from pipelines import run
    from warehouse import engine, gate

    place = settings.find_home(home)
    with closing(engine.connect(settings.load(place))) as warehouse:
        if accept is not None:
            gate.accept(warehouse, accept, by, reason)
        held = gate.latest(warehouse)
    if held is None:
        console.out.print("No publish was ever held.")
        return
    if accept is None:
        _show(held.report)
        if held.accepted_at is None:
            console.out.print(
                f"Held as {held.hold_id} at {held.at:%Y-%m-%d %H:%M} UTC. If it is right:"
                f" onefold publish --accept {held.hold_id} --by NAME --reason TEXT",
                soft_wrap=True,
            )
        else:
            console.out.print(
                f"{held.hold_id} was accepted by {held.accepted_by},"
                f" {held.accepted_at:%Y-%m-%d %H:%M} UTC: {held.reason}"
            )
        return
    with console.progress("Publishing"):
        report = run.refresh(place, sources=[])
    console.show_refresh(report)
    if not report.ok:
        raise typer.Exit(_INCOMPLETE)


def _show(report: dict[str, Any]) -> None:
    from onefold.cli.console import out

    sentence = report["sentence"]
    out.print(f"{sentence[:1].upper()}{sentence[1:]}.")
    for one in report["over"]:
        out.print(f"  over budget: {one}")
    for one in report["why"]:
        out.print(f"  since the last publish: {one}")


def rehearse(
    home: Home = None,
    model: Annotated[
        Path | None, typer.Option(help="A folder of matching models in place of the home's.")
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            help="A folder with changed sources/*.yml, and perhaps onefold.yml: the newest"
            " snapshots are cleaned with them. The home itself: with Onefold as it is now."
        ),
    ] = None,
    settings_file: Annotated[
        Path | None,
        typer.Option(
            "--settings", help="A changed onefold.yml: its matching, survivorship and gate count."
        ),
    ] = None,
) -> None:
    """Show what another model, settings or cleaning rules would change, without publishing."""
    from onefold import settings
    from onefold.cli import console
    from onefold.cli.restate import table
    from pipelines import stages

    place = settings.find_home(home)
    other = _varied(settings.load(place), model, settings_file, rules)
    with console.progress("Rehearsing"), stages.varied(place, other, rules) as opened:
        found = stages.rehearse(opened)
    if found is None:
        console.out.print("Nothing would change.")
        return
    sentence = found.made.sentence
    console.out.print(f"Would be: {sentence}.")
    console.out.print(
        f"Of the customers that stay, {found.made.changed:,} would have other values;"
        f" {found.opened:,} suggestions would open, {found.closed:,} close."
    )
    for one in found.over:
        console.out.print(f"Over budget: {one}")
    console.out.print(table(found.made))
    _examples("would become one", found.merges)
    _examples("would be parted", found.splits)


def _examples(title: str, pairs: "Sequence[tuple[Side, Side]]") -> None:
    from onefold.cli.console import out

    if pairs:
        out.print(f"\n{title}, {len(pairs)} examples:")
    for one, other in pairs:
        out.print(f"  {_told(one)}  |  {_told(other)}", markup=False, soft_wrap=True)


def _told(side: "Side") -> str:
    return f"{side.golden_id} {side.name or ''} ({', '.join(side.records[:3])})"


def _varied(
    found: "Settings", model: Path | None, file: Path | None, rules: Path | None
) -> "Settings":
    """The settings with another file's behavior, or another folder of models.

    Raises:
        ConfigError: neither is given, or one is not there.
    """
    from onefold import settings

    if model is None and file is None and rules is None:
        do = "Give --model, --settings or --rules."
        raise ConfigError("onefold rehearse", "nothing is named to rehearse", do=do)
    if rules is not None:
        if not rules.is_dir():
            do = "Name a folder like the home: with sources/*.yml."
            raise ConfigError(f"--rules {rules}", "there is no such folder", do=do)
        if (rules / "onefold.yml").is_file():
            sections, country = settings.behavior_of(rules / "onefold.yml")
            found = found.model_copy(update={"sections": sections, "country": country})
    if file is not None:
        if not file.is_file():
            raise ConfigError(f"--settings {file}", "there is no such file")
        found = found.model_copy(update={"sections": settings.sections_of(file)})
    if model is not None:
        if not model.is_dir():
            raise ConfigError(
                f"--model {model}", "there is no such folder", do="Name a folder like HOME/models."
            )
        found = found.model_copy(update={"models": model.absolute()})
    return found
