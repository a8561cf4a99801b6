"""A few records side by side: clusters that were found, pairs that are uncertain."""

import pyarrow as pa
import pyarrow.compute as pc
from rich import box
from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from connectors.content import has_han
from dedupe.files import Outcome

EXAMPLES = 3
_PLACE_WIDTH = 20
_SHOWN: dict[str, tuple[str, ...]] = {
    "name": ("name", "organization_name"),
    "born": ("birth_date",),
    "phone": ("mobile", "phone"),
    "e-mail": ("email",),
    "number": ("national_id", "tax_id", "identifier"),
    "address": ("address",),
    "city": ("city",),
    "postal code": ("postal_code",),
}
"""Columns of the examples, the most telling first, and the fields that they show."""


Group = tuple[str, list[int]]
"""A label, and places in ``outcome.records``."""


def tables(outcome: Outcome, width: int) -> list[tuple[str, Table]]:
    """Title and table of what there is to show, on a terminal of so many characters."""
    view = _View(outcome, width)
    found, doubtful = _telling_clusters(outcome, view), _doubtful_pairs(outcome)
    return [
        (title, view.table(groups))
        for title, groups in (("Found, for example", found), ("Uncertain, for example", doubtful))
        if groups
    ]


class _View:
    """Records as rows of a table: where they stand, and what tells most about them."""

    def __init__(self, outcome: Outcome, width: int) -> None:
        self._outcome = outcome
        tables = [file.table for file in outcome.files]
        found = outcome.recognition
        self._mapped = [found.mapped(table.column_names) for table in tables]
        self._several = len(tables) > 1
        self._starts = [0]
        for table in tables:
            self._starts.append(self._starts[-1] + table.num_rows)
        known = {field for mapped in self._mapped for field in mapped}
        if {"given_name", "family_name"} & known:
            known.add("name")
        self.names = [name for name, fields in _SHOWN.items() if known.intersection(fields)]
        self._room = max(2, (width - 24) // 17)

    def cells(self, record: int) -> list[str]:
        """What is shown of a record, by its place in ``outcome.records``."""
        file = next(i for i, start in enumerate(self._starts[1:]) if record < start)
        row = record - self._starts[file]
        shown = []
        for name in self.names:
            values = self._values(file, row, _SHOWN[name])
            if name == "name" and not values:
                values = [self._two_parts(file, row)]
            shown.append(" ".join(values) if name == "address" else "".join(values[:1]))
        return shown

    def _fullest(self, rows: list[list[str]]) -> list[int]:
        """As many columns as there is room for, those that most rows fill."""
        filled = [sum(bool(row[i]) for row in rows) for i in range(len(self.names))]
        ranked = sorted((i for i, count in enumerate(filled) if count), key=lambda i: -filled[i])
        return sorted(ranked[: self._room])

    def _values(self, file: int, row: int, fields: tuple[str, ...]) -> list[str]:
        table = self._outcome.files[file].table
        columns = [c for field in fields for c in self._mapped[file].get(field, ())]
        return [value for c in columns if (value := table[c][row].as_py())]

    def _two_parts(self, file: int, row: int) -> str:
        """A name that stands in two columns; the family name first where it is Chinese."""
        given = " ".join(self._values(file, row, ("given_name",)))
        family = " ".join(self._values(file, row, ("family_name",)))
        return family + given if has_han(given + family) else f"{given} {family}".strip()

    def _place(self, record: int) -> str:
        """File, sheet and row; a long name is cut, the row never."""
        row = self._outcome.records.slice(record, 1).to_pylist()[0]
        parts = [row["file"] if self._several else "", row.get("sheet") or ""]
        name, number = " ".join(filter(None, parts)), str(row["row"])
        room = _PLACE_WIDTH - len(number) - 1
        if cell_len(name) > room:
            name = set_cell_size(name, room - 1).rstrip() + "…"
        return f"{name} {number}".strip()

    def table(self, groups: list[Group]) -> Table:
        """Groups of records under each other; what differs within a group stands out."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
        table.add_column("sure", justify="right", no_wrap=True, min_width=4)
        places = {record: self._place(record) for _, group in groups for record in group}
        table.add_column(
            "row", justify="right", no_wrap=True, min_width=max(map(cell_len, places.values()))
        )
        cells = {record: self.cells(record) for _, group in groups for record in group}
        columns = self._fullest(list(cells.values()))
        for column in columns:
            table.add_column(self.names[column], no_wrap=True, overflow="ellipsis", max_width=26)
        for number, (label, group) in enumerate(groups):
            if number:
                table.add_section()
            rows = [[cells[record][column] for column in columns] for record in group]
            for place, row in enumerate(rows):
                shown = [
                    Text(cell, style="" if all(r[i] == cell for r in rows) else "yellow")
                    for i, cell in enumerate(row)
                ]
                table.add_row("" if place else label, places[group[place]], *shown)
        return table


def _telling_clusters(outcome: Outcome, view: _View) -> list[Group]:
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


def _doubtful_pairs(outcome: Outcome) -> list[Group]:
    """The suggested merges nearest to the cut."""
    pairs = outcome.suggestions
    if not pairs.num_rows:
        return []
    cut = outcome.stats["thresholds"]["match"]
    pairs = pairs.filter(pc.equal(pairs["kind"], "merge"))
    far = pc.abs(pc.subtract(pairs["probability"], cut))
    order = pc.sort_indices(far)[:EXAMPLES]
    ids = outcome.record_ids
    return [
        (
            f"{pair['probability']:.0%}",
            [pc.index(ids, pair[side]).as_py() for side in ("left_id", "right_id")],
        )
        for pair in pairs.take(order).to_pylist()
    ]
