"""Records of a copybook: which bytes are which column, and their texts.

What belongs here: offsets, also where OCCURS DEPENDING ON moves what follows, items that
share bytes (REDEFINES), and the names of columns. How files hold records stands in
connectors/legacy/cobol.py.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.legacy import cobol_values
from connectors.legacy.cobol_values import Decode, NoNumber
from connectors.legacy.code_pages import CodePage
from connectors.legacy.copybook import Item
from onefold.errors import SourceLayout

_MOST_COLUMNS = 2_000


@dataclass(frozen=True)
class Field:
    """One elementary item at its place.

    Attributes:
        column: name of its column.
        start, end: its bytes.
        decode: bytes to text.
        shares: whether another item describes the same bytes, so that these may be no number.
        guards: indexes of the conditions under which it is there.
        item: its entry.
    """

    column: str
    start: int
    end: int
    decode: Decode
    shares: bool
    guards: tuple[int, ...]
    item: Item


@dataclass(frozen=True)
class Guard:
    """A condition: a field has one of some values."""

    field: Field
    values: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """All fields of a record, for certain numbers of occurrences.

    Attributes:
        fields: in their order.
        size: bytes.
        needs: the field that says how often the next item occurs, whose number is not among
            those given; then ``fields`` ends there. None: the plan is whole.
        asks: the item that it is about.
    """

    fields: tuple[Field, ...]
    guards: tuple[Guard, ...]
    size: int
    needs: Field | None = None
    asks: Item | None = None


@dataclass
class Values:
    """What one record holds.

    Attributes:
        texts: column → text.
        wrong: names of items whose bytes are no number; their text is the bytes in hexadecimal.
        size: bytes that the record should have.
        problem: why it cannot be trusted, or None.
    """

    texts: dict[str, str | None]
    wrong: list[str]
    size: int
    problem: str | None = None


class Record:
    """One record description, ready to read records with.

    Args:
        root: the item of the record.
        page: code page of its texts.
        when: name of an item → field → the values under which the item is there.
        little_endian: whether binary numbers begin with their lowest byte.

    Raises:
        SourceLayout: a name in ``when`` or DEPENDING ON is no item, or there is no end of columns.
    """

    def __init__(
        self,
        root: Item,
        page: CodePage,
        when: Mapping[str, Mapping[str, Sequence[str]]],
        little_endian: bool,
        where: str,
    ) -> None:
        self.root, self._page, self._when = root, page, when
        self._little_endian, self._where = little_endian, where
        self._names = _column_names(root)
        known = {item.name for item in root.walk()}
        for name in {*when, *(field for fields in when.values() for field in fields)} - known:
            raise SourceLayout(
                where, f"'{name}' under 'when' is no item of {root.name}", do="Mend it."
            )
        self._decoders: dict[int, Decode] = {}
        self._plans: dict[tuple[int, ...], Plan] = {}
        self._most = self._plan_of_most()
        self.columns = tuple(dict.fromkeys(field.column for field in self._most.fields))
        self.size = self._most.size
        self.has_fixed_size = not any(item.depending for item in root.walk())
        if len(self.columns) > _MOST_COLUMNS:
            raise SourceLayout(
                where, f"{root.name} has {len(self.columns):,} columns", do="Read fewer items."
            )

    def field(self, name: str) -> Field | None:
        """The first field of an item, by its name."""
        return next((one for one in self._most.fields if one.item.name == name), None)

    def read(self, data: bytes) -> Values:
        """The texts of a record; items beyond its end are nothing."""
        plan, problem = self._plan(data)
        met = [self._is_met(guard, data) for guard in plan.guards]
        texts: dict[str, str | None] = {}
        wrong = []
        length = len(data)
        for field in plan.fields:
            if field.end > length or not all(met[guard] for guard in field.guards):
                continue
            cut = data[field.start : field.end]
            try:
                texts[field.column] = field.decode(cut)
            except NoNumber:
                if not field.shares or field.guards:
                    wrong.append(field.item.name)
                    texts[field.column] = f"x'{cut.hex()}'"
        return Values(texts, wrong, plan.size, problem)

    def _is_met(self, guard: Guard, data: bytes) -> bool:
        try:
            return (
                guard.field.decode(data[guard.field.start : guard.field.end]) or ""
            ) in guard.values
        except (NoNumber, IndexError):
            return False

    # -- plans

    def _plan(self, data: bytes) -> tuple[Plan, str | None]:
        """The plan of one record, and what is wrong with its numbers of occurrences."""
        counts: tuple[int, ...] = ()
        problem = None
        while True:
            if counts not in self._plans:
                self._plans[counts] = self._built(counts)
            plan = self._plans[counts]
            if plan.needs is None or plan.asks is None:
                return plan, problem
            count, item = -1, plan.asks
            if plan.needs.end <= len(data):
                try:
                    count = int(
                        float(plan.needs.decode(data[plan.needs.start : plan.needs.end]) or -1)
                    )
                except (NoNumber, ValueError):
                    count = -1
            if not min(item.at_least, item.occurs) <= count <= item.occurs:
                few = f"{item.at_least} to {item.occurs}"
                problem = f"{plan.needs.item.name} is no number of {item.name} from {few}"
                count = min(max(count, 0), item.occurs)
            counts += (count,)

    def _plan_of_most(self) -> Plan:
        counts: tuple[int, ...] = ()
        while True:
            plan = self._built(counts)
            if plan.asks is None:
                return plan
            counts += (plan.asks.occurs,)

    def _built(self, counts: tuple[int, ...]) -> Plan:
        build = _Build(self, list(counts))
        try:
            end = build.place(self.root, 0, (), False, ())
        except _Asked as asked:
            return Plan(tuple(build.fields), tuple(build.guards), 0, asked.field, asked.item)
        return Plan(tuple(build.fields), tuple(build.guards), end)

    def _decoder(self, item: Item) -> Decode:
        if id(item) not in self._decoders:
            self._decoders[id(item)] = cobol_values.decoder(item, self._page, self._little_endian)
        return self._decoders[id(item)]


class _Asked(Exception):
    """How often an item occurs must be known first."""

    def __init__(self, field: Field, item: Item) -> None:
        self.field, self.item = field, item


class _Build:
    """Puts the items of a record at their places."""

    def __init__(self, record: Record, counts: list[int]) -> None:
        self._record, self._counts = record, counts
        self.fields: list[Field] = []
        self.guards: list[Guard] = []

    def place(
        self, item: Item, at: int, subscript: tuple[int, ...], shares: bool, guards: tuple[int, ...]
    ) -> int:
        """Put an item and all its occurrences somewhere; the place behind it."""
        count = self._count(item)
        guards = (*guards, *self._guards_of(item))
        if item.synchronized and at % item.synchronized:
            at += item.synchronized - at % item.synchronized
        for number in range(1, count + 1):
            here = (*subscript, number) if item.is_array else subscript
            if not item.children:
                self._add(item, at, here, shares, guards)
                at += item.size
            else:
                at = self._place_children(item, at, here, shares, guards)
        return at

    def _place_children(
        self, item: Item, at: int, subscript: tuple[int, ...], shares: bool, guards: tuple[int, ...]
    ) -> int:
        shared = {child.redefines for child in item.children if child.redefines}
        starts: dict[str, int] = {}
        end = at
        for child in item.children:
            begin = starts.get(child.redefines, at) if child.redefines else at
            starts[child.name] = begin
            both = shares or bool(child.redefines) or child.name in shared
            behind = self.place(child, begin, subscript, both, guards)
            at = at if child.redefines else behind
            end = max(end, behind)
        return max(at, end)

    def _add(
        self, item: Item, at: int, subscript: tuple[int, ...], shares: bool, guards: tuple[int, ...]
    ) -> None:
        if item.name == "FILLER":
            return
        name = self._record._names[id(item)]
        column = f"{name}({','.join(map(str, subscript))})" if subscript else name
        decode = self._record._decoder(item)
        self.fields.append(Field(column, at, at + item.size, decode, shares, guards, item))

    def _placed(self, name: str) -> Field:
        for field in reversed(self.fields):
            if field.item.name == name:
                return field
        raise SourceLayout(
            self._record._where,
            f"{name} does not stand before the item that depends on it",
            do="Mend the copybook, or what stands under 'when'.",
        )

    def _count(self, item: Item) -> int:
        if not item.depending:
            return item.occurs
        if not self._counts:
            raise _Asked(self._placed(item.depending), item)
        return self._counts.pop(0)

    def _guards_of(self, item: Item) -> Iterator[int]:
        for name, values in self._record._when.get(item.name, {}).items():
            self.guards.append(Guard(self._placed(name), frozenset(values)))
            yield len(self.guards) - 1


def _column_names(root: Item) -> dict[int, str]:
    """A name for every item: its own, with those of the groups above where it is not alone."""
    paths: dict[int, tuple[str, ...]] = {}

    def walk(item: Item, above: tuple[str, ...]) -> None:
        paths[id(item)] = (*above, item.name)
        for child in item.children:
            walk(child, (*above, item.name) if item.name != "FILLER" else above)

    walk(root, ())
    leaves = [item for item in root.walk() if not item.children and item.name != "FILLER"]
    result: dict[int, str] = {}
    for item in leaves:
        path = paths[id(item)]
        for depth in range(1, len(path) + 1):
            ending = path[-depth:]
            if sum(paths[id(other)][-depth:] == ending for other in leaves) == 1:
                break
        result[id(item)] = ".".join(ending)
    taken = Counter(result.values())
    for number, item in enumerate(leaves):
        if taken[result[id(item)]] > 1:
            result[id(item)] += f".{number}"
    return result
