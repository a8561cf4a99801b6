"""A profile as one HTML file: tables and plots, nothing loaded from elsewhere.

What belongs here: the plots, drawn as SVG, and the page around them
(onefold/templates/profile.html). Values are masked unless somebody asks for
them.
"""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from onefold.cli import html_file
from rules.onboarding.profile import Profile
from rules.onboarding.proposal import SURE
from rules.onboarding.statistics import Statistics

_GREEN, _PALE, _LINE = "#0b6e4f", "#8fb9a8", "#c9d6d0"
_WIDTH, _ROW, _LABEL, _FIGURE = 420, 20, 190, 70
_HEIGHT, _FOOT = 120, 18
_MOST_BARS = 60
_LONGEST_LABEL = 28


def write(profile: Profile, path: Path, *, show_values: bool = False) -> None:
    """Write a profile; a whole file or none.

    Args:
        show_values: show frequent values of columns that have few, instead of their masks.
    """
    html_file.write(
        path,
        "profile.html",
        profile=profile,
        plots=_Plots(),
        show_values=show_values,
        sure=SURE,
    )


class _Plots:
    """The plots of one column, for the template."""

    @staticmethod
    def fill(found: Statistics) -> Markup:
        """A small bar: the share of the rows that is filled."""
        label = f"{found.fill:.0%}"
        return Markup(
            '<svg viewBox="0 0 130 14" style="width:130px" role="img" aria-label="{0}">'
            '<rect width="90" height="12" y="1" fill="#eceff0"/>'
            '<rect width="{1:.1f}" height="12" y="1" fill="{2}"/>'
            '<text x="96" y="11">{0}</text></svg>'
        ).format(label, 90 * found.fill, _GREEN)

    @staticmethod
    def of(found: Statistics, show_values: bool) -> list[tuple[str, Markup]]:
        """Title and plot: what values look like, their patterns, lengths, years."""
        plots = []
        if found.kinds:
            kinds = [(kind.replace("_", " "), share) for kind, share in found.kinds]
            plots.append(("what values look like, share", _bars(kinds, 1.0, percent=True)))
        if show_values and found.values:
            top = max(count for _, count in found.values)
            plots.append(("values, rows", _bars(found.values, top)))
        else:
            top = max(count for _, count in found.patterns)
            plots.append(("frequent forms, rows", _bars(found.patterns, top)))
        if found.values and not show_values:
            numbered = [(f"value {i}", n) for i, (_, n) in enumerate(found.values, 1)]
            plots.append(("rows per value, masked", _bars(numbered, numbered[0][1])))
        if found.years:
            plots.append(("years, rows", _histogram(found.years)))
        elif len(found.lengths) > 1:
            plots.append(("length in characters, rows", _histogram(found.lengths)))
        return plots


def _bars(rows: Sequence[tuple[str, float]], top: float, *, percent: bool = False) -> Markup:
    """Horizontal bars with label and figure."""
    height = _ROW * len(rows)
    parts = [Markup('<svg viewBox="0 0 {} {}" role="img">').format(_WIDTH, height)]
    room = _WIDTH - _LABEL - _FIGURE
    for i, (label, value) in enumerate(rows):
        shown = label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
        figure = f"{value:.0%}" if percent else f"{value:,}"
        width = max(room * value / max(top, 1e-9), 1.0)
        y = _ROW * i
        parts.append(
            Markup(
                '<text x="{}" y="{}" text-anchor="end"><title>{}</title>{}</text>'
                '<rect x="{}" y="{}" width="{:.1f}" height="{}" fill="{}"/>'
                '<text x="{:.1f}" y="{}">{}</text>'
            ).format(
                *(_LABEL - 8, y + 14, label, shown),
                *(_LABEL, y + 3, width, _ROW - 6, _PALE),
                *(_LABEL + width + 6, y + 14, figure),
            )
        )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _histogram(counts: Sequence[tuple[int, int]]) -> Markup:
    """Upright bars over whole numbers, several of them in one bar where there are many."""
    low, high = counts[0][0], counts[-1][0]
    step = max(1, -(-(high - low + 1) // _MOST_BARS))
    heights = [0] * ((high - low) // step + 1)
    for number, count in counts:
        heights[(number - low) // step] += count
    width, room, top = _WIDTH / len(heights), _HEIGHT - _FOOT, max(heights)
    parts = [
        Markup('<svg viewBox="0 0 {} {}" role="img">').format(_WIDTH, _HEIGHT),
        Markup('<line x1="0" y1="{0}" x2="{1}" y2="{0}" stroke="{2}"/>').format(
            room, _WIDTH, _LINE
        ),
    ]
    for i, count in enumerate(heights):
        tall = (room - 4) * count / top
        first = low + i * step
        title = str(first) if step == 1 else f"{first}–{min(first + step - 1, high)}"
        parts.append(
            Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}">'
                "<title>{}: {:,}</title></rect>"
            ).format(i * width + 1, room - tall, max(width - 2, 1.0), tall, _PALE, title, count)
        )
    parts.append(
        Markup(
            '<text x="0" y="{0}">{1}</text><text x="{2}" y="{0}" text-anchor="end">{3}</text>'
        ).format(_HEIGHT - 4, low, _WIDTH, high)
    )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)
