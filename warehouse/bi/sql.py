"""SQL that PostgreSQL and SQLite write differently: lists kept as JSON, and masks.

What belongs here: expressions that compile to what the connection's database
understands. A list is jsonb on PostgreSQL and JSON text on SQLite.

A mask shows a reader enough to recognize a value, not enough to use it. It
follows review/presenters/masking.py; here it has to be SQL, because the tools
that read these views ask the database themselves.
"""

import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

_HAS_ARROW = sqlite3.sqlite_version_info >= (3, 38)
Expression = sa.ColumnElement[Any]

HIDDEN = "…"
SHOWN = 3
SHOWN_LAST = 4
SHORT = 8
"""Characters of a number up to which only its first one is shown."""


class list_first(GenericFunction[str]):  # noqa: N801 - named as in SQL
    """The first element of a list of text; null where there is none."""

    type = sa.Text()
    inherit_cache = True


class list_length(GenericFunction[int]):  # noqa: N801
    """How many elements a list has; 0 where there is none."""

    type = sa.Integer()
    inherit_cache = True


class list_joined(GenericFunction[str]):  # noqa: N801
    """A list of text as one text, separated by '; ', in its order; null where it is empty.

    Encrypted texts are without the masks behind them.
    """

    type = sa.Text()
    inherit_cache = True


class list_item(GenericFunction[str]):  # noqa: N801
    """The element of a list of text at a place from 0; null where there is none."""

    type = sa.Text()
    inherit_cache = True


class list_places(sa.sql.functions.FunctionElement[Any]):  # noqa: N801
    """A list of text as rows of ``key``, from 0, and ``value``: for a FROM clause."""

    inherit_cache = True


class token_of(GenericFunction[str]):  # noqa: N801
    """An encrypted value without the mask behind it; any other value as it is."""

    type = sa.Text()
    inherit_cache = True


class mask_of(GenericFunction[str]):  # noqa: N801
    """The mask behind an encrypted value."""

    type = sa.Text()
    inherit_cache = True


class as_date(GenericFunction[Any]):  # noqa: N801
    """A date that is kept as text; null where it is encrypted."""

    type = sa.Date()
    inherit_cache = True


class as_moment(GenericFunction[Any]):  # noqa: N801
    """A moment that stands in the statement as text."""

    type = sa.DateTime(timezone=True)
    inherit_cache = True


class year_of(GenericFunction[int]):  # noqa: N801
    """The year of a date that is kept as text in ISO form, or of a mask that is the year."""

    type = sa.Integer()
    inherit_cache = True


_ENCRYPTED = "substr({0}, 1, 4) = 'enc:'"
_BARE_POSTGRESQL = f"CASE WHEN {_ENCRYPTED} THEN split_part({{0}}, '~', 1) ELSE {{0}} END"
_BARE_SQLITE = (
    f"CASE WHEN {_ENCRYPTED} THEN substr({{0}}, 1, instr({{0}} || '~', '~') - 1) ELSE {{0}} END"
)


def _item(values: str, path: str) -> str:
    """An element as text on SQLite.

    DuckDB, attached to the file, runs the view itself and has ``->>`` as SQLite has; its
    json_extract keeps the quotes. SQLite before 3.38 has json_extract only.
    """
    return f"({values} ->> {path})" if _HAS_ARROW else f"json_extract({values}, {path})"


@compiles(list_first, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return f"({compiler.process(element.clauses, **kw)} ->> 0)"


@compiles(list_first, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return _item(compiler.process(element.clauses, **kw), "'$[0]'")


@compiles(list_length, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return f"COALESCE(jsonb_array_length({compiler.process(element.clauses, **kw)}), 0)"


@compiles(list_length, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return f"COALESCE(json_array_length({compiler.process(element.clauses, **kw)}), 0)"


@compiles(list_joined, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    inner = compiler.process(element.clauses, **kw)
    item = _BARE_POSTGRESQL.format("each.value")
    return (
        f"(SELECT string_agg({item}, '; ' ORDER BY each.place) FROM"
        f" jsonb_array_elements_text({inner}) WITH ORDINALITY AS each(value, place))"
    )


@compiles(list_joined, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    inner = compiler.process(element.clauses, **kw)
    item = _item(inner, "('$[' || each.key || ']')")
    item = _BARE_SQLITE.format(item)
    return f"(SELECT group_concat({item}, '; ') FROM json_each({inner}) AS each)"


@compiles(list_item, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    values, place = (compiler.process(each, **kw) for each in element.clauses)
    return f"({values} ->> CAST({place} AS INTEGER))"


@compiles(list_item, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    values, place = (compiler.process(each, **kw) for each in element.clauses)
    return _item(values, f"('$[' || {place} || ']')")


@compiles(list_places, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    inner = compiler.process(element.clauses, **kw)
    return (
        "LATERAL (SELECT CAST(each.place AS INTEGER) - 1 AS key, each.value AS value FROM"
        f" jsonb_array_elements_text({inner}) WITH ORDINALITY AS each(value, place))"
    )


@compiles(list_places, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(token_of, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    inner = compiler.process(element.clauses, **kw)
    return _BARE_POSTGRESQL.format(inner)


@compiles(token_of, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    inner = compiler.process(element.clauses, **kw)
    return _BARE_SQLITE.format(inner)


@compiles(mask_of, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    inner = compiler.process(element.clauses, **kw)
    return f"substr({inner}, strpos({inner}, '~') + 1)"


@compiles(mask_of, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    inner = compiler.process(element.clauses, **kw)
    return f"substr({inner}, instr({inner}, '~') + 1)"


@compiles(as_date, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    inner = compiler.process(element.clauses, **kw)
    return f"CASE WHEN {_ENCRYPTED.format(inner)} THEN NULL ELSE CAST({inner} AS DATE) END"


@compiles(as_date, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    """DuckDB, attached to the file, has date(), too; SQLite would cast to a number."""
    inner = compiler.process(element.clauses, **kw)
    return f"CASE WHEN {_ENCRYPTED.format(inner)} THEN NULL ELSE date({inner}) END"


@compiles(as_moment, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS TIMESTAMP WITH TIME ZONE)"


@compiles(as_moment, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(year_of, "postgresql")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return _year(compiler.process(element.clauses, **kw))


@compiles(year_of, "sqlite")
def _(element: Any, compiler: Any, **kw: Any) -> str:
    return _year(compiler.process(element.clauses, **kw))


def _year(value: str) -> str:
    return f"CAST(substr({value}, 1, 4) AS INTEGER)"


def first_character(value: Expression) -> Expression:
    """A text's first character, the rest hidden; null and empty stay."""
    return sa.case((value == "", value), else_=sa.func.substr(value, 1, 1).op("||")(HIDDEN))


def seen(value: Expression, otherwise: Expression) -> Expression:
    """The mask behind a value that is encrypted with one; else what is masked here."""
    return sa.case((is_encrypted(value), mask_of(value)), else_=otherwise)


def ends(value: Expression) -> Expression:
    """A number's ends: +86…8000."""
    length = sa.func.length(value)
    last = sa.func.substr(value, length - (SHOWN_LAST - 1))
    shown = sa.func.substr(value, 1, SHOWN).op("||")(HIDDEN).op("||")(last)
    return sa.case((length <= SHORT, first_character(value)), else_=shown)


def identity(value: Expression) -> Expression:
    """A person's identity number: 110…8515, and …8068 where the ends would be half of it."""
    length = sa.func.length(value)
    last = sa.literal(HIDDEN, sa.Text()).op("||")(sa.func.substr(value, length - (SHOWN_LAST - 1)))
    short, middling = length <= SHORT, length <= 2 * (SHOWN + SHOWN_LAST)
    return sa.case((short, first_character(value)), (middling, last), else_=ends(value))


def is_encrypted(value: Expression) -> Expression:
    """Whether a value is encrypted, with a mask behind it."""
    return sa.cast(value, sa.Text()).like("enc:%~%")


def email(value: Expression) -> Expression:
    """A mail address's first character: a…@…, its domain may be a family's own."""
    return sa.func.substr(value, 1, 1).op("||")(f"{HIDDEN}@{HIDDEN}")


def beginning(value: Expression) -> Expression:
    """The first characters of a postal code, which as a whole may be one street."""
    return sa.func.substr(value, 1, SHOWN).op("||")(HIDDEN)


def unrolled(values: Expression, name: str) -> sa.FromClause:
    """A list of text as a FROM clause with columns ``key``, from 0, and ``value``."""
    columns = (sa.column("key", sa.Integer()), sa.column("value", sa.Text()))
    return list_places(values).table_valued(*columns, name=name)
