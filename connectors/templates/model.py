"""What a template says: tables, joins, columns, and what each is unsure of.

What belongs here: the shape of ``NAME.yml``, reading one, and putting a source's
own settings over it. How it becomes SQL stands in connectors/templates/statement.py.

A reference names a column: ``street`` of the main table, ``country.code`` of a join,
or something under ``computed``. One that ends in ``?`` may be missing: what needs it
is then left out. Every scalar is text, as in a source's YAML.
"""

import functools
from collections.abc import Mapping
from importlib import resources
from pathlib import PurePath
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from onefold.errors import ConfigError

References = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]
_SHEETS = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Part):
    """One condition on a row: on a column, or made of others.

    A condition on a column that may be missing and is counts as not being there.
    """

    column: str = ""
    one_of: References = Field(default=(), alias="in")
    """True where the column has one of these values."""
    not_in: References = ()
    """True where it has none of them, or nothing."""
    blank: bool | None = None
    """Whether nothing, or nothing but blanks, stands there."""
    above: int | None = None
    """True where the number is greater."""
    not_above: int | None = None
    """True where it is not, or nothing is there."""
    same_as: str = ""
    """True where another column has the same value."""
    any_of: tuple["Condition", ...] = Field(default=(), alias="any")
    all_of: tuple["Condition", ...] = Field(default=(), alias="all")
    exists: "Link | None" = None
    """True where the other table has a row."""
    lacks: "Link | None" = None
    """True where it has none."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = self.model_fields_set - {"column"}
        on_column = said & {"one_of", "not_in", "blank", "above", "not_above", "same_as"}
        if len(said) != 1 or bool(self.column) != bool(on_column):
            raise ValueError("a condition says one thing, about a column or about others")
        return self


class Link(_Part):
    """Another table, and how its rows belong to those of the main table.

    With ``take`` it may have many rows for one: they are gathered, each of ``take`` being
    a column of the result. Without it it must have one at most.
    """

    table: str
    optional: bool = False
    """Whether the table may be missing; what needs it is then left out."""
    required: bool = False
    """Whether main rows without one are left out."""
    on: dict[str, References]
    """Column of this table → reference of the main scope; of several the first filled one."""
    where: tuple[Condition, ...] = ()
    """Only these rows of it; references name its own columns and those of ``joins``."""
    joins: dict[str, "Link"] = {}
    """Tables joined to it before its rows are gathered; rows without one are left out."""
    take: dict[str, "Gathered"] = {}
    for_cursor: bool = False
    """Whether it only tells when a record changed: left out unless that is asked for."""

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if sum(bool(taken.all) for taken in self.take.values()) > 1:
            raise ValueError("a join gathers one list at most")
        if self.joins and not self.take:
            raise ValueError("only a join that gathers has joins of its own")
        return self


class Gathered(_Part):
    """What is made of one column of many rows; one of the first four."""

    all: str = ""
    """Every value, as a list in the order of ``by``."""
    least: str = ""
    greatest: str = ""
    latest: References = ()
    """The greatest of several columns over all rows."""
    by: References = ()
    """References, each with ``-`` before it for a descending order; then by value."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if len(self.model_fields_set - {"by"}) != 1:
            raise ValueError("say one of all, least, greatest and latest")
        return self


class Computed(_Part):
    """A column that is made of others; one of these."""

    latest: References = ()
    """The greatest that is there: when anything of the record was last changed."""
    joined: References = ()
    """The filled ones, one after the other."""
    between: str = " "
    """Stands between what is joined."""
    first: References = ()
    """The first that is filled."""
    translated: str = ""
    """A text in one language out of a JSON object of languages, or the text itself."""
    languages: tuple[str, ...] = ("zh_CN", "en_US")
    """Which one, the first that is there."""
    holds: tuple[Condition, ...] = ()
    """true where all of these hold, else false."""


class Api(_Part):
    """The same records through the system's web API."""

    settings: dict[str, Any]
    """Put over the template's other settings."""
    hosts: tuple[str, ...] = ()
    """What such addresses end in."""
    auth: dict[str, str] = {}
    """What ``onefold source add`` writes as ``api.auth``; ``NAME`` is the source's."""
    computed: dict[str, Computed] = {}
    """In place of the template's: columns made of others, by ``latest``, ``joined``, ``first``."""
    where: tuple[Condition, ...] = ()
    """In place of the template's: which records are customers, by their own columns."""
    unsure: tuple[str, ...] = ()
    """What was not seen of the API, besides the rest."""

    @model_validator(mode="after")
    def _by_own_columns(self) -> Self:
        if any(one.translated or one.holds for one in self.computed.values()):
            raise ValueError("of an API columns are computed by latest, joined and first only")
        if any(_needs_tables(one) for one in self.where):
            raise ValueError("records of an API have no other tables")
        return self


def _needs_tables(condition: Condition) -> bool:
    inner = (*condition.any_of, *condition.all_of)
    return bool(condition.exists or condition.lacks) or any(map(_needs_tables, inner))


class Signs(_Part):
    """What a database or a file with such records looks like."""

    tables: dict[str, tuple[str, ...]] = {}
    """Tables that must be there, and columns that they have."""
    headings: tuple[str, ...] = ()
    """Headings of an export; ``A | B`` where a system writes one or the other."""


class Template(_Part):
    """One kind of customer record of one system.

    Attributes:
        name: the file's name without its ending.
        title: system and kind of record, for people.
        versions: which ones it is for.
        databases: where such systems keep their data, as SQLAlchemy's dialects; empty: files.
        reads: what it reads, one sentence.
        unsure: what was not seen in the vendor's own code or documents.
        evidence: where the names come from.
        recognized_by: what tells such a database or file.
        main: the table with one row per record; empty: the template is for files.
        joins: other tables by the name that references use.
        computed: columns made of others.
        where: which rows are customers.
        deleted: a row for which one of these holds is gone.
        cursor: the column that moves whenever something of a record does that is read: the
            latest moment of all its tables; only for databases.
        without_cursor: why there is none.
        settings: what a source's YAML would say; every part can be overridden there.
        api: how its web API is read, where it has one.
    """

    name: str
    title: str
    versions: str = ""
    databases: tuple[str, ...] = ()
    reads: str
    unsure: tuple[str, ...] = ()
    evidence: tuple[str, ...]
    recognized_by: Signs
    main: str = Field(default="", alias="from")
    joins: dict[str, Link] = {}
    computed: dict[str, Computed] = {}
    where: tuple[Condition, ...] = ()
    deleted: tuple[Condition, ...] = ()
    cursor: str = ""
    without_cursor: str = ""
    settings: dict[str, Any]
    api: Api | None = None

    @model_validator(mode="after")
    def _says_when_records_change(self) -> Self:
        if bool(self.main) != bool(self.cursor or self.without_cursor):
            raise ValueError("a template with tables has a cursor, or says why it has none")
        return self


def names() -> list[str]:
    """The names of all templates, sorted."""
    folder = resources.files("connectors") / "templates"
    return sorted(file.name[:-4] for file in folder.iterdir() if file.name.endswith(".yml"))


@functools.cache
def load(name: str) -> Template:
    """Read a template.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in names():
        raise ConfigError(
            f"template {name}", "there is no such template", do=f"Say one of {', '.join(names())}."
        )
    file = resources.files("connectors") / "templates" / f"{name}.yml"
    data = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
    return Template.model_validate({"name": name, **data})


def fill(data: Mapping[str, Any]) -> dict[str, Any]:
    """A source's settings with those of its template beneath them.

    Mappings such as ``columns`` and ``values`` are put together entry by entry, all else
    that the source says takes the template's place.

    >>> filled = fill({"template": "odoo", "url": "${ODOO}", "columns": {"note": "comment"}})
    >>> filled["connector"], filled["columns"]["note"], filled["columns"]["city"]
    ('sql', 'comment', 'city')
    """
    template = load(str(data["template"]))
    settings = template.settings
    of_the_web = str(data.get("url", "")).startswith(("https://", "http://"))
    if of_the_web and template.api is None:
        raise ConfigError(
            f"template {template.name}",
            "there is no web API that it knows",
            do="Give the URL of a database, or a path to files.",
        )
    if of_the_web and template.api is not None:
        settings = _over(settings, template.api.settings)
    filled = _over(settings, data)
    if "connector" not in filled and ("url" in filled or "path" in filled):
        filled["connector"] = "api" if of_the_web else _connector(filled)
    own_tables = filled.get("connector") == "sql" and not {"table", "query"} & {*filled}
    if template.cursor and own_tables and filled.get("mode") == "cursor":
        filled.setdefault("cursor", template.cursor)
    return filled


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        result[key] = _over(under, value) if both and under is not None else value
    return result


def _connector(settings: Mapping[str, Any]) -> str:
    if "url" in settings:
        return "sql"
    path = settings["path"]
    first = path if isinstance(path, str) else next(iter(path), "")
    suffix = PurePath(str(first)).suffix.lower()
    if suffix in _SHEETS:
        return "spreadsheet"
    return "parquet" if suffix == ".parquet" else "delimited"
