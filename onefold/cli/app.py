"""The commands. What they do stands in the packages; here it is called and told."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from onefold import __version__
from onefold.cli import review as reviewing
from onefold.cli.again import backfill, replay
from onefold.cli.erase import erase
from onefold.cli.explain import explain
from onefold.cli.export import export
from onefold.cli.grants import grants
from onefold.cli.key import key
from onefold.cli.options import Home
from onefold.cli.prune import prune
from onefold.cli.publishing import publish, rehearse
from onefold.cli.quality import quality
from onefold.cli.restate import restate
from onefold.cli.source import source
from onefold.cli.status import status
from onefold.cli.subject import subject
from onefold.cli.superset import superset
from onefold.cli.trust import trust
from onefold.errors import ConfigError, OnefoldError
from rules import collection

app = typer.Typer(
    name="onefold",
    help="One golden customer table from many systems.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

INCOMPLETE = 3
"""Exit code when a source failed or was held, or the golden table was held back."""


@app.command()
def init(
    home: Annotated[Path, typer.Argument(help="Folder to make the deployment in.")],
    database: Annotated[
        str | None, typer.Option(help="PostgreSQL URL instead of SQLite; ${NAME} for secrets.")
    ] = None,
) -> None:
    """Make a deployment: onefold.yml, sources/, dagster.yaml and the tables."""
    from onefold import settings
    from onefold.cli import home as homes
    from onefold.cli.console import out
    from warehouse import engine

    written = homes.create(home.resolve(), database)
    engine.migrate(settings.load(home))
    for file in written:
        out.print(f"wrote {file}")
    out.print(
        f"Next: declare a source in {home / 'sources'}/NAME.yml,"
        f" then run: onefold refresh --home {shlex.quote(str(home))}"
    )


@app.command()
def demo(
    world: Annotated[str | None, typer.Option(help="zh or en.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Another world: erp.db, excel/, legacy.txt, crm.csv.")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Where to make the home.")] = None,
) -> None:
    """Make a home from a small world of four systems, and refresh it."""
    from importlib import resources

    from onefold import settings
    from onefold.cli import home as homes
    from onefold.cli.console import out
    from warehouse import engine

    if world not in (None, "zh", "en"):
        raise ConfigError("--world", "there are two worlds", found=world, do="Say zh or en.")
    if data is None:
        world = world or "zh"
        folder = Path(str(resources.files("demo") / world))
    else:
        folder = data.expanduser().resolve()
        if not folder.is_dir():
            raise ConfigError(str(folder), "there is no such folder")
        world = world or (homes.language_of(folder) if (folder / "crm.csv").is_file() else "zh")
    place = (home or Path("demo-home") / folder.name).expanduser().resolve()
    homes.create_demo(place, folder, world)
    engine.migrate(settings.load(place))
    out.print(f"Home: {place}")
    _refresh(place, None)
    out.print(f"Look around: onefold up --home {shlex.quote(str(place))}")


@app.command()
def refresh(
    home: Home = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only these sources; may be repeated.")
    ] = None,
) -> None:
    """Sync the sources, match their records and publish the golden table."""
    from onefold import settings

    _refresh(settings.find_home(home), source)


def _refresh(home: Path, sources: list[str] | None) -> None:
    """Refresh, print the closing table, and exit with 3 if it is not complete."""
    from onefold import settings

    with collection.no_collection():  # all that is loaded stays
        from onefold.cli import console, measuring
        from pipelines import run

    with console.progress("Refreshing"):
        report = run.refresh(home, sources=sources)
    console.show_refresh(report, measuring.demo(settings.load(home)))
    if not report.ok:
        raise typer.Exit(INCOMPLETE)


@app.command()
def apply(home: Home = None) -> None:
    """Bring what stewards decided since the last publish into the golden table, without a sync."""
    from onefold import settings
    from onefold.cli import console
    from pipelines import stages

    with console.progress("Applying decisions"), stages.opened(settings.find_home(home)) as opened:
        waiting, report = stages.apply(opened)
    console.out.print(waiting.words)
    if report is not None:
        console.out.print(
            f"Golden customers: {report.added:,} added, {report.changed:,} changed,"
            f" {report.ended:,} ended; {report.golden:,} now."
        )
    elif waiting.decisions:
        raise typer.Exit(INCOMPLETE)


@app.command()
def alert(
    trial: Annotated[
        bool, typer.Option("--test", help="Send a trial message through every hook instead.")
    ] = False,
    home: Home = None,
) -> None:
    """Tell the hooks of alerts: in onefold.yml what failed, is held, went stale or recovered.

    A refresh and the daemon do it by themselves; this is for a schedule of your own.
    """
    from onefold import settings
    from onefold.cli.console import err, out
    from pipelines import alerting

    config = settings.load(home)
    hooks = alerting.AlertPolicy.of(config).hooks
    if not hooks:
        raise ConfigError(
            "onefold.yml, alerts", "there is no hook", do="Add one; see docs/operations.md."
        )
    told = alerting.test(config) if trial else alerting.tell(config)
    for one in told:
        if one.error:
            err.print(one.error, style="red")
        else:
            out.print(f"{one.hook}: told of {one.alerts}." if not trial else f"{one.hook}: sent.")
    if not told:
        out.print("Nothing changed that is to be told.")
    if any(one.error for one in told):
        raise typer.Exit(OnefoldError.exit_code)


@app.command()
def evaluate(
    truth: Annotated[Path, typer.Option(help="Parquet or CSV with source, source_key, entity_id.")],
    hard_negatives: Annotated[
        Path | None,
        typer.Option(help="Parquet with entity_a, entity_b: pairs that must not merge."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the calibration: .svg, .png or .pdf.")
    ] = None,
    results: Annotated[Path | None, typer.Option("--json", help="Write all figures here.")] = None,
    home: Home = None,
) -> None:
    """Measure the golden table, and the probabilities behind it, against a truth file."""
    import json

    from onefold import settings
    from onefold.cli import console, measuring, plots

    config = settings.load(home)
    if plot is not None:
        plots.check(plot)
    outcome = measuring.golden_table(config, truth, hard_negatives)
    console.show_evaluation(outcome)
    measured = measuring.probabilities(config, truth)
    console.show_calibration(measured)
    if plot is not None:
        plots.calibration(measured, plot)
        console.out.print(f"wrote {plot}")
    if results is not None:
        figures = {"golden_table": outcome.as_dict(), "calibration": measured.as_dict()}
        results.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        console.out.print(f"wrote {results}")


@app.command()
def label(
    count: Annotated[int, typer.Option(min=1, help="How many pairs to ask about.")] = 20,
    by: Annotated[str | None, typer.Option(help="Who answers; else the system's user.")] = None,
    home: Home = None,
) -> None:
    """Ask about the pairs that would teach the model most; answers become decisions."""
    import getpass

    from onefold import settings
    from onefold.cli import console, labeling

    config = settings.load(home)
    with console.progress("Looking for pairs to ask about"):
        chosen = labeling.choose(config, count)
    labeling.interview(config, chosen, by or getpass.getuser())


@app.command()
def train(
    labels: Annotated[
        Path | None,
        typer.Option(help="Keep this file of labeled pairs: left_id, right_id, is_match."),
    ] = None,
    home: Home = None,
) -> None:
    """Train the matching models anew, with all decisions and labeled pairs there are."""
    from onefold import settings
    from onefold.cli import console, labeling

    config = settings.load(home)
    if labels is not None:
        console.out.print(f"wrote {labeling.keep(config, labels)}")
    with console.progress("Training"):
        report = labeling.train(config)
    console.show_training(report)


app.command()(export)
app.command()(erase)
app.command()(prune)
app.command()(subject)
app.command()(explain)
app.command()(trust)
app.command()(status)
app.command()(reviewing.review)
app.command()(grants)
app.command()(superset)
app.command()(quality)
app.command()(restate)
app.command()(replay)
app.command()(backfill)
app.command()(publish)
app.command()(rehearse)
app.add_typer(source, name="source")
app.add_typer(key, name="key")
app.add_typer(reviewing.account, name="account")
app.add_typer(reviewing.audit, name="audit")


@app.command()
def dedupe(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV, TSV, Excel, ODS or Parquet.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Result as .parquet, .csv or .xlsx: one row per record.")
    ] = None,
    stats: Annotated[
        Path | None, typer.Option(help="Counts, times, weights as JSON; no customer's values.")
    ] = None,
    link_only: Annotated[
        bool, typer.Option("--link-only", help="Compare only across files; each has no duplicates.")
    ] = False,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="Correct a column: name, phone, birth_date, ..., text or key. Repeatable.",
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Leave a column out. Repeatable."),
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Country (ISO 3166) of records that do not say theirs.")
    ] = None,
    match: Annotated[
        float | None,
        typer.Option(help="Probability from which two records are one customer, 0 to 1."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Only say how it ended: no columns, no examples.")
    ] = False,
) -> None:
    """Find the records of the same customer in one or several files. Needs no set-up."""
    from dedupe import files as one_file
    from dedupe.model import MatchingSettings
    from onefold.cli import one_file as terminal

    terminal.check({"--out": out, "--stats": stats})
    section: dict[str, object] = {"link_only": link_only}
    if match is not None:
        section |= {"match": match, "review": min(match, MatchingSettings().review)}
    with terminal.progress() as progress:
        outcome = one_file.dedupe(
            files,
            MatchingSettings.read(section),
            fields=dict(_pair(text) for text in map_ or ()),
            ignore=ignore or (),
            country=country.upper() if country else None,
            progress=progress,
        )
    if out is not None:
        terminal.write(outcome.records, out)
    if stats is not None:
        terminal.write_stats(outcome.stats, stats)
    terminal.show(outcome, quiet=quiet, out=out)


def _pair(text: str) -> tuple[str, str]:
    column, sign, field = text.rpartition("=")
    if not sign:
        raise ConfigError(f"--map {text}", "there is no '='", do="Write --map 'COLUMN=field'.")
    return column.strip(), field.strip()


@app.command()
def doctor(home: Home = None) -> None:
    """Check the home, the databases and every source, and say what is wrong."""
    from onefold.cli import doctor as doctors
    from onefold.cli.console import out

    findings = doctors.examine(home)
    for finding in findings:
        mark, color = ("ok  ", "green") if finding.ok else ("bad ", "red")
        out.print(mark, style=color, end="")
        out.print(f"{finding.what}: {finding.words}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def migrate(home: Home = None) -> None:
    """Bring the tables up to date with this version of Onefold."""
    from onefold import settings
    from onefold.cli.console import out
    from warehouse import engine

    engine.migrate(settings.load(home))
    out.print("The tables are up to date.")


@app.command()
def up(
    home: Home = None,
    port: Annotated[int, typer.Option(help="Port of Dagster's page, on 127.0.0.1.")] = 3000,
    review_port: Annotated[
        int | None, typer.Option(help="Port of the review app; else review: port:, else 3001.")
    ] = None,
) -> None:
    """Start Dagster (page, schedules, sensors) and the review app. Ctrl-C stops them."""
    from onefold import settings
    from pipelines import up as dagster
    from review.policy import ReviewPolicy

    place = settings.find_home(home)
    section = settings.load(place).sections.get("review")
    reviewing_port = review_port or ReviewPolicy.read(section).port
    raise typer.Exit(dagster.up(place, port, reviewing_port))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"onefold {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """One golden customer table from many systems."""


def main() -> None:
    """Run the command line; an expected error is one message and its exit code."""
    collection.seldom()
    try:
        app()
    except OSError as error:
        # A file or folder of the home that may not be read or written, or a full disk.
        what = error.strerror or type(error).__name__
        place = error.filename or "a file"
        typer.secho(
            f"{place}: the system refuses it (found {what}). Mend its rights, or free disk space.",
            fg=typer.colors.RED,
            err=True,
        )
        sys.exit(OnefoldError.exit_code)
    except OnefoldError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        sys.exit(error.exit_code)
