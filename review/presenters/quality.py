"""Figures of quality as pages show them: shares against targets, and how they went.

A line is drawn from the figures of the last ninety days: each day's last share,
between the lowest and the highest of them, ten points apart at least, so that
noise does not look like a fall.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from review.language import N_
from warehouse.quality import Measure
from warehouse.quality_policy import MEASURES, OF_RECORDS, QualityPolicy
from warehouse.staged_counts import FIELDS

SPAN = timedelta(days=90)
WIDTH, HEIGHT, EDGE = 96.0, 24.0, 2.5
_LEAST = 0.1
_LEAST_BAD = 0.05
"""So far below a target a share is bad, not only low."""

NAMES: Mapping[str, str] = {
    "accepted": N_("Accepted"),
    "single": N_("Without duplicates"),
    "completeness": N_("Complete"),
    "validity": N_("Valid"),
    "uniqueness": N_("Unique"),
    "timeliness": N_("Timely"),
    "consistency": N_("Consistent"),
}
"""Measure → what its column is called."""
MEANINGS: Mapping[str, str] = {
    "accepted": N_("records read that were not kept out whole"),
    "single": N_("records that are distinct customers"),
    "completeness": N_("records the field applies to that have a value"),
    "validity": N_("values given that keep the field's rules"),
    "uniqueness": N_("numbers that only one record has"),
    "timeliness": N_("records changed within the time that onefold.yml sets"),
    "consistency": N_("values equal to the golden one, of customers that several sources hold"),
}
"""Measure → what its share is of, in words."""


@dataclass(frozen=True)
class Cell:
    """A share with its target and its way.

    Attributes:
        share: 0 to 1.
        good, counted: what it is of.
        target: the share wanted, or None.
        tone: good, warn, bad, or empty where there is no target.
        line: points of a polyline in a box of WIDTH by HEIGHT; empty for fewer than two days.
        change: share now less the first one of the line; None without a line.
        since: the first day of the line.
    """

    share: float
    good: int
    counted: int
    target: float | None
    tone: str
    line: str
    change: float | None
    since: date | None


Rows = dict[str, dict[str, Cell]]
"""Row (a source, or a field) → measure → cell."""


def by_source(figures: Sequence[Measure], past: Iterable[Measure], policy: QualityPolicy) -> Rows:
    """One row per source, all fields of a measure together; no targets but those of records."""
    return _rows(figures, past, lambda one: one.source, policy, of_records=True)


def by_field(figures: Sequence[Measure], past: Iterable[Measure], policy: QualityPolicy) -> Rows:
    """One row per field of one source, in the order of pages; '' is the records as a whole."""
    found = _rows(figures, past, lambda one: one.field, policy, of_records=False)
    return {name: found[name] for name in ("", *FIELDS) if name in found}


def columns(rows: Rows) -> list[str]:
    """The measures that some row has, in their order."""
    return [name for name in MEASURES if any(name in row for row in rows.values())]


def _rows(
    figures: Sequence[Measure],
    past: Iterable[Measure],
    row_of: Callable[[Measure], str],
    policy: QualityPolicy,
    *,
    of_records: bool,
) -> Rows:
    days: dict[tuple[str, str], dict[date, tuple[int, int]]] = defaultdict(dict)
    newest = max((one.day for one in figures), default=None)
    for one in (*(one for one in past if one.day != newest), *figures):
        of_day = days[row_of(one), one.measure]
        good, counted = of_day.get(one.day, (0, 0))
        of_day[one.day] = (good + one.good, counted + one.counted)
    found: Rows = {}
    for (row, measure), of_day in days.items():
        if newest not in of_day:
            continue
        target = policy.target(measure, "" if of_records else row)
        if of_records and measure not in OF_RECORDS:
            target = None
        found.setdefault(row, {})[measure] = _cell(of_day, target)
    return dict(sorted(found.items()))


def _cell(of_day: Mapping[date, tuple[int, int]], target: float | None) -> Cell:
    ordered = sorted(of_day.items())
    shares = [(day, good / counted) for day, (good, counted) in ordered]
    good, counted = ordered[-1][1]
    share = good / counted
    several = len(shares) > 1
    return Cell(
        share=share,
        good=good,
        counted=counted,
        target=target,
        tone=_tone(share, target),
        line=_line(shares) if several else "",
        change=share - shares[0][1] if several else None,
        since=shares[0][0] if several else None,
    )


def _tone(share: float, target: float | None) -> str:
    if target is None:
        return ""
    if share >= target:
        return "good"
    return "warn" if share >= target - _LEAST_BAD else "bad"


def _line(shares: Sequence[tuple[date, float]]) -> str:
    """Points of a polyline.

    >>> _line([(date(2026, 1, 1), 0.5), (date(2026, 1, 3), 1.0)])
    '2.5,21.5 93.5,2.5'
    """
    values = [share for _, share in shares]
    low, high = min(values), max(values)
    if high - low < _LEAST:
        middle = (low + high) / 2
        low, high = middle - _LEAST / 2, middle + _LEAST / 2
    first, last = shares[0][0], shares[-1][0]
    days = (last - first).days
    points = []
    for day, share in shares:
        x = EDGE + (WIDTH - 2 * EDGE) * (day - first).days / days
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (share - low) / (high - low)
        points.append(f"{x:.1f},{y:.1f}")
    return " ".join(points)
