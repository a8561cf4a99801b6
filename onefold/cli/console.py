"""Writing to the terminal: progress while a refresh works, tables when it is done."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from dedupe.evaluation import Evaluation
from pipelines.report import RefreshReport, SourceReport

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

_STYLES = {"changed": "green", "unchanged": "dim", "failed": "red", "held": "yellow"}


class _Progress(logging.Handler):
    """Shows what the ``onefold`` loggers say: a status line on a terminal, else lines."""

    def __init__(self, status: object) -> None:
        super().__init__(logging.INFO)
        self.status = status

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.levelno >= logging.WARNING:
            err.print(f"[yellow]{message}[/]")
        elif err.is_terminal:
            self.status.update(message)  # type: ignore[attr-defined]
        else:
            err.print(message, markup=False)


@contextmanager
def progress(title: str) -> Iterator[None]:
    """Show what Onefold logs while the block runs."""
    logger = logging.getLogger("onefold")
    before = logger.level, logger.propagate
    with err.status(title) as status:
        handler = _Progress(status)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(before[0])
            logger.propagate = before[1]


def show_refresh(report: RefreshReport, evaluation: Evaluation | None = None) -> None:
    """Print the closing table of a refresh."""
    table = Table(title="Sources", title_justify="left", title_style="bold")
    table.add_column("source")
    for name in ("read", "staged", "quarantined", "added", "changed", "deleted", "unchanged"):
        table.add_column(name, justify="right")
    table.add_column("rejected values", justify="right")
    table.add_column("state")
    for one in report.sources:
        table.add_row(
            one.source,
            *(
                f"{number:,}"
                for number in (
                    one.read,
                    one.staged,
                    one.quarantined + one.duplicates,
                    one.added,
                    one.changed,
                    one.deleted,
                    one.unchanged,
                    max(one.findings - one.quarantined, 0),
                )
            ),
            f"[{_STYLES.get(one.status, 'yellow')}]{one.status}[/]",
        )
    out.print(table)
    for one in report.sources:
        if one.message and one.status not in ("changed", "unchanged"):
            _say(one)
    table = Table(title="Customers", title_justify="left", title_style="bold", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("records staged", f"{sum(one.staged for one in report.sources):,}")
    table.add_row("pairs compared", f"{report.pairs:,}")
    table.add_row("clusters", f"{report.clusters:,}")
    table.add_row("golden customers", f"{report.golden:,}")
    table.add_row("merge suggestions", f"{report.suggestions:,}")
    if evaluation is not None:
        for name, text in quality(evaluation):
            table.add_row(name, text)
    out.print(table)
    for sentence in report.blocked:
        err.print(f"[red]Not published: {sentence}[/]")
    for sentence in report.warnings:
        err.print(f"[yellow]Warning: {sentence}[/]")
    if not report.changed:
        out.print(f"Nothing changed, nothing was written ({report.seconds:.1f} s).")
    elif report.published:
        out.print(f"Published in {report.seconds:.1f} s.")


def _say(one: SourceReport) -> None:
    err.print(f"[yellow]{one.source} is {one.status}; its last good records stay.[/]")
    err.print(f"  {one.message}", markup=False)


def show_evaluation(evaluation: Evaluation) -> None:
    """Print how right a result is."""
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, text in [
        ("records measured", f"{evaluation.records:,}"),
        ("customers found", f"{evaluation.clusters:,}"),
        ("customers in truth", f"{evaluation.entities:,}"),
        *quality(evaluation),
        ("precision (B-cubed)", f"{evaluation.b_cubed_precision:.3f}"),
        ("recall (B-cubed)", f"{evaluation.b_cubed_recall:.3f}"),
    ]:
        table.add_row(name, text)
    out.print(table)


def quality(evaluation: Evaluation) -> list[tuple[str, str]]:
    """An evaluation as lines: name, figure."""
    lines = [
        ("precision (pairs)", f"{evaluation.precision:.3f}"),
        ("recall (pairs)", f"{evaluation.recall:.3f}"),
        ("F1 (pairs)", f"{evaluation.f1:.3f}"),
    ]
    if evaluation.hard_negatives:
        share = evaluation.hard_negatives_merged_share
        lines.append(("look-alikes wrongly merged", f"{share:.1%}"))
    return lines
