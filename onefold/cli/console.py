"""Writing to the terminal: progress while a refresh works, tables when it is done."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from dedupe.calibration import FEW_PAIRS, Calibration
from dedupe.evaluation import Evaluation
from pipelines.report import RefreshReport, SourceReport

if TYPE_CHECKING:
    from onefold.cli.labeling import Training

out = Console(highlight=False, markup=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
"""What is said holds names of files and sources, so nothing in it is taken for markup."""


class _Progress(logging.Handler):
    """Shows what the ``onefold`` loggers say: a status line on a terminal, else lines."""

    def __init__(self, status: object) -> None:
        super().__init__(logging.INFO)
        self.status = status

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.levelno >= logging.WARNING:
            err.print(message, style="yellow")
        elif err.is_terminal:
            self.status.update(message)  # type: ignore[attr-defined]
        else:
            err.print(message)


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
    columns = ("read", "staged", "quarantined", "new", "changed", "deleted", "unchanged")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    table.add_column("source")
    for name in columns:
        table.add_column(name, justify="right")
    for one in report.sources:
        kept_out = one.quarantined
        numbers = (one.read, one.staged, kept_out, one.added, one.changed, one.deleted)
        table.add_row(one.source, *(f"{n:,}" for n in (*numbers, one.unchanged)))
    if report.sources:
        out.print(table)
    for one in report.sources:
        if one.withheld:
            out.print(f" {one.source}: {one.withheld:,} rows of erased customers were left out.")
        for note in one.notes:
            out.print(f" {one.source}: {note}", style="yellow", markup=False)
    rejected = sum(max(one.findings - one.quarantined, 0) for one in report.sources)
    if rejected:
        out.print(f" {rejected:,} values were rejected or are doubtful: see the table quarantine.")
    for one in report.sources:
        if one.status not in ("changed", "unchanged"):
            _say(one)
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("records staged", f"{report.records:,}")
    table.add_row("pairs compared", f"{report.pairs:,}")
    table.add_row("clusters", f"{report.clusters:,}")
    table.add_row("golden customers", f"{report.golden:,}")
    table.add_row("merge suggestions", f"{report.suggestions:,}")
    if evaluation is not None:
        for name, text in quality(evaluation):
            table.add_row(name, text)
    out.print(table)
    for sentence in report.blocked:
        err.print(f"Not published: {sentence}", style="red")
    for sentence in report.warnings:
        err.print(f"Warning: {sentence}", style="yellow")
    if not report.changed:
        out.print(f"Nothing changed, nothing was written ({report.seconds:.1f} s).")
    elif report.published:
        out.print(f"Published in {report.seconds:.1f} s.")


def _say(one: SourceReport) -> None:
    stays = "its last good records stay" if one.staged else "it has no records yet"
    err.print(f"{one.source}: {one.status}; {stays}.", style="yellow")
    err.print(f"  {one.message}")


def show_evaluation(evaluation: Evaluation) -> None:
    """Print how right a result is."""
    table = Table(box=box.SIMPLE, show_header=False)
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


def show_calibration(measured: Calibration) -> None:
    """Print predicted against observed in ten bins, and what other cuts would give."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    names = ("probability", "pairs", "worth", "predicted", "true", "95 %", "gap", "beyond chance")
    for name in names:
        table.add_column(name, justify="right")
    for one in measured.bins:
        name = f"{one.low:.1f}-{one.high:.1f}"
        if one.observed is None:
            table.add_row(name, "0", *[""] * (len(names) - 2))
            continue
        interval = f"{one.lower:.2f}-{one.upper:.2f}"
        figures = (f"{one.predicted:.3f}", f"{one.observed:.3f}", interval, f"{one.gap:+.3f}")
        beyond = f"{one.beyond_chance:.3f}" if one.beyond_chance else "0"
        table.add_row(name, f"{one.pairs:,}", f"{one.independent:,.0f}", *figures, beyond)
    out.print("Probability of the scored pairs against the truth")
    out.print(table)
    out.print(
        f" mean error {measured.expected_error:.3f}, largest gap {measured.largest_gap:.3f}"
        f" (bins of {FEW_PAIRS} pairs or more), beyond chance"
        f" {measured.largest_beyond_chance:.3f}"
    )
    out.print(" worth: independent answers; pairs of the same two customers stand or fall together")
    out.print(" beyond chance: the gap less what chance makes of ten bins in 95 of 100 cases")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for name in ("cut", "pairs above", "expected precision", "precision", "recall"):
        table.add_column(name, justify="right")
    for cut in measured.cuts:
        shares = (cut.expected_precision, cut.precision, cut.recall)
        table.add_row(
            f"{cut.probability:.2f}", f"{cut.pairs:,}", *(f"{share:.3f}" for share in shares)
        )
    out.print("Every pair above a cut, before clustering")
    out.print(table)


def show_training(report: "Training") -> None:
    """Print what training made."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    for name in ("model", "version", "basis", "pairs", "labeled", "prior"):
        table.add_column(name, justify="left" if name in ("model", "basis") else "right")
    for kind, one in sorted(report.models.items()):
        version = f"{one.version}{' (new)' if kind in report.changed else ''}"
        pairs = f"{one.trained_on.get('pairs', 0):,.0f}"
        labeled = f"{one.trained_on.get('labels', 0):,.0f}"
        table.add_row(kind, version, one.basis, pairs, labeled, f"{one.prior:.3f}")
    out.print(table)
    if report.changed:
        out.print("Next: onefold refresh, to match with the new model.")
    else:
        out.print("The models come out as they were.")


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
