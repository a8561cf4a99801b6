"""What people write into a name cell besides the name: remarks, numbers, former names.

What belongs here: taking them out and sorting them. What remains is parsed by
rules/person_name.py and rules/organization_name.py, which say which brackets are
part of a name. Source: own list of the habits of sales lists and old systems,
2026-11.

>>> cell = split("李娜(VIP) 13900000000-已停用")
>>> cell.text, cell.notes, cell.phones
('李娜', ['VIP', '已停用'], ['13900000000'])
>>> split("Ann Lee (formerly Ann Smith) **do not call**").other_names
['Ann Smith']
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from rules import tables

_SPECIAL = re.compile(r"[()\[\]【】{}<>《》「」〖〗*★☆※◆●■▲#/|\\,;:_~!?\d@-]")
_LAST_OF_REMARKS = frozenset("用废销故职")
_BRACKET = re.compile(
    r"\(([^()]*)\)|\[([^\[\]]*)\]|【([^【】]*)】|\{([^{}]*)\}|<([^<>]*)>"
    r"|《([^《》]*)》|「([^「」]*)」|〖([^〖〗]*)〗|\*\*+([^*]+)\*\*+"
)
_OPEN_BRACKET = re.compile(r"[(\[【{〖]([^()\[\]【】{}〖〗]*)$")
_PHONE = re.compile(
    r"(?:(?:电话|手机|联系电话|联系方式|微信|固话|tel|mob(?:ile)?|cell|phone|ph)\s*[.:]*\s*)?"
    r"(?<![\w+.])(\+?\(?\d(?:[\d \-.()]{5,})\d(?:\s*(?:转|ext\.?|x)\s*\d{1,6})?)(?![\w])",
    re.IGNORECASE,
)


def _alternatives(kind: str) -> str:
    return "|".join(row[1] for row in tables.rows("remarks") if row[0] == kind)


_FORMER = re.compile(rf"^(?:{_alternatives('former')})\s*[:.\-]?\s*(.{{2,}})$", re.IGNORECASE)
_FORMER_TAIL = re.compile(
    rf"[\s,;(]+(?:{_alternatives('former_tail')})\.?:?\s+(.{{2,}})$", re.IGNORECASE
)
_FORMER_WORD = re.compile(_alternatives("former_tail"), re.IGNORECASE)
_REMARK = re.compile(_alternatives("han"), re.IGNORECASE)
_REMARK_LATIN = re.compile(rf"\b(?:{_alternatives('latin')})\b", re.IGNORECASE)
_NAME_END = re.compile(r"(?:公司|厂|店|集团|部|院|所|行|处)$")
_TAIL = re.compile(r"\s*(?:\s-+\s*|-{2,}|[/|\\;:,_~]|(?<=[^\x00-\x7f])-|-(?=[^\x00-\x7f]))\s*")
_GLUED_TAIL = re.compile(r"(?<=..)\s*(已?(?:停用|作废|注销|吊销|故|离职|停业)|勿用|禁用)$")
_LABEL = re.compile(rf"^(?:{_alternatives('label')})\s*\.?:\s*", re.IGNORECASE)
_NUMBERING = re.compile(
    r"^(?:\d{1,3}\s*[、.)]\s*(?=\D)|(?:no|编号)\s*[.:]?\s*\d+\s*[、.:)\-]?\s*)", re.I
)
_DIGIT = re.compile(r"\d")
_OPENING = re.compile(r"[(\[【{<《「〖*★☆※◆●■▲#]")
_STARS = re.compile(r"[*★☆※◆●■▲#]+")
_EDGE = " -_/|\\,;:*#~!?、。·+=@$^'\""


@dataclass(slots=True)
class Cell:
    """A name cell, sorted: the name, and what else stood there (all in shown form)."""

    text: str
    notes: list[str] = field(default_factory=list)
    other_names: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)


def is_remark(s: str) -> bool:
    """Whether it reads as a remark on a customer and not as a name.

    >>> is_remark("老客户"), is_remark("net 30"), is_remark("上海")
    (True, True, False)
    """
    if s.isascii():
        return _REMARK_LATIN.search(s) is not None
    if _NAME_END.search(s):
        return False
    return _REMARK.search(s) is not None or _REMARK_LATIN.search(s) is not None


def former_name(s: str) -> str | None:
    """The name in a remark such as ``原：…`` or ``formerly …``; None if it is no such remark."""
    match = _FORMER.match(s)
    if not match:
        return None
    return match.group(1).strip(_EDGE)


def may_lead_to_former_name(word: str) -> bool:
    """Whether a former name follows behind the word, in any case: formerly, née."""
    return _FORMER_WORD.fullmatch(word) is not None


def split(text: str, keep: Callable[[str], bool] = lambda content: False) -> Cell:
    """Take remarks, telephone numbers and former names out of a cell.

    Args:
        text: the cell, already in shown form (rules.text.clean).
        keep: whether brackets with this content belong to the name.
    """
    if not (_SPECIAL.search(text) or text[-1:] in _LAST_OF_REMARKS) and (
        " " not in text
        or (" -" not in text and not (text.count(" ") > 1 and _FORMER_TAIL.search(text)))
    ):
        return Cell(text.strip(_EDGE))
    notes: list[str] = []
    other_names: list[str] = []
    phones: list[str] = []

    def sort(content: str) -> None:
        content = content.strip(_EDGE)
        if former := former_name(content):
            other_names.append(former)
        elif content:
            notes.append(content)

    def phone(match: re.Match[str]) -> str:
        number = match.group(1).strip()
        if sum(c.isdigit() for c in number) < 7:
            return match.group(0)
        phones.append(number)
        return " "

    def bracket(match: re.Match[str]) -> str:
        content = next(group for group in match.groups() if group is not None).strip()
        if match.group(0).startswith(("(", "[", "【")) and keep(content):
            return f"({content})"
        sort(content)
        return " "

    if _DIGIT.search(text):
        text = _PHONE.sub(phone, text)
    text = _LABEL.sub("", text)
    text = _NUMBERING.sub("", text)
    if _OPENING.search(text):
        text = _BRACKET.sub(bracket, text)
        if (opened := _OPEN_BRACKET.search(text)) and not keep(opened.group(1).strip()):
            # A bracket that a fixed width has cut off.
            sort(opened.group(1))
            text = text[: opened.start()]
        text = _STARS.sub(" ", text)
    if former := _FORMER_TAIL.search(text):
        other_names.append(former.group(1).strip(_EDGE))
        text = text[: former.start()]
    tails: list[str] = []
    while parts := list(_TAIL.finditer(text.rstrip(_EDGE))):
        tail = text[parts[-1].end() :].strip(_EDGE)
        comma = "," in parts[-1].group()
        if not tail or (comma and tail.isascii() and " " not in tail):
            break  # "Smith, Lead" is a name
        if not (is_remark(tail) or former_name(tail)):
            break
        tails.insert(0, tail)
        text = text[: parts[-1].start()]
    for tail in tails:
        sort(tail)
    if glued := _GLUED_TAIL.search(text):
        notes.append(glued.group(1))
        text = text[: glued.start()]
    if (first := _TAIL.search(text)) and "," not in first.group():
        head = text[: first.start()].strip(_EDGE)
        if head and is_remark(head) and len(head) <= 12:
            notes.insert(0, head)
            text = text[first.end() :]
    return Cell(" ".join(text.split()).strip(_EDGE), notes, other_names, phones)
