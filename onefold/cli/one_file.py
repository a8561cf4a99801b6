"""What ``onefold dedupe`` shows and writes: columns, progress, summary, examples, files.

The values of a few records are shown, on the terminal only: the file is the
user's own. What is counted and written to ``--stats`` holds none.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from connectors.recognition import Column
from dedupe.files import STAGES, Outcome
from dedupe.files import Progress as Report
from onefold.cli import examples
from onefold.errors import ConfigError

console = Console(highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)

_WORDS = {
    "read": "Reading",
    "recognize": "Recognizing columns of",
    "clean": "Cleaning",
    "pair": "Looking for pairs among",
    "compare": "Comparing",
    "learn": "Learning from",
    "score": "Weighing",
    "group": "Grouping",
}
_WRITTEN = (".parquet", ".csv", ".xlsx")


@contextmanager
def progress() -> Iterator[Report]:
    """A bar that moves from stage to stage; lines where there is no terminal."""
    if not err.is_terminal:
        yield lambda stage, what: err.print(f"{_WORDS[stage]} {what}")
        return
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), TimeElapsedColumn(),
        console=err, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=len(STAGES))
        yield lambda stage, what: bar.update(
            task, completed=STAGES.index(stage), description=f"{_WORDS[stage]} {what}"
        )


# -- files


def check(paths: Mapping[str, Path | None]) -> None:
    """Refuse files that could not be written, before any work is done.

    Args:
        paths: option → file.

    Raises:
        ConfigError: the folder is not there, or ``--out`` has an ending that says no kind.
    """
    for option, path in paths.items():
        if path is None:
            continue
        if not path.absolute().parent.is_dir():
            raise ConfigError(f"{option} {path}", "the folder is not there", do="Make it first.")
        if option == "--out" and path.suffix.casefold() not in _WRITTEN:
            raise ConfigError(
                f"{option} {path}", "this ending says no kind of file",
                do=f"Use {', '.join(_WRITTEN)}.",
            )  # fmt: skip


def write(records: pa.Table, path: Path) -> None:
    """Write the result as Parquet, CSV or xlsx, by the ending; a whole file or none."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        if path.suffix.casefold() == ".parquet":
            import pyarrow.parquet as pq

            pq.write_table(records, temporary)
        elif path.suffix.casefold() == ".csv":
            from pyarrow import csv

            csv.write_csv(records, temporary, csv.WriteOptions(quoting_style="needed"))
        else:
            _write_workbook(records, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_workbook(records: pa.Table, path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("clusters")
    sheet.append(records.column_names)
    for batch in records.to_batches(10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sheet.append(row)
    book.save(path)


def write_stats(stats: Mapping[str, Any], path: Path) -> None:
    """Write counts, times and weights as JSON."""
    path.write_text(json.dumps(stats, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


# -- the terminal


def show(outcome: Outcome, *, quiet: bool, out: Path | None) -> None:
    """Everything that is said at the end."""
    if not quiet:
        _show_columns(outcome)
        for title, table in examples.tables(outcome, console.width):
            console.print()
            console.print(title, style="bold")
            console.print(table)
    _show_summary(outcome)
    seconds = f"{outcome.stats['seconds_total']:.1f} s"
    if out is None:
        console.print(f"{seconds}; nothing is written without --out FILE", style="dim")
    else:
        console.print(f"{seconds}; wrote {out}", style="dim")


def _show_columns(outcome: Outcome) -> None:
    """The table of columns: what each is taken for, how sure, and why."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    widest = max(cell_len(column.name) for column in outcome.recognition.columns)
    table.add_column(
        "column", overflow="ellipsis", no_wrap=True, min_width=min(widest, 20), max_width=28
    )
    table.add_column("taken for", no_wrap=True, min_width=18)
    table.add_column("sure", justify="right", no_wrap=True, min_width=4)
    table.add_column("why", overflow="ellipsis", no_wrap=True)
    for column in outcome.recognition.columns:
        style = "dim" if column.role == "none" else ""
        table.add_row(
            column.name, _role(column), f"{column.confidence:.0%}", column.reason, style=style
        )
    found = outcome.recognition
    console.print()
    console.print(table)
    if found.country_reason != "said":
        console.print(f"country   {found.country}, {found.country_reason}", style="dim")


def _role(column: Column) -> str:
    roles = {"text": "text", "key": "key", "none": "left out"}
    return column.field.replace("_", " ") if column.role == "field" else roles[column.role]


def _show_summary(outcome: Outcome) -> None:
    """How many records are how many customers."""
    stats = outcome.stats
    records, clusters = stats["records"], stats["clusters"]
    console.print()
    console.print(Text(f"{records:,} records are {clusters:,} customers", style="bold"))
    doubles, largest = stats["records_with_a_duplicate"], stats["largest_cluster"]
    if doubles:
        console.print(
            f"{doubles:,} records share a customer with another one;"
            f" the largest cluster has {largest:,}"
        )
    compared = stats["pairs_compared"] + stats["pairs_added_inside_clusters"]
    console.print(f"{compared:,} pairs compared, {stats['suggestions']:,} of them are worth a look")
    for file in stats["files"]:
        left = sum(one["count"] for one in file["left_out"])
        if left:
            kinds = sorted({one["what"] for one in file["left_out"]})
            console.print(
                f"{file['file']}: {left:,} rows are no records ({', '.join(kinds)})", style="dim"
            )
    if any(
        model.basis == "prior" for model in outcome.models.values() if model.trained_on["pairs"]
    ):
        console.print(
            "Too few pairs or columns to learn weights from: the built-in ones were used",
            style="dim",
        )
