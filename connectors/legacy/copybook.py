"""COBOL copybooks: the data description of a record as a tree of items with their sizes.

What belongs here: levels, PICTURE, USAGE, OCCURS, REDEFINES, SIGN, SYNCHRONIZED. How the
bytes of an item become text stands in connectors/legacy/cobol_values.py.

Source: IBM Enterprise COBOL for z/OS 6.4 Language Reference, "Data division: data description
entry"; sizes in its Programming Guide, "Examples: numeric data and internal representation".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from onefold.errors import SourceLayout

_WORD = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\s,;'"]+(?:,(?=\S)[^\s,;'"]*)*""")
_REPEATED = re.compile(r"(.)\((\d+)\)")
_USAGES = {
    "DISPLAY": "display", "DISPLAY-1": "dbcs", "NATIONAL": "national",
    "COMP": "binary", "COMPUTATIONAL": "binary", "BINARY": "binary",
    "COMP-4": "binary", "COMPUTATIONAL-4": "binary", "COMP-5": "binary",
    "COMPUTATIONAL-5": "binary", "COMP-1": "float", "COMPUTATIONAL-1": "float",
    "COMP-2": "double", "COMPUTATIONAL-2": "double", "COMP-3": "packed",
    "COMPUTATIONAL-3": "packed", "PACKED-DECIMAL": "packed", "COMP-6": "unsigned packed",
    "INDEX": "index", "POINTER": "index",
}  # fmt: skip
_NOISE = frozenset({"IS", "ARE", "TIMES", "ON", "RIGHT", "LEFT", "CHARACTER", "WHEN"})
_SKIPPED = frozenset({"EJECT", "SKIP1", "SKIP2", "SKIP3"})
_WITHOUT_BYTES = frozenset(
    {"USAGE", "SIGN", "JUST", "JUSTIFIED", "BLANK", "ZERO", "ZEROS", "ZEROES", "GLOBAL", "EXTERNAL"}
)
_FULL_WORDS = {2: 2, 4: 4, 8: 4}
_CONDITION, _RENAMES = 88, 66


@dataclass
class Item:
    """One entry of a copybook.

    Attributes:
        name: upper case; FILLER where it has none.
        level: 1 to 49 or 77.
        usage: display, packed, unsigned packed, binary, float, double, dbcs, national, index.
        picture: expanded, such as ``S9999V99``; '' for a group.
        digits, scale: of a number: all digits, and how many of them stand behind the point.
        signed, sign_leading, sign_separate: how a number shows its sign.
        size: bytes of one occurrence, at most.
        occurs, at_least: how often it occurs, at most and at least.
        depending: the item that says how often, or ''.
        redefines: the item whose bytes it shares, or ''.
        synchronized: bytes to whose multiple its start is moved; 0: none.
        children: what a group holds.
    """

    name: str
    level: int
    usage: str = ""
    picture: str = ""
    digits: int = 0
    scale: int = 0
    signed: bool = False
    sign_leading: bool = False
    sign_separate: bool = False
    size: int = 0
    occurs: int = 1
    at_least: int = 1
    depending: str = ""
    redefines: str = ""
    synchronized: int = 0
    is_array: bool = False
    children: "list[Item]" = field(default_factory=list)

    @property
    def is_number(self) -> bool:
        """Whether it holds a number and no text."""
        return self.digits > 0 or self.usage in ("float", "double", "index")

    def walk(self) -> Iterator["Item"]:
        """This item and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def load(path: Path) -> list[Item]:
    """The records of a copybook file.

    Raises:
        SourceLayout: it is not there, or a line of it is not understood.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceLayout(
            path.name, "the copybook cannot be read", found=error.strerror or "",
            do="Put it where the layout says.",
        ) from error  # fmt: skip
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    return parse(text, path.name)


def parse(text: str, where: str) -> list[Item]:
    """The records (items of level 01 or 77, or the highest level there is) of a copybook.

    Args:
        text: in fixed form (columns 8 to 72) or free form.
        where: the file, for messages.

    Raises:
        SourceLayout: a line is not understood; names it.
    """
    roots: list[Item] = []
    open_items: list[Item] = []
    for line, words in _sentences(text):
        at = f"{where}, line {line}"
        item = _item(words, at)
        if item is None:
            continue
        while open_items and open_items[-1].level >= item.level:
            open_items.pop()
        if open_items:
            parent = open_items[-1]
            if parent.picture:
                raise _wrong(at, f"{parent.name} has a picture and items below it")
            if not item.usage:
                item.usage = parent.usage
            item.sign_leading |= parent.sign_leading
            item.sign_separate |= parent.sign_separate
            parent.children.append(item)
        else:
            roots.append(item)
        open_items.append(item)
    if not roots:
        raise _wrong(where, "there is no item in the copybook")
    for root in roots:
        _measure(root, where)
    return roots


def _sentences(text: str) -> Iterator[tuple[int, list[str]]]:
    """Words of every entry with the line in which it begins; an entry ends with a period."""
    words: list[str] = []
    start = 0
    for number, line in _lines(text):
        for word in _WORD.findall(line):
            start = start or number
            ends = word.endswith(".") and word[0] not in "'\""
            body = word.rstrip(".") if ends else word
            if body:
                words.append(body if body[0] in "'\"" else body.upper())
            if ends:
                if words:
                    yield start, words
                words, start = [], 0
    if words:
        yield start, words


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that count, without sequence numbers and what stands behind column 72."""
    lines = text.expandtabs(8).splitlines()
    fixed = all(_is_fixed(line) for line in lines if line.strip())
    for number, line in enumerate(lines, 1):
        if fixed:
            if line[6:7] in ("*", "/", "$", "D", "d"):
                continue
            line = line[7:72]
        line = line.partition("*>")[0]
        if not line.lstrip().startswith("*") and line.strip().upper() not in _SKIPPED:
            yield number, line


def _is_fixed(line: str) -> bool:
    """Whether a line may be in fixed form: nothing of an entry before column 8."""
    area = line[:6]
    return (
        line[6:7] in (" ", "", "*", "/", "-", "D", "d", "$")
        and not re.match(r"\s*\d\d?\s+[A-Za-z]", line[:8])
        and (not area.strip() or area.strip().isalnum())
    )


def _item(words: list[str], at: str) -> Item | None:
    """One entry; None for what describes no bytes: conditions, renamings."""
    if words[0] == "COPY":
        raise _wrong(at, "the copybook includes another one; put its lines there")
    if not words[0].isdigit():
        raise _wrong(at, f"an entry begins with a level, not with {words[0]}")
    level = int(words[0])
    if level in (_CONDITION, _RENAMES):
        return None
    rest = [word for word in words[1:] if word not in _NOISE]
    item = Item("FILLER", level)
    known = {"REDEFINES", "PIC", "PICTURE", "OCCURS", "USAGE", "SIGN", "VALUE", "VALUES", *_USAGES}
    if rest and rest[0] not in known:
        item.name = rest.pop(0)
    while rest:
        word = rest.pop(0)
        if word == "REDEFINES":
            item.redefines = rest.pop(0) if rest else ""
        elif word in ("PIC", "PICTURE"):
            item.picture = _expanded(rest.pop(0) if rest else "")
        elif word in _USAGES:
            item.usage = _USAGES[word]
        elif word == "OCCURS":
            _occurs(item, rest, at)
        elif word in ("LEADING", "TRAILING"):
            item.sign_leading = word == "LEADING"
        elif word == "SEPARATE":
            item.sign_separate = True
        elif word in ("SYNC", "SYNCHRONIZED"):
            item.synchronized = 1
        elif word in ("VALUE", "VALUES"):
            del rest[:1]
        elif word not in _WITHOUT_BYTES:
            raise _wrong(at, f"{word} is not understood")
    return item


def _occurs(item: Item, clauses: list[str], at: str) -> None:
    """Take OCCURS and what belongs to it from the front of the clauses."""
    if not clauses or not clauses[0].isdigit():
        raise _wrong(at, "OCCURS without a number")
    item.is_array = True
    item.occurs = item.at_least = int(clauses.pop(0))
    if clauses and clauses[0] == "TO":
        item.at_least, item.occurs = item.occurs, int(clauses[1])
        del clauses[:2]
    while clauses and clauses[0] in ("DEPENDING", "INDEXED", "ASCENDING", "DESCENDING"):
        word = clauses.pop(0)
        if word == "DEPENDING":
            item.depending = clauses.pop(0)
            continue
        while clauses and clauses[0] in ("BY", "KEY"):
            clauses.pop(0)
        while clauses and clauses[0] not in _AFTER_OCCURS:
            clauses.pop(0)


_AFTER_OCCURS = {"DEPENDING", "INDEXED", "ASCENDING", "DESCENDING", "PIC", "PICTURE", "USAGE",
                 "SIGN", "VALUE", "SYNC", "SYNCHRONIZED", *_USAGES}  # fmt: skip


def _expanded(picture: str) -> str:
    """A picture without counts.

    >>> _expanded("S9(3)V99"), _expanded("X(2)")
    ('S999V99', 'XX')
    """
    return _REPEATED.sub(lambda match: match.group(1) * int(match.group(2)), picture)


# -- sizes


def _measure(item: Item, where: str, in_array: bool = False) -> None:
    """Fill in what follows from picture and usage, from the bottom up."""
    if item.picture or not item.children:
        _measure_one(item, where)
        if item.synchronized:
            if in_array or item.is_array:
                raise _wrong(where, f"{item.name} is SYNCHRONIZED inside OCCURS; write its FILLERs")
            item.synchronized = _alignment(item)
        return
    for child in item.children:
        _measure(child, where, in_array or item.is_array)
    item.size = extent(item.children)


def extent(children: list[Item]) -> int:
    """Bytes that some items take one after the other, each as often as it may occur."""
    at = most = 0
    starts: dict[str, int] = {}
    for child in children:
        begin = starts.get(child.redefines, at) if child.redefines else at
        starts[child.name] = begin
        end = begin + child.size * child.occurs
        at = at if child.redefines else end
        most = max(most, end)
    return max(at, most)


def _measure_one(item: Item, where: str) -> None:
    picture = item.picture
    item.usage = item.usage or "display"
    letters = set(picture)
    if "N" in letters and item.usage == "display":
        item.usage = "national"
    if "G" in letters:
        item.usage = "dbcs"
    if item.usage in ("float", "double", "index"):
        item.size = {"float": 4, "double": 8, "index": 4}[item.usage]
        item.signed = True
        return
    if not picture:
        raise _wrong(where, f"{item.name} has neither a picture nor items below it")
    if letters <= set("S9VP"):
        item.signed = "S" in letters
        whole, _, part = picture.partition("V")
        item.digits = picture.count("9")
        item.scale = part.count("9") + part.count("P") - whole.count("P")
        if "V" not in letters and picture.lstrip("S").startswith("P"):
            item.scale = picture.count("P") + item.digits
        if not item.digits:
            raise _wrong(where, f"{item.name}: the picture has no digits")
    length = len(picture) - sum(picture.count(letter) for letter in "SVP")
    if item.usage == "display":
        item.size = length + (item.signed and item.sign_separate)
    elif item.usage in ("dbcs", "national"):
        item.size = 2 * length
    elif not item.digits:
        raise _wrong(where, f"{item.name}: {item.usage} needs a picture of digits")
    elif item.usage == "packed":
        item.size = item.digits // 2 + 1
    elif item.usage == "unsigned packed":
        item.size = (item.digits + 1) // 2
    else:
        item.size = 2 if item.digits <= 4 else 4 if item.digits <= 9 else 8


def _alignment(item: Item) -> int:
    if item.usage == "binary":
        return _FULL_WORDS[item.size]
    return {"float": 4, "double": 8, "index": 4}.get(item.usage, 0)


def _wrong(where: str, what: str) -> SourceLayout:
    return SourceLayout(where, what, do="Mend the copybook.")
