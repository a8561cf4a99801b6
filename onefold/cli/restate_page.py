"""A restatement as one HTML file: the sentence, the way from before to after, tables.

What belongs here: the plots, drawn as SVG, and the page around them
(onefold/templates/restatement.html). It holds ids, names of sources and
regions, and counts: no customer's values.
"""

from pathlib import Path
from zoneinfo import ZoneInfo

from markupsafe import Markup

from onefold.cli import html_file
from warehouse.restatement import ALL, CAUSES, GAINS, Line, Restatement

_WIDTH, _HEIGHT, _FOOT, _HEAD = 760, 240, 36, 20
_COLORS = {"total": "#5d6f68", "gain": "#0b6e4f", "loss": "#a8402c"}
_SHOWN = 500
"""Ids that the page lists; all are in the file of --ids."""


def write(made: Restatement, path: Path, zone: ZoneInfo) -> None:
    """Write the page; a whole file or none."""
    groups: dict[str, list[Line]] = {}
    for line in made.lines:
        if line.dimension != ALL:
            groups.setdefault(line.dimension, []).append(line)
    html_file.write(
        path,
        "restatement.html",
        made=made,
        sentence=made.sentence,
        since=made.since.astimezone(zone),
        until=made.until.astimezone(zone),
        waterfall=waterfall(made.total),
        groups=groups,
        causes=[name for name in CAUSES if any(line.causes[name] for line in made.lines)],
        shown=made.moved[:_SHOWN],
        bar=bar,
    )


def waterfall(line: Line) -> Markup:
    """From before to after in steps, on a scale that shows the steps.

    The axis does not begin at 0 where nearly all customers stayed, and says so.
    """
    steps: list[tuple[str, int, int, str]] = [("before", 0, line.before, "total")]
    level = line.before
    for name in CAUSES:
        count = line.causes[name]
        if count:
            gain = name in GAINS
            end = level + count if gain else level - count
            steps.append((name.replace("_", " "), level, end, "gain" if gain else "loss"))
            level = end
    steps.append(("after", 0, line.after, "total"))
    edges = [
        edge
        for _, start, end, kind in steps
        for edge in ((end,) if kind == "total" else (start, end))
    ]
    top, low = max([*edges, 1]), min(edges)
    span = top - low
    base = 0 if low < 2 * span or span == 0 else max(low - span, 0)
    room = _HEIGHT - _FOOT - _HEAD
    step = _WIDTH / len(steps)

    def y(value: int) -> float:
        return _HEAD + room * (1 - (value - base) / max(top - base, 1))

    parts = [
        Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            _WIDTH, _HEIGHT, f"from {line.before:,} to {line.after:,} customers"
        )
    ]
    for i, (name, start, end, kind) in enumerate(steps):
        high, bottom = max(start, end), base if kind == "total" else min(start, end)
        figure = f"{end:,}" if kind == "total" else f"{end - start:+,}".replace("-", "−")
        middle = i * step + step / 2
        parts.append(
            Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"/>'
                '<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>'
                '<text x="{:.1f}" y="{}" text-anchor="middle" class="label">{}</text>'
            ).format(
                i * step + step * 0.15, y(high), step * 0.7, max(y(bottom) - y(high), 1.0),
                _COLORS[kind], middle, y(high) - 5, figure, middle, _HEIGHT - 18, name,
            )
        )  # fmt: skip
    if base:
        parts.append(
            Markup('<text x="0" y="{}" class="label">The bars begin at {:,}.</text>').format(
                _HEIGHT - 2, base
            )
        )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def bar(line: Line, most: int) -> Markup:
    """Before and after as two thin bars."""
    widths = [200 * value / max(most, 1) for value in (line.before, line.after)]
    return Markup(
        '<svg viewBox="0 0 200 14" class="pair" aria-hidden="true">'
        '<rect width="{:.1f}" height="6" fill="#c9d6d0"/>'
        '<rect y="7" width="{:.1f}" height="6" fill="#0b6e4f"/></svg>'
    ).format(*widths)
