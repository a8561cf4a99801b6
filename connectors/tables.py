"""What a table in a sheet or text file looks like: heading row, totals, footnotes.

What belongs here: telling headings from titles and records from what only
looks like one. Reading cells is the connector's part; what a heading means
stands in connectors/mapping.py.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from connectors.mapping import LEVELS

LOOK_AHEAD = 60
"""How many rows of a sheet or file may stand before its records."""

Cell = str | float | int | bool | dt.date | dt.datetime | dt.time | dt.timedelta | None
Merge = tuple[tuple[int, int], tuple[int, int]]
"""First and last cell of a merged range, as (row, column) from 0."""

_NOT_HEADING = re.compile(r"^[\W\d_]*$|@|^https?:|\d{5,}|^\d{4}[-/.年]\d{1,2}")
_LABEL = re.compile(r"^[^:：]{1,12}[:：]\s*\S")
_LONGEST = 200
_AMOUNT = re.compile(r"[-+¥$€£\d,.%:]+")
_TOTAL = re.compile(
    r"^(本页|本月|本年|全部|客户|人数|户数)?(合计|总计|小计|共计|累计|总数|合共)"
    r"(客户|户数|人数|数量|条数|记录)?[:：=]?[\d,.，]*(户|家|人|条|笔|个|名|位|条记录|元)?$"
    r"|^共[\d,]+(户|家|人|条|笔|个|名|位|条记录)(客户|记录)?$"
    r"|^(grand|sub|page|report|overall)?-?(total|subtotal|totals|summe|gesamt|gesamtsumme|somme)"
    r"(customers|clients|records|rows|count|entries|number)?(of)?(customers|clients|records|rows)?"
    r"[:=]?[\d,.]*(customers|clients|records|rows|entries)?$"
)
_FOOTNOTE = re.compile(
    r"^(制表人?|制单人?|填表人?|审核人?|复核人?|打印人?|打印时间|打印日期|制表日期|制表时间|填表日期"
    r"|导出时间|导出日期|报表日期|统计人|经办|说明|注意|注|备注|数据来源|来源"
    r"|preparedby|printed|printedon|printedby|exported|exportedon|exportedby|createdby|reportdate"
    r"|generated|generatedon|generatedby|source|note|notes|confidential)[:：]"
    r"|^(page|seite)\d+((of|von|/)\d+)?$|^第\d+页(,?共\d+页)?$|^(end(of)?(report|list|file)|以下空白|以下无正文)$"
    r"|^\(?\d+rows?(affected|selected|returned)?\)?\.?$"
)

_ODD_START = (
    "合计|总计|总数|合共|小计|共计|累计|^共|total|summe|gesamt|somme|制表|制单|填表|审核|复核"
    "|打印|导出|报表|统计|经办|说明|注|来源|prepared|print|export|created|report|generated|source|note|confidential"
    "|page|seite|^第|^end|以下|rows?|[\uff01-\uff5e]"
)
"""In the first filled cell, without blanks, of every row that :func:`what_else` names."""


@dataclass(frozen=True)
class Header:
    """The headings of a table.

    Attributes:
        first: index of the heading row.
        last: index of its lower line; ``first`` where there is only one.
        names: one per column, '' where there is no heading.
        known: how many of them are in the list of headings.
    """

    first: int
    last: int
    names: tuple[str, ...]
    known: int


def heading_text(cell: Cell) -> str:
    """A heading on one line.

    >>> heading_text("联系方式\\n(必填) ")
    '联系方式 (必填)'
    """
    if isinstance(cell, str):
        return " ".join(cell[:_LONGEST].split())
    return "" if cell is None else str(cell)


def find_header(
    rows: Sequence[Sequence[Cell]],
    known: Callable[[str], bool],
    *,
    merges: Sequence[Merge] | None = (),
    forced: int | None = None,
) -> Header | None:
    """Find the heading row, under titles and notes.

    The best row has the most cells that look like headings, those in the list of
    headings counting three times; of equal ones the first.

    Args:
        rows: the first rows, without anything left out.
        known: whether a text is in the list of headings.
        merges: merged ranges; None where the format does not tell.
        forced: index of the row, if somebody said so.

    Returns:
        None if no row looks like headings.
    """
    best, score = forced, 0
    if best is None:
        for i, row in enumerate(rows[:LOOK_AHEAD]):
            points = _points(row, known)
            if points > score:
                best, score = i, points
    if best is None or best >= len(rows):
        return None
    first = last = best
    if forced is None or merges:
        if best + 1 < len(rows) and _is_lower(rows, best, known, merges):
            last = best + 1
        elif forced is None and best > 0 and _is_lower(rows, best - 1, known, merges):
            first = best - 1
    names = _names(rows, first, last, merges)
    return Header(first, last, names, sum(1 for name in names if name and known(name)))


def _points(row: Sequence[Cell], known: Callable[[str], bool]) -> int:
    texts = [heading_text(cell) for cell in row]
    filled = [(cell, text) for cell, text in zip(row, texts, strict=True) if text]
    distinct = {text for _, text in filled}
    if not filled:
        return 0
    points = sum(
        3 if isinstance(cell, str) and known(text) else 1 if _looks_like_heading(cell) else -1
        for cell, text in filled
    )
    points -= len(filled) - len(distinct)
    return points if len(distinct) > 1 or (len(row) == 1 and points == 3) else 0


def _looks_like_heading(cell: Cell) -> bool:
    if not isinstance(cell, str):
        return False
    text = heading_text(unicodedata.normalize("NFKC", cell[:_LONGEST]))
    return 0 < len(text) <= 40 and not _NOT_HEADING.search(text) and not _LABEL.match(text)


def _spans(
    rows: Sequence[Sequence[Cell]], upper: int, merges: Sequence[Merge] | None
) -> list[range]:
    """Columns below each heading of ``upper`` that is wider than one column."""
    width = len(rows[upper])
    if merges is not None:
        return [
            range(left, right + 1)
            for (top, left), (bottom, right) in merges
            if top == bottom == upper and left < right and right - left + 1 < width
        ]
    spans, start = [], None
    for column in range(width + 1):
        if column == width or heading_text(rows[upper][column]):
            if start is not None and column - start > 1:
                spans.append(range(start, column))
            start = column
    return spans


def _is_lower(
    rows: Sequence[Sequence[Cell]],
    upper: int,
    known: Callable[[str], bool],
    merges: Sequence[Merge] | None,
) -> bool:
    """Whether the row below ``upper`` holds the second line of its headings."""
    spans = _spans(rows, upper, merges)
    below = {i: cell for i, cell in enumerate(rows[upper + 1]) if heading_text(cell)}
    under = {i: cell for i, cell in below.items() if any(i in span for span in spans)}
    if not under or not all(_looks_like_heading(cell) for cell in under.values()):
        return False
    top = [heading_text(cell) for cell in rows[upper]]
    labels = [(cell, text) for cell, text in zip(rows[upper], top, strict=True) if text]
    if not all(known(text) or _looks_like_heading(cell) for cell, text in labels):
        return False
    if len(labels) == 1 and not known(labels[0][1]):
        return False  # a title that is not as wide as the table
    beside = {i: cell for i, cell in below.items() if i not in under}
    if any(i < len(top) and top[i] for i in beside):
        return False
    texts = [heading_text(cell) for cell in below.values()]
    return all(known(text) for text in texts) if merges is None else len(set(texts)) == len(texts)


def _names(
    rows: Sequence[Sequence[Cell]], first: int, last: int, merges: Sequence[Merge] | None
) -> tuple[str, ...]:
    upper = [heading_text(cell) for cell in rows[first]]
    if last == first:
        return tuple(upper)
    for span in _spans(rows, first, merges):
        for column in span:
            upper[column] = upper[span.start]
    lower = [heading_text(cell) for cell in rows[last]]
    width = max(len(upper), len(lower))
    upper += [""] * (width - len(upper))
    lower += [""] * (width - len(lower))
    return tuple(
        f"{a}{LEVELS}{b}" if a and b and a != b else a or b
        for a, b in zip(upper, lower, strict=True)
    )


def unique(names: Sequence[str]) -> list[str]:
    """Column names that differ: nameless ones get a number, repeated ones too.

    >>> unique(["Phone", "", "Phone"])
    ['Phone', 'column 2', 'Phone (2)']
    """
    result: list[str] = []
    for i, name in enumerate(names):
        base = name or f"column {i + 1}"
        column, n = base, 1
        while column in result:
            n += 1
            column = f"{base} ({n})"
        result.append(column)
    return result


def _squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text[:_LONGEST]).casefold().split())


def what_else(cells: Sequence[Cell]) -> str | None:
    """Say what a row is if it is no record: totals row, footnote.

    >>> what_else(["合计：409户", None]), what_else(["Total", 12.5])
    ('totals row', 'totals row')
    >>> what_else(["Total Wine & More", "555-0100"]) is None
    True
    """
    first = next((cell for cell in cells if cell is not None and cell != ""), None)
    if not isinstance(first, str):
        return None
    start = _squeezed(first)
    if not (_TOTAL.match(start) or _FOOTNOTE.match(start)):
        return None
    filled = [cell for cell in cells if heading_text(cell)]
    texts = [_squeezed(str(cell)) for cell in filled]
    words = [text for text in texts if not _AMOUNT.fullmatch(text)]
    if all(_TOTAL.match(text) for text in words):
        return "totals row"
    if len(filled) <= 4 and all(_FOOTNOTE.match(text) for text in words):
        return "footnote"
    return None


def may_be_else(columns: Sequence[pa.Array]) -> pa.Array:
    """Which rows may be no record, so that :func:`what_else` has to be asked.

    Args:
        columns: the cells as text, null where there is nothing.

    >>> may_be_else([pa.array(["Ann", None, None]), pa.array(["1", "合 计：3户", " "])]).to_pylist()
    [False, True, True]
    """
    first = pc.fill_null(pc.coalesce(*columns) if len(columns) > 1 else columns[0], "")
    first = pc.replace_substring_regex(first, "[\\s\u3000\u00a0]", "")
    odd = pc.match_substring_regex(first, _ODD_START, ignore_case=True)
    return pc.or_(odd, pc.equal(pc.utf8_trim_whitespace(first), ""))
