"""``onefold source``: add a source, check it, describe its columns.

What belongs here: options, questions and the order of steps. What a source is
found to be stands in connectors and rules/onboarding, how it looks in
source_view.py.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.options import Home
from onefold.cli.templates import templates
from onefold.errors import ConfigError, OnefoldError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.config import SourceConfig
    from connectors.locating import Place
    from connectors.sampling import Sample
    from onefold.settings import Settings
    from rules.onboarding.proposal import Proposal

source = typer.Typer(help="Add sources and look at them.", no_args_is_help=True)
source.command()(templates)

Layout = Annotated[
    Path | None, typer.Option(help="Layout of a fixed-width file; else the one beside it.")
]
Template = Annotated[
    str | None,
    typer.Option(help="Known system; '' for none; else recognized by tables or host."),
]
Table = Annotated[
    str | None,
    typer.Option(
        help="Table of a database, set of records of an OData service; else the likeliest."
    ),
]


@source.command()
def add(
    what: Annotated[
        str,
        typer.Argument(
            metavar="URL|FILE|FOLDER",
            help="URL of a database or web service, file, glob or folder.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="The source's name; else from the file.")] = None,
    table: Table = None,
    layout: Layout = None,
    template: Template = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="COLUMN=FIELD", help="Say what a column is; '' after '=': nothing."
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: what is not sure is left out.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a source of the name.")
    ] = False,
    home: Home = None,
) -> None:
    """Look at a source and write sources/NAME.yml: columns, key, codes, with the reasons."""
    from connectors import locating
    from onefold import settings
    from onefold.cli import source_view
    from rules.onboarding import writing

    config = settings.load(home)
    said = dict(_pair(text) for text in map_ or ())
    places = locating.locate(
        what, config.home, name=name, table=table, layout=layout, template=template
    )
    several = len(places) > 1
    written = []
    for place in places:
        file = config.sources_dir / f"{place.name}.yml"
        writing.require_free(file, force=force)
        recognized = bool(place.template) and template is None
        question = f"This is {place.what}. Use its template?"
        if recognized and not yes and not source_view.agrees(question):
            (place,) = locating.locate(what, config.home, name=name, template="")
        if place.others and not yes and table is None:
            place = _other_table(what, place, config, name)
        if several and not yes and not source_view.agrees(f"Add {place.what} as {place.name}?"):
            continue
        try:
            proposal = _proposed(place, config, said, ask=not yes)
        except OnefoldError as error:
            if not several:
                raise
            source_view.err.print(f"{place.what} is left out: {error}", style="yellow")
            continue
        source_view.show_proposal(proposal)
        path = writing.write(proposal, config.home, force=force)
        written.append(place.name)
        source_view.show_written(path, proposal, place)
    if not written:
        raise ConfigError(what, "nothing was added", do="Name a file that lists customers.")


def _other_table(what: str, place: "Place", config: "Settings", name: str | None) -> "Place":
    """The table that somebody chooses of several that may list customers."""
    from connectors import locating
    from onefold.cli import source_view

    first = place.settings.get("table") or str(place.settings["url"]).rpartition("/")[2]
    tables = [str(first), *(fit.table for fit in place.others)]
    chosen = source_view.choice("Which table lists the customers?", tables)
    if chosen == tables[0]:
        return place
    return locating.locate(what, config.home, name=name, table=chosen)[0]


def _proposed(place: "Place", config: "Settings", said: dict[str, str], *, ask: bool) -> "Proposal":
    """The proposal, after the questions that somebody answers."""
    from connectors import sampling
    from onefold.cli import source_view
    from rules.onboarding import proposal as proposals

    samples: Sequence[Sample] = sampling.unmapped(place.config)
    sampling.require_columns(
        samples, place.what, is_table=place.config.connector in ("sql", "access")
    )
    proposal = proposals.propose(place, samples, config.country, said=said)
    if not ask or not proposal.asked:
        return proposal
    answers, codes = source_view.interview(proposal, samples)
    return proposals.propose(place, samples, config.country, said={**said, **answers}, codes=codes)


def _pair(text: str) -> tuple[str, str]:
    column, sign, field = text.rpartition("=")
    if not sign:
        raise ConfigError(f"--map {text}", "there is no '='", do="Write --map 'COLUMN=field'.")
    return column.strip(), field.strip()


@source.command()
def check(
    name: Annotated[str, typer.Argument(help="A source of the home.")],
    rows: Annotated[int, typer.Option(min=1, help="Records to read at most.")] = 20_000,
    show: Annotated[int, typer.Option(min=0, help="Records to show side by side.")] = 10,
    home: Home = None,
) -> None:
    """Show what a sync would make of a source: records raw and staged, quarantine, expectations.

    Nothing is written. The values of the records are shown.
    """
    from connectors.source import load_one
    from onefold import settings
    from onefold.cli import source_view
    from rules.onboarding import trial

    config = settings.load(home)
    declared = load_one(config.home, name)
    source_view.show_trial(trial.run(declared, config.country, rows=rows, shown=show))


@source.command()
def accept(
    name: Annotated[str, typer.Argument(help="A source that is held.")],
    home: Home = None,
) -> None:
    """Accept what holds a source: columns gone or of another type, or too many rows gone.

    Its next sync takes the source as it is then; later changes are held as before.
    """
    from connectors import drift, snapshot
    from connectors.source import load_one
    from onefold import settings
    from onefold.cli import source_view

    config = settings.load(home)
    declared = load_one(config.home, name)
    last = snapshot.latest(Path(config.lake), declared.name)
    if last is None:
        raise ConfigError(name, "was never read, so nothing holds it", do="Sync it.")
    drift.accept(snapshot.folder(Path(config.lake), declared.name), last.sync_id)
    source_view.show_accepted(declared.name)


@source.command()
def remove(
    name: Annotated[str, typer.Argument(help="A source of the home, or one whose file is gone.")],
    records: Annotated[
        bool, typer.Option("--records", help="Take its records out too, and publish without them.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
) -> None:
    """Put a source's file aside, and with --records take its records out of the golden table.

    A replication slot of its own (changes: slot) is dropped, so that the server keeps no more
    log for it; if that fails, run it again. What will happen is said first. Raw snapshots stay
    in the lake: with its file back, the next refresh brings the records back, customers that
    ended under new ids.
    """
    from contextlib import closing

    from connectors.source import declared
    from onefold import settings
    from onefold.cli import console, removing, source_view
    from warehouse import engine, removal, staged_records

    config = settings.load(home)
    with closing(engine.connect(config)) as wh:
        slots = removing.following_log(config.home)
        known = {*declared(config.home).names, *staged_records.source_names(wh), *slots}
        if name not in known:
            raise ConfigError(
                name,
                "there is no such source",
                found=", ".join(sorted(known)) or "none",
                do="Name one of them.",
            )
        impact = removal.impact(wh, name)
    file = removing.file_of(config.home, name)
    slot = slots.get(name)
    removing.show(name, file, impact, slot, records=records)
    if not yes and not source_view.confirmed("Go on?"):
        raise typer.Exit(1)
    with console.progress("Removing"):
        report = removing.remove(config.home, name, file, records=records)
    if report is not None:
        console.show_refresh(report)
    if slot is not None and not removing.drop_slot(slot):
        raise typer.Exit(1)


@source.command()
def profile(
    what: Annotated[
        str, typer.Argument(metavar="NAME|URL|FILE", help="A source of the home, or as for add.")
    ],
    to: Annotated[Path, typer.Option("--out", help="The report, one .html file.")],
    table: Table = None,
    layout: Layout = None,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show frequent values instead of their forms.")
    ] = False,
    home: Home = None,
) -> None:
    """Describe every column of a source in an HTML file: types, fill, patterns, plots."""
    from onefold.cli import html_file, profile_page, source_view
    from rules.onboarding import profile as profiles

    html_file.check(to, "--out")
    config, samples = _sampled(what, table, layout, home)
    described = profiles.profile(config, samples)
    profile_page.write(described, to, show_values=show_values)
    source_view.show_profiled(to, len(described.columns), described.rows, masked=not show_values)


def _sampled(
    what: str, table: str | None, layout: Path | None, home: Path | None
) -> "tuple[SourceConfig, Sequence[Sample]]":
    """A source of the home, or one that is not declared: its settings, and a sample of it."""
    from connectors import locating, sampling
    from connectors.source import load_one
    from onefold import settings

    if "://" not in what and not Path(what).expanduser().exists():
        config = load_one(settings.find_home(home), what)
        return config, (sampling.read(config),)
    places = locating.locate(what, Path.cwd(), table=table, layout=layout)
    if len(places) > 1:
        raise ConfigError(
            what,
            "the folder holds several sources",
            found=", ".join(place.what for place in places),
            do="Name one of the files.",
        )
    return places[0].config, sampling.unmapped(places[0].config)
