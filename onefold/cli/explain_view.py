"""Explanations on the terminal: facts into tables and bars."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedupe.explaining.blocks import HIDDEN
from dedupe.explaining.facts import Cluster, Key, Neighbor, Pair, Record, Step, both_values
from dedupe.explaining.messages import Message, message, say
from dedupe.explaining.values import Choice
from dedupe.explaining.words import field_name, signed

BAR, SHOWN_KEYS = 20, 4


class View:
    """Facts as what rich prints, in a language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def _say(self, said: Message) -> str:
        return say(said, self.language)

    # ------------------------------------------------------------------ golden values
    def values(self, golden_id: str, made: list[Choice], waiting: list[str]) -> RenderableType:
        """Each golden value, whose it is, and what lost; ``waiting`` are not published yet."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 1), title=golden_id)
        for heading in ("Value", "Why"):
            table.add_column(self._say(_HEADINGS[heading]), overflow="fold")
        for one in made:
            sentence = Text(self._say(one.sentence), style="bold")
            if one.head in waiting:
                sentence.append(f" {self._say(message('(from the next publish on)'))}", "yellow")
            for pin in one.pins:
                day = f"{pin.decided_at:%Y-%m-%d}" if pin.decided_at else ""
                sentence.append(f"\n{' '.join(filter(None, (day, pin.reason)))}", "dim")
            table.add_row(Text(_text(one.values)), sentence)
            for lost in one.lost:
                told = Text(lost.claim.record_id, style="dim")
                told.append(f": {self._say(lost.why)}")
                table.add_row(Text(_text(lost.claim.values), style="dim"), told)
            table.add_section()
        return table

    # ------------------------------------------------------------------ a pair
    def pair(self, pair: Pair) -> RenderableType:
        """The outcome, the two records, the waterfall, and keys where there was none."""
        parts: list[RenderableType] = [self._verdict(pair.verdict, pair.together)]
        parts += [Text(f"  {self._say(reason)}") for reason in pair.reasons]
        if pair.suggestion is not None:
            parts.append(Text(f"  {self._say(pair.suggestion)}"))
        parts += [self._records((pair.left, pair.right)), self._waterfall(pair)]
        if pair.not_compared:
            fields = [field_name(field) for field in pair.not_compared]
            absent = message(
                "Not compared, missing in one or of different kinds: {fields}.", fields=fields
            )
            parts.append(Text(f" {self._say(absent)}", style="dim"))
        if pair.found_by:
            parts.append(Text(f" {self._say(self._found(pair.found_by))}", style="dim"))
        if pair.keys:
            parts.append(self._keys(pair.keys))
        return Group(*parts)

    def _found(self, kinds: Iterable[str]) -> Message:
        from dedupe.blocking_keys import KINDS

        named = [message(KINDS[kind]) for kind in kinds if kind in KINDS]
        if not named:
            return message("Compared because other records connect the two.")
        return message("Compared because they have in common: {kinds}.", kinds=named)

    def _verdict(self, verdict: Message, together: bool) -> Text:
        return Text(f"\n {self._say(verdict)}", style="bold green" if together else "bold")

    def _records(self, records: Iterable[Record]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 1))
        for heading in ("Record", "Name", "Golden customer"):
            table.add_column(
                self._say(_HEADINGS[heading]), overflow="fold", no_wrap=heading == "Record"
            )
        for one in records:
            table.add_row(one.record_id, one.name, one.golden_id or "")
        return table

    def _waterfall(self, pair: Pair) -> Table:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 1))
        table.add_column(self._say(_HEADINGS["Bits"]), justify="right", no_wrap=True)
        table.add_column(self._say(_HEADINGS["Sum"]), justify="right", no_wrap=True)
        table.add_column("", no_wrap=True, width=BAR + 1)
        table.add_column(self._say(_HEADINGS["Why"]), overflow="fold")
        bar = _Bars([0.0, *(step.sum_bits for step in pair.steps)])
        before, total = 0.0, 0
        for step in pair.steps:
            total += step.shown_tenths
            table.add_row(
                signed(step.shown_tenths),
                signed(total),
                bar.drawn(before, step.sum_bits, step.kind == "prior"),
                self._why(pair, step),
            )
            before = step.sum_bits
        sums = message(
            "In all {bits} bits: probability {probability}",
            bits=signed(total),
            probability=f"{pair.probability:.1%}",
        )
        cut = message("a match from {bits}", bits=signed(round(pair.match_bits * 10)))
        table.add_section()
        table.add_row(
            "",
            signed(total),
            bar.drawn(0.0, pair.weight_bits, True),
            Text(f"{self._say(sums)} ({self._say(cut)})", style="bold"),
        )
        return table

    def _why(self, pair: Pair, step: Step) -> Text:
        text = Text(self._say(step.says))
        if step.match_share is not None and step.other_share is not None:
            shares = message(
                " {matches} of matches, {others} of other pairs.",
                matches=_share(step.match_share),
                others=_share(step.other_share),
            )
            text.append(self._say(shares), style="dim")
        said = both_values(pair, step)
        if said:
            text.append(f"\n{said}", style="dim")
        return text

    def _keys(self, keys: Iterable[Key]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 1))
        for heading in ("Key", "Left", "Right", "In common"):
            table.add_column(
                self._say(_HEADINGS[heading]), overflow="fold", no_wrap=heading == "Record"
            )
        for key in keys:
            if not key.shared and {*key.left, *key.right} <= {HIDDEN}:
                continue  # nothing of such a key can be shown
            common = _some(key.shared)
            if key.left_out_records is not None:
                wide = message("{count} record", "{count} records", count=key.left_out_records)
                common += f" ({self._say(wide)} > {key.limit})"
            table.add_row(self._say(key.says), _some(key.left), _some(key.right), common)
        return table

    # ------------------------------------------------------------------ a cluster, a record
    def cluster(self, cluster: Cluster) -> RenderableType:
        """The records, the weakest link and what hangs on it, what is near."""
        parts: list[RenderableType] = [self._verdict(cluster.verdict, len(cluster.records) > 1)]
        parts += [Text(f"  {self._say(reason)}") for reason in cluster.reasons]
        parts.append(self._records(cluster.records))
        if cluster.weakest is not None:
            head = message(
                "The weakest link: {left} and {right}",
                left=cluster.weakest.pair.left.record_id,
                right=cluster.weakest.pair.right.record_id,
            )
            parts += [
                Text(f" {self._say(head)}", style="bold"),
                self._waterfall(cluster.weakest.pair),
            ]
        parts += self._neighbors(cluster.neighbors)
        return Group(*parts)

    def record(self, record: Record, neighbors: Iterable[Neighbor]) -> RenderableType:
        """A record, what it says, and its nearest others."""
        table = Table(box=box.SIMPLE, show_header=False, padding=(0, 1, 0, 1))
        for field, value in record.values.items():
            table.add_row(self._say(field_name(field)), value)
        return Group(self._records([record]), table, *self._neighbors(tuple(neighbors)))

    def _neighbors(self, neighbors: tuple[Neighbor, ...]) -> list[RenderableType]:
        if not neighbors:
            return [
                Padding(Text(self._say(message("No further record was compared with it."))), (0, 1))
            ]
        table = Table(
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 1),
            title=self._say(message("Nearest others")),
            title_justify="left",
            title_style="bold",
        )
        table.add_column("%", justify="right", no_wrap=True)
        table.add_column(self._say(_HEADINGS["Bits"]), justify="right", no_wrap=True)
        for heading in ("Record", "Name", "Why"):
            table.add_column(
                self._say(_HEADINGS[heading]), overflow="fold", no_wrap=heading == "Record"
            )
        for one in neighbors:
            table.add_row(
                f"{one.probability:.1%}",
                signed(round(one.weight_bits * 10)),
                one.record.record_id,
                one.record.name,
                self._say(one.says),
                style="green" if one.together else None,
            )
        return [table]


_HEADINGS = {
    "Record": message("Record"),
    "Name": message("Name"),
    "Golden customer": message("Golden customer"),
    "Bits": message("Bits"),
    "Sum": message("Sum"),
    "Why": message("Why"),
    "Value": message("Value"),
    "Key": message("Key"),
    "Left": message("Left"),
    "Right": message("Right"),
    "In common": message("In common"),
}


def _some(keys: tuple[str, ...]) -> str:
    """The first keys, and how many there are where that is not all.

    >>> _some(("a", "b")), _some(tuple("abcdefg")), _some(())
    ('a, b', 'a, b, c, d, … (7)', '–')
    """
    if len(keys) <= SHOWN_KEYS + 1:
        return ", ".join(keys) or "–"
    return f"{', '.join(keys[:SHOWN_KEYS])}, … ({len(keys)})"


def _share(share: float) -> str:
    """A share as percent, to two places of what there is.

    >>> _share(0.957), _share(0.0123)
    ('96%', '1.2%')
    """
    return f"{share:.0%}" if share >= 0.0995 else f"{share * 100:.2g}%"


def _text(values: Mapping[str, Any]) -> str:
    """Values that are chosen together, as one line: the first one that there is.

    >>> _text({"address_line": None, "city": "Hull"}), _text({"emails": ["a@b.example", "c"]})
    ('Hull', 'a@b.example; c')
    """
    for value in values.values():
        if isinstance(value, datetime):
            return f"{value:%Y-%m-%d %H:%M}"
        if value not in (None, []):
            return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "–"


class _Bars:
    """Bits to characters."""

    def __init__(self, bits: list[float]) -> None:
        self.low, self.high = min(bits), max(*bits, min(bits) + 4.0)

    def _at(self, bits: float) -> int:
        return round((bits - self.low) / (self.high - self.low) * BAR)

    def drawn(self, before: float, after: float, total: bool = False) -> Text:
        start, end = sorted((self._at(before), self._at(after)))
        style = "blue" if total else "green" if after >= before else "red"
        text = Text(" " * start)
        return text.append("█" * (end - start) or "▏", style=style)
