"""A pair's waterfall as an SVG picture: light background, any script, readable by a reader.

What belongs here: lines and boxes. Sentences come from the facts; the few words
of the picture itself are messages, too.
"""

import unicodedata
from collections.abc import Iterator
from xml.sax.saxutils import escape

from dedupe.explaining.facts import Pair, Step, both_values
from dedupe.explaining.messages import Message, message, say
from dedupe.explaining.words import signed

WIDTH, MARGIN = 960, 28
CHART_LEFT, CHART_RIGHT = 500, WIDTH - 84
SIZE, SMALL = 14, 12
FONTS = (
    "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',"
    "'Noto Sans',system-ui,sans-serif"
)
INK, PALE, GRID = "#1f2933", "#616e7c", "#d9e2ec"
UP, DOWN, TOTAL, CUT = "#1b7f5c", "#b83a3a", "#3e4c63", "#9a6700"


def waterfall(pair: Pair, language: str = "en") -> str:
    """The picture of a pair's weights, as SVG text."""
    left, right = pair.left, pair.right
    title = say(message("{left} and {right}", left=left.name, right=right.name), language)
    verdict = say(pair.verdict, language)
    rows = [_Row(pair, step, language) for step in pair.steps]
    head = wrapped(verdict, WIDTH - 2 * MARGIN, SIZE)
    top = 92 + 20 * len(head)
    bottom = top + sum(row.height for row in rows)
    height = bottom + 66
    scale = _Scale([0.0, pair.match_bits, *(step.sum_bits for step in pair.steps)])
    sums = say(_total(pair), language)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title desc" lang="{language}" '
        f'font-family="{FONTS}" font-size="{SIZE}">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(_described(pair, verdict, sums, language))}</desc>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text_element(MARGIN, 40, fitted(title, WIDTH - 2 * MARGIN, 20), size=20, weight=600),
        text_element(MARGIN, 62, f"{left.record_id}  ·  {right.record_id}", size=SMALL, fill=PALE),
    ]
    for number, line in enumerate(head):
        parts.append(text_element(MARGIN, 88 + 20 * number, line))
    parts += _axis(scale, top, bottom, pair.match_bits, language)
    y, before = float(top), 0.0
    for number, row in enumerate(rows):
        after = rows[number + 1].height / 2 if number + 1 < len(rows) else 18.0
        parts += row.drawn(y, before, scale, y + row.height + after - 9)
        y, before = y + row.height, row.step.sum_bits
    parts += _sum(scale, y, pair, sums)
    return "\n".join([*parts, "</svg>", ""])


class _Scale:
    """Bits to pixels."""

    def __init__(self, bits: list[float]) -> None:
        low, high = min(bits), max(bits)
        room = max(high - low, 4.0) * 0.08
        self.low, self.high = low - room, max(high, low + 4.0) + room

    def x(self, bits: float) -> float:
        share = (bits - self.low) / (self.high - self.low)
        return CHART_LEFT + share * (CHART_RIGHT - CHART_LEFT)


class _Row:
    """A step: its sentence, what the records say, its bar."""

    def __init__(self, pair: Pair, step: Step, language: str) -> None:
        self.step = step
        self.lines = wrapped(say(step.says, language), CHART_LEFT - MARGIN - 30, SIZE)
        self.values = both_values(pair, step)
        self.tip = self.values
        self.values = fitted(self.values, CHART_LEFT - MARGIN - 30, SMALL)
        self.height = 18 * len(self.lines) + (17 if self.values else 0) + 14

    def drawn(self, y: float, before: float, scale: _Scale, until: float) -> Iterator[str]:
        """Its elements; ``until`` is where the bar after it begins."""
        for number, line in enumerate(self.lines):
            yield text_element(MARGIN, y + 18 + 18 * number, line)
        if self.values:
            at = y + 18 * len(self.lines) + 16
            values = text_element(MARGIN, at, self.values, size=SMALL, fill=PALE)
            yield f"<g><title>{escape(self.tip)}</title>{values}</g>"
        start, end = scale.x(before), scale.x(self.step.sum_bits)
        fill = TOTAL if self.step.kind == "prior" else UP if self.step.bits >= 0 else DOWN
        middle, below = y + self.height / 2, y + self.height
        yield _bar(start, end, middle, fill)
        yield text_element(
            max(start, end) + 6, middle + 5, signed(self.step.shown_tenths), fill=fill
        )
        yield _line(end, middle + 9, end, until, PALE)
        yield _line(MARGIN, below, CHART_LEFT - 20, below, GRID)


def _axis(scale: _Scale, top: float, bottom: float, cut: float, language: str) -> list[str]:
    """Zero and the cut, over the whole height; the cut's name above, zero's below."""
    zero, at = scale.x(0.0), scale.x(cut)
    label = say(message("cut {bits}", bits=signed(round(cut * 10))), language)
    return [
        _line(zero, top, zero, bottom + 34, PALE),
        _line(at, top - 6, at, bottom + 34, CUT, dash="4 3"),
        text_element(zero, bottom + 50, "0", size=SMALL, fill=PALE, anchor="middle"),
        text_element(at, top - 10, label, size=SMALL, fill=CUT, anchor="middle"),
    ]


def _sum(scale: _Scale, y: float, pair: Pair, words: str) -> list[str]:
    start, end = scale.x(0.0), scale.x(pair.weight_bits)
    tenths = sum(step.shown_tenths for step in pair.steps)
    return [
        text_element(MARGIN, y + 23, words, weight=600),
        _bar(start, end, y + 18, TOTAL),
        text_element(max(start, end) + 6, y + 23, signed(tenths), weight=600, fill=TOTAL),
    ]


def _bar(start: float, end: float, middle: float, fill: str) -> str:
    low, width = min(start, end), max(abs(end - start), 1.5)
    return (
        f'<rect x="{low:.1f}" y="{middle - 9:.1f}" width="{width:.1f}" height="18" rx="2" '
        f'fill="{fill}"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"{dashed}/>'
    )


def _total(pair: Pair) -> Message:
    return message(
        "In all {bits} bits: probability {probability}",
        bits=signed(round(pair.weight_bits * 10)),
        probability=f"{pair.probability:.1%}",
    )


def _described(pair: Pair, verdict: str, sums: str, language: str) -> str:
    """The picture in words, for those who do not see it."""
    lines = [f"{say(step.says, language)} {signed(step.shown_tenths)}" for step in pair.steps]
    return " ".join([verdict, *lines, sums])


def text_element(
    x: float,
    y: float,
    text: str,
    *,
    size: int = SIZE,
    fill: str = INK,
    weight: int = 400,
    anchor: str = "start",
) -> str:
    """A text of the picture."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )


def text_width(text: str, size: int) -> float:
    """Roughly how wide a text is drawn, in pixels: wide characters are square.

    >>> text_width("中国", 14), round(text_width("ab", 14), 1)
    (28.0, 15.4)
    """
    return sum(size * (1.0 if unicodedata.east_asian_width(c) in "WF" else 0.55) for c in text)


def fitted(text: str, width: float, size: int) -> str:
    """A text cut to a width."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def wrapped(text: str, width: float, size: int) -> list[str]:
    """A text in lines of at most a width: broken at blanks, or after a wide character."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and text_width(line + piece.rstrip(), size) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> Iterator[str]:
    """Where a line may break: words with the blank after them; single wide characters, with
    the punctuation that must not begin a line."""
    piece = ""
    for c in text:
        wide = unicodedata.east_asian_width(c) in "WF"
        if piece and (piece[-1] == " " or (wide and c not in "，。；：、）”？！")):
            yield piece
            piece = ""
        piece += c
    if piece:
        yield piece
