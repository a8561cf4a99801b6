"""What ``onefold dedupe`` shows and writes: columns, progress, summary, examples, files.

The values of a few records are shown, on the terminal only: the file is the
user's own. What is counted and written to ``--stats`` holds none.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from connectors.recognition import Column
from dedupe.files import STAGES, Outcome
from dedupe.files import Progress as Report
from onefold.errors import ConfigError

console = Console(highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)

EXAMPLES = 3
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
_SHOWN = (
    *("name", "family_name", "given_name", "organization_name", "birth_date", "mobile", "phone"),
    *("email", "national_id", "tax_id", "identifier", "address", "city", "postal_code"),
)
"""Fields of the examples, the most telling first."""
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

            csv.write_csv(records, temporary)
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
        _show_examples(outcome)
    _show_summary(outcome)
    seconds = f"{outcome.stats['seconds_total']:.1f} s"
    if out is None:
        console.print(f"{seconds}; nothing is written without --out FILE", style="dim")
    else:
        console.print(f"{seconds}; wrote {out}", style="dim")


def _show_columns(outcome: Outcome) -> None:
    """The table of columns: what each is taken for, how sure, and why."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("column", overflow="ellipsis", no_wrap=True, max_width=28)
    table.add_column("taken for", no_wrap=True)
    table.add_column("sure", justify="right")
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
            "Too few pairs to learn weights from: the built-in ones were used", style="dim"
        )


def _show_examples(outcome: Outcome) -> None:
    """A few clusters that were found, and a few pairs that are uncertain."""
    view = _View(outcome)
    found = _telling_clusters(outcome, view)
    if found:
        console.print()
        console.print("Found, for example", style="bold")
        console.print(view.table(found))
    doubtful = _doubtful_pairs(outcome)
    if doubtful:
        console.print()
        console.print("Uncertain, for example", style="bold")
        console.print(view.table(doubtful))


class _View:
    """Records as rows of a table: where they stand, and their most telling columns."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        columns = [
            c for c in outcome.recognition.columns if c.role == "field" and c.field in _SHOWN
        ]
        columns.sort(key=lambda column: _SHOWN.index(column.field))
        room = max(2, (shutil.get_terminal_size((100, 24)).columns - 18) // 16)
        self.names = [column.name for column in columns[:room]]
        tables = [file.table for file in outcome.files]
        self._several = len(tables) > 1
        self._starts = [0]
        for table in tables:
            self._starts.append(self._starts[-1] + table.num_rows)

    def cells(self, record: int) -> list[str]:
        """The cells of a record, by its place in ``outcome.records``."""
        file = next(i for i, start in enumerate(self._starts[1:]) if record < start)
        table, row = self._outcome.files[file].table, record - self._starts[file]
        there = set(table.column_names)
        return [(table[name][row].as_py() or "" if name in there else "") for name in self.names]

    def _place(self, record: int) -> str:
        row = self._outcome.records.slice(record, 1).to_pylist()[0]
        sheet = f" {row['sheet']}" if row.get("sheet") else ""
        return (
            f"{row['file']}{sheet} {row['row']}"
            if self._several
            else f"{sheet} {row['row']}".strip()
        )

    def table(self, groups: list[tuple[str, list[int]]]) -> Table:
        """Groups of records under each other; what differs within a group stands out."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
        table.add_column("sure", justify="right", no_wrap=True)
        table.add_column("row", justify="right", no_wrap=True, overflow="ellipsis", max_width=24)
        for name in self.names:
            table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=26, ratio=1)
        for number, (label, group) in enumerate(groups):
            if number:
                table.add_section()
            rows = [self.cells(record) for record in group]
            for place, cells in enumerate(rows):
                shown = [
                    Text(cell, style="" if all(r[i] == cell for r in rows) else "yellow")
                    for i, cell in enumerate(cells)
                ]
                table.add_row("" if place else label, self._place(group[place]), *shown)
        return table


def _telling_clusters(outcome: Outcome, view: _View) -> list[tuple[str, list[int]]]:
    """Sure clusters whose records look least alike."""
    ids, sure = outcome.records["cluster_id"], outcome.records["confidence"]
    counts = pc.value_counts(ids)
    wanted = counts.filter(
        pc.is_in(counts.field("counts"), value_set=pa.array([2, 3, 4], pa.int64()))
    )
    some = wanted.field("values")[:400]
    rows = pc.indices_nonzero(pc.is_in(ids, value_set=some)).to_pylist()
    groups: dict[int, list[int]] = {}
    for row in rows:
        groups.setdefault(ids[row].as_py(), []).append(row)
    ranked = []
    for group in groups.values():
        least = min(sure[row].as_py() for row in group)
        cells = [view.cells(row) for row in group]
        unlike = sum(len({row[i] for row in cells if row[i]}) > 1 for i in range(len(view.names)))
        shared = sum(
            len({row[i] for row in cells}) == 1 and bool(cells[0][i])
            for i in range(len(view.names))
        )
        if least >= 0.9 and shared:
            ranked.append((-unlike, group[0], f"{least:.0%}", group))
    return [(label, group) for _, _, label, group in sorted(ranked)[:EXAMPLES]]


def _doubtful_pairs(outcome: Outcome) -> list[tuple[str, list[int]]]:
    """The suggested merges nearest to the cut."""
    pairs = outcome.suggestions
    if not pairs.num_rows:
        return []
    cut = outcome.stats["thresholds"]["match"]
    pairs = pairs.filter(pc.equal(pairs["kind"], "merge"))
    far = pc.abs(pc.subtract(pairs["probability"], cut))
    order = pc.sort_indices(far)[:EXAMPLES]
    ids = outcome.staged["record_id"].combine_chunks()
    return [
        (
            f"{pair['probability']:.0%}",
            [pc.index(ids, pair[side]).as_py() for side in ("left_id", "right_id")],
        )
        for pair in pairs.take(order).to_pylist()
    ]
