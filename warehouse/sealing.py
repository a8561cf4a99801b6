"""Columns that are kept encrypted in the stores: their types, and how rows pass in and out.

What belongs here: the types of such columns, for statements of SQLAlchemy, and the same
for text tables (warehouse/rows.py). Whoever reads through either gets clear values and
need not know. SQL of its own, such as the views for BI tools, sees tokens.

Whether a column is encrypted follows from ``privacy: encrypt:``; columns of type ANY, which
hold what a source or a steward wrote, are encrypted where anything is. In golden tables the
mask that BI tools may see stands behind the token.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from onefold.keys import MASK, Keys
from rules.masks import identity
from rules.protection import hidden
from warehouse import text_form

ANY = "*"
"""As a column's name: encrypted where any column is."""
_HOLDER = "onefold_sealer"
Mask = Callable[[str], str]


@dataclass(frozen=True)
class Sealer:
    """What is encrypted in the stores of a home.

    Attributes:
        keys: the home's keys.
        columns: of records, staged and golden.
    """

    keys: Keys
    columns: frozenset[str]

    @classmethod
    def of(cls, keys: Keys) -> "Sealer":
        """What a home's settings say.

        Raises:
            ConfigError: a column is named that cannot be encrypted.
        """
        return cls(keys, hidden(keys.policy.encrypted))

    @cached_property
    def lookup_key(self) -> bytes:
        """Of keyed hashes by which encrypted values are found."""
        return self.keys.hash_key("lookup")

    @property
    def opens(self) -> bool:
        """Whether there may be tokens, so that what is read is looked at."""
        return self.keys.policy.has_key

    @cached_property
    def row_key(self) -> bytes:
        """Of hashes of rows; empty where nothing is encrypted."""
        return self.keys.hash_key("row") if self.columns else b""

    def seals(self, name: str) -> bool:
        """Whether a column is written encrypted."""
        return bool(self.columns) if name == ANY else name in self.columns

    def seal(self, value: str, mask: Mask | None = None) -> str:
        """A text as it is kept."""
        token = self.keys.encrypt(value)
        return f"{token}{MASK}{mask(value)}" if mask and value else token


def attach(engine: sa.Engine, sealer: Sealer) -> None:
    """Let the statements of an engine encrypt and decrypt."""
    setattr(engine.dialect, _HOLDER, sealer)


def sealer_of(dialect: Any) -> Sealer | None:
    """What :func:`attach` gave; None: what is read and written stays as it is."""
    found: Sealer | None = getattr(dialect, _HOLDER, None)
    return found


class SealedText(sa.types.TypeDecorator[str]):
    """Text that may be kept encrypted.

    Args:
        name: the column of the canonical model, or ANY.
        mask: for golden tables, what may be seen of a value.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, name: str = ANY, mask: Mask | None = None) -> None:
        super().__init__()
        self.name, self.mask = name, mask

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        sealer = sealer_of(dialect)
        if value is None or sealer is None or not sealer.seals(self.name):
            return value
        return sealer.seal(value, self.mask)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        sealer = sealer_of(dialect)
        if value is None or sealer is None or not sealer.opens:
            return value
        return sealer.keys.decrypt(value)

    def sealed(self, column: pa.ChunkedArray, sealer: Sealer) -> pa.ChunkedArray:
        """A column of a text table as it is kept."""
        return _sealed(column, sealer, self.mask)

    def opened(self, column: pa.ChunkedArray, sealer: Sealer) -> pa.ChunkedArray:
        """A column of a text table in clear."""
        return sealer.keys.decrypt_column(column)


class SealedJson(sa.types.TypeDecorator[Any]):
    """A list or object that may be kept encrypted: each text of a list, or the whole as one text.

    Args:
        name: the column of the canonical model, or ANY.
        items: whether it is a list of text.
        binary: whether PostgreSQL keeps it as ``jsonb``.
        mask: for lists in golden tables, what may be seen of each text.
    """

    impl = sa.JSON
    cache_ok = True

    def __init__(
        self,
        name: str = ANY,
        *,
        items: bool = False,
        binary: bool = False,
        mask: Mask | None = None,
    ) -> None:
        super().__init__(none_as_null=True)
        self.name, self.items, self.binary, self.mask = name, items, binary, mask

    def load_dialect_impl(self, dialect: Any) -> Any:
        if self.binary and dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(sa.JSON(none_as_null=True))

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self.impl_instance.coerce_compared_value(op, value)

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        sealer = sealer_of(dialect)
        if value is None or sealer is None or not sealer.seals(self.name):
            return value
        if self.items:
            return [each if each is None else sealer.seal(each, self.mask) for each in value]
        return sealer.seal(json.dumps(value, ensure_ascii=False))

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        sealer = sealer_of(dialect)
        if value is None or sealer is None or not sealer.opens:
            return value
        if self.items:
            return [each if each is None else sealer.keys.decrypt(each) for each in value]
        if not isinstance(value, str):
            return value
        clear = sealer.keys.decrypt(value)
        return value if clear == value else json.loads(clear)

    def sealed(self, column: pa.ChunkedArray, sealer: Sealer) -> pa.ChunkedArray:
        """A column of a text table, of JSON, as it is kept."""
        if self.items:
            return _lists(column, partial(_sealed, sealer=sealer, mask=self.mask))
        return sealer.keys.change_column(column, lambda text: f'"{sealer.seal(text)}"')

    def opened(self, column: pa.ChunkedArray, sealer: Sealer) -> pa.ChunkedArray:
        """A column of a text table, of JSON, in clear."""
        if self.items:
            return _lists(column, sealer.keys.decrypt_column)
        token = pc.starts_with(column, '"enc:')
        if not pc.any(token).as_py():
            return column
        bare = pc.if_else(token, pc.utf8_slice_codeunits(column, 1, -1), column)
        clear = sealer.keys.decrypt_column(bare)
        # A text that only looks like a token is not changed, and keeps its quotes.
        return pc.if_else(pc.equal(clear, bare), column, clear)


class SealedDate(sa.types.TypeDecorator[date]):
    """A date, kept as text in ISO form, that may be kept encrypted.

    Args:
        name: the column of the canonical model.
        mask: for golden tables, what may be seen of a value.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, name: str, mask: Mask | None = None) -> None:
        super().__init__()
        self.name, self.mask = name, mask

    def process_bind_param(self, value: date | None, dialect: Any) -> str | None:
        sealer = sealer_of(dialect)
        if value is None:
            return None
        text = value.isoformat()
        return sealer.seal(text, self.mask) if sealer and sealer.seals(self.name) else text

    def process_result_value(self, value: str | None, dialect: Any) -> date | None:
        sealer = sealer_of(dialect)
        if value is None:
            return None
        return date.fromisoformat(sealer.keys.decrypt(value) if sealer else value)

    def sealed(self, column: pa.ChunkedArray, sealer: Sealer) -> pa.ChunkedArray:
        """A column of a text table as it is kept."""
        return _sealed(column, sealer, self.mask)

    def opened(self, column: pa.ChunkedArray, sealer: Sealer) -> pa.ChunkedArray:
        """A column of a text table in clear."""
        return sealer.keys.decrypt_column(column)


Sealed = SealedText | SealedJson | SealedDate


def sealed(dialect: Any, table: sa.Table, text: pa.Table) -> pa.Table:
    """Rows of a text table as they are kept."""
    sealer = sealer_of(dialect)
    if sealer is None or not sealer.columns:
        return text
    for place, name in enumerate(text.column_names):
        kind = table.columns[name].type
        if isinstance(kind, Sealed) and sealer.seals(kind.name):
            text = text.set_column(place, name, kind.sealed(text.column(place), sealer))
    return text


def opened(dialect: Any, table: sa.Table, text: pa.Table) -> pa.Table:
    """Rows of a text table in clear.

    Raises:
        ConfigError: the key that values were encrypted with is not declared.
    """
    sealer = sealer_of(dialect)
    if sealer is None or not sealer.opens:
        return text
    for place, name in enumerate(text.column_names):
        kind = table.columns[name].type
        if isinstance(kind, Sealed):
            text = text.set_column(place, name, kind.opened(text.column(place), sealer))
    return text


def _sealed(column: pa.ChunkedArray, sealer: Sealer, mask: Mask | None) -> pa.ChunkedArray:
    """Texts, or the texts of lists, as they are kept."""
    return sealer.keys.change_column(column, lambda text: sealer.seal(text, mask))


def _lists(
    column: pa.ChunkedArray, change: Callable[[pa.ChunkedArray], pa.ChunkedArray]
) -> pa.ChunkedArray:
    name = "lists"
    schema = pa.schema([(name, pa.list_(pa.string()))])
    lists = text_form.decode(pa.table({name: column}), schema)
    return text_form.encode(pa.table({name: change(lists[name])}))[name]


NUMBERS = frozenset({"tax_id", "org_code", "license_no", "house_number", "unit", "phones"})
"""Columns whose mask shows both ends; that of most others shows the first character."""
_SHOWN_OF_POSTAL_CODE = 3
_WITHOUT_MASK = frozenset(
    {"sex", "attributes", "phone_extensions", "org_brand", "org_branch", "district", "city",
     "region"}
)  # fmt: skip
"""Columns of which masked views show nothing, or what the others show."""


def mask_of(name: str) -> Mask | None:
    """What the views for BI tools show of a column's values (warehouse/bi/sql.py).

    >>> mask_of("national_id")("110101199003078515"), mask_of("unit")("A1234567")
    ('110…8515', 'A…')
    >>> mask_of("national_id")("971128068"), mask_of("phones")("+16195550371")
    ('…8068', '+16…0371')
    >>> mask_of("contact_name")("王芳"), mask_of("emails")("wang@example.com")
    ('王…', 'w…@…')
    >>> mask_of("birth_date")("1990-03-07"), mask_of("postal_code")("210000"), mask_of("sex")
    ('1990', '210…', None)
    """
    if name in _WITHOUT_MASK:
        return None
    if name in _OTHER_MASKS:
        return _OTHER_MASKS[name]
    return _ends if name in NUMBERS else _first


def _first(value: str) -> str:
    return f"{value[:1]}…"


def _ends(value: str) -> str:
    return _first(value) if len(value) <= 8 else f"{value[:3]}…{value[-4:]}"


_OTHER_MASKS: dict[str, Mask] = {
    "emails": lambda value: f"{value[:1]}…@…",
    "birth_date": lambda value: value[:4],
    "national_id": identity,
    "postal_code": lambda value: f"{value[:_SHOWN_OF_POSTAL_CODE]}…",
}
