"""From a template to the SELECT that reads its records, for the database at hand.

What belongs here: finding the tables and columns that this version of the system has,
and joins, conditions and computed columns out of them as SQLAlchemy expressions. How a
dialect writes those stands in connectors/dialects.py.

Every result column is text and bears the name that the template refers to it by.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from connectors.config import SourceConfig
from connectors.dialects import as_text, latest, listed
from connectors.queries import Expression, Query, is_among
from connectors.templates.model import Computed, Condition, Link, Template, load
from onefold.errors import SourceLayout, SourceMissing

Table = sa.FromClause
_SHOWN = 40


def build(config: SourceConfig, inspector: sa.Inspector, dialect: sa.Dialect) -> Query:
    """The query of a source that has a template.

    Args:
        inspector: the catalog of the database.
        dialect: the kind of database that the query is for.

    Raises:
        SourceMissing: a table that the template needs is not there.
        SourceLayout: a column that it needs, or that the source's YAML names, is not there.
    """
    return _Builder(config, load(config.template or ""), inspector, dialect).query()


@dataclass
class _Scope:
    """What references mean at one place.

    Attributes:
        tables: alias → its columns by plain name; '' is the table itself.
        what: its table, for messages.
    """

    what: str
    tables: dict[str, Mapping[str, Expression]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    """Aliases of optional tables that are not there."""


class _Builder:
    def __init__(
        self,
        config: SourceConfig,
        template: Template,
        inspector: sa.Inspector,
        dialect: sa.Dialect,
    ) -> None:
        self._config, self._template = config, template
        self._catalog = _Catalog(config, template, inspector)
        self._orders_itself = dialect.name != "sqlite"

    def query(self) -> Query:
        main = self._table(self._template.main, "main")
        scope = _Scope(self._template.main, {"": _columns(main)})
        origin: sa.FromClause = main
        wanted = {reference.removesuffix("?") for reference in self._wanted()}
        for alias, link in self._template.joins.items():
            if link.for_cursor and self._template.cursor not in wanted:
                scope.absent.add(alias)
                continue
            joined = self._joined(alias, link, scope)
            if joined is not None:
                table, on = joined
                origin = origin.join(table, on, isouter=not link.required)
        for name, computed in self._template.computed.items():
            if name == self._template.cursor and name not in wanted:
                continue
            try:
                value = self._computed(computed, scope)
            except SourceLayout as error:
                if name == self._template.cursor:
                    error.do = f"Set 'mode: snapshot' in {self._config.file}."
                raise
            if value is not None:
                scope.tables[""] = {**scope.tables[""], _plain(name): value}
        outputs: dict[str, Expression] = {}
        for reference in self._wanted():
            value = self._column(reference, scope)
            if value is not None:
                outputs[reference.removesuffix("?")] = value
        deleted = [
            made
            for part in self._template.deleted
            if (made := self._condition(part, scope)) is not None
        ]
        return Query(
            outputs,
            origin,
            tuple(self._conditions(scope)),
            sa.or_(*deleted) if deleted else None,
        )

    def _wanted(self) -> Iterable[str]:
        """Every reference that the source maps, syncs by or has in its key, each once."""
        used = [*self._config.key]
        used += [self._config.cursor] if self._config.cursor else []
        used += [self._config.deleted.column] if self._config.deleted else []
        used += [name for names in self._config.columns.values() for name in names]
        return dict.fromkeys(used)

    def _conditions(self, scope: _Scope) -> list[Expression]:
        only = [
            Condition.model_validate({"column": column, "in": values})
            for column, values in self._config.only.items()
        ]
        return self._all([*self._template.where, *only], scope)

    # -- tables

    def _table(self, name: str, alias: str) -> Table:
        table = self._catalog.table(name)
        assert table is not None  # the catalog raises for a table that is needed
        return table.alias(alias)

    def _joined(
        self, alias: str, link: Link, scope: _Scope
    ) -> tuple[sa.FromClause, Expression] | None:
        """A joined table and its condition; None where an optional one is not there."""
        own = self._linked(alias, link)
        if own is None:
            scope.absent.add(alias)
            return None
        table, inner, origin = own
        targets = [(self._needed(column, inner), refs) for column, refs in link.on.items()]
        if not link.take:
            on: list[Any] = [target == self._target(refs, scope) for target, refs in targets]
            scope.tables[alias] = inner.tables[""]
            return table, sa.and_(*on, *self._all(link.where, inner))
        gathered, links = self._gathered(alias, link, inner, origin, [t for t, _ in targets])
        scope.tables[alias] = _columns(gathered)
        on = [
            gathered.c[name] == self._target(refs, scope)
            for name, (_, refs) in zip(links, targets, strict=True)
        ]
        return gathered, sa.and_(*on)

    def _linked(self, alias: str, link: Link) -> tuple[Table, _Scope, sa.FromClause] | None:
        """A table with its own joins: the table, what references mean there, the FROM."""
        found = self._catalog.table(link.table, optional=link.optional)
        if found is None:
            return None
        table = found.alias(alias)
        inner = _Scope(link.table, {"": _columns(table)})
        origin: sa.FromClause = table
        for name, further in link.joins.items():
            joined = self._joined(name, further, inner)
            if joined is None:
                return None
            origin = origin.join(*joined)
        return table, inner, origin

    def _gathered(
        self,
        alias: str,
        link: Link,
        inner: _Scope,
        origin: sa.FromClause,
        targets: Sequence[Expression],
    ) -> tuple[sa.FromClause, list[str]]:
        """The rows of a table put together, one per value of the columns that link it."""
        links = [f"link_{place}" for place in range(len(targets))]
        keys = [target.label(name) for name, target in zip(links, targets, strict=True)]
        parts: dict[str, Expression] = {}
        order: list[Expression] = []
        for name, taken in link.take.items():
            if taken.all:
                parts[name] = self._needed(taken.all, inner)
                order = [self._sorted(reference, inner) for reference in taken.by]
            else:
                sources = [taken.least or taken.greatest] if not taken.latest else taken.latest
                found = [v for ref in sources if (v := self._column(ref, inner)) is not None]
                parts[name] = latest(*found)
        rows = sa.select(*keys, *(value.label(name) for name, value in parts.items()))
        places = [value.label(f"order_{place}") for place, value in enumerate(order)]
        rows = rows.add_columns(*places).select_from(origin).where(*self._all(link.where, inner))
        if not self._orders_itself:
            rows = rows.order_by(*links, *(value.name for value in places), *parts)
        source = rows.subquery(f"{alias}_rows")
        results = []
        for name, taken in link.take.items():
            column = source.c[name]
            if taken.all:
                made: Any = listed(as_text(column), *(source.c[place.name] for place in places))
            else:
                made = sa.func.min(column) if taken.least else sa.func.max(column)
            results.append(made.label(name))
        own = [source.c[name] for name in links]
        return sa.select(*own, *results).group_by(*own).subquery(alias), links

    def _sorted(self, reference: str, scope: _Scope) -> Expression:
        """What to order by, ascending: a rank where the order is descending."""
        value = self._needed(reference.removeprefix("-"), scope)
        if reference.startswith("-"):
            number = isinstance(value.type, sa.Integer | sa.Numeric)
            return -sa.func.coalesce(value, 0) if number else self._rank(value)
        return value

    def _rank(self, flag: Expression) -> Expression:
        """0 for a flag that is set, 1 for one that is not."""
        set_ = (
            flag if isinstance(flag.type, sa.Boolean) else is_among(flag, ("X", "Y", "1", "true"))
        )
        return sa.case((set_, 0), else_=1)

    # -- columns

    def _column(self, reference: str, scope: _Scope) -> Expression | None:
        """The column; None where it may be missing and is."""
        name, may_miss = reference.removesuffix("?"), reference.endswith("?")
        alias, dot, column = name.rpartition(".")
        if alias in scope.absent:
            return None
        own = scope.tables.get(alias) if dot else scope.tables[""]
        found = None if own is None else own.get(_plain(column), own.get(_bare(column)))
        if found is None and not may_miss:
            columns = sorted(
                {value.key for value in (own or scope.tables[""]).values() if value.key}
            )
            raise SourceLayout(
                self._config.name,
                f"{scope.what} has no column '{name}'",
                found=", ".join(columns[:_SHOWN]),
                do=f"Map another one in {self._config.file}, or set 'query' to one of your own.",
            )
        return found

    def _needed(self, reference: str, scope: _Scope) -> Expression:
        found = self._column(reference.removesuffix("?"), scope)
        assert found is not None  # without '?' a missing column raises
        return found

    def _target(self, references: Sequence[str], scope: _Scope) -> Expression:
        """What a join compares with: the first of the references that is filled."""
        found = [v for ref in references if (v := self._column(ref, scope)) is not None]
        return found[0] if len(found) == 1 else _first(found)

    def _computed(self, computed: Computed, scope: _Scope) -> Expression | None:
        if computed.translated:
            value = self._column(computed.translated, scope)
            return None if value is None else _translated(value, computed.languages)
        if computed.holds:
            conditions = self._all(computed.holds, scope)
            return sa.case((sa.and_(*conditions), "true"), else_="false") if conditions else None
        wanted = computed.latest or computed.joined or computed.first
        found = [v for ref in wanted if (v := self._column(ref, scope)) is not None]
        if not found:
            return None
        if computed.latest:
            return latest(*found)
        return _first(found) if computed.first else _strung(found, computed.between)

    # -- conditions

    def _all(self, conditions: Iterable[Condition], scope: _Scope) -> list[Expression]:
        return [made for part in conditions if (made := self._condition(part, scope)) is not None]

    def _condition(self, condition: Condition, scope: _Scope) -> Expression | None:
        """The condition; None where what it needs is missing and may be."""
        if condition.any_of or condition.all_of:
            parts = self._all(condition.any_of or condition.all_of, scope)
            if not parts:
                return None
            return sa.or_(*parts) if condition.any_of else sa.and_(*parts)
        if condition.exists or condition.lacks:
            return self._existing(condition, scope)
        value = self._column(condition.column, scope)
        return None if value is None else self._compared(condition, value, scope)

    def _existing(self, condition: Condition, scope: _Scope) -> Expression | None:
        link = condition.exists or condition.lacks
        assert link is not None  # the caller looked
        linked = self._linked(f"other_{link.table}".replace(" ", "_"), link)
        if linked is None:
            return None
        _, inner, origin = linked
        on = [
            self._needed(column, inner) == self._target(refs, scope)
            for column, refs in link.on.items()
        ]
        made = sa.exists(
            sa.select(sa.literal(1)).select_from(origin).where(*on, *self._all(link.where, inner))
        )
        return made if condition.exists else ~made

    def _compared(
        self, condition: Condition, value: Expression, scope: _Scope
    ) -> Expression | None:
        if condition.one_of:
            return is_among(value, condition.one_of)
        if condition.not_in:
            return sa.or_(value.is_(None), ~is_among(value, condition.not_in))
        if condition.blank is not None:
            if not _is_text(value):
                return value.is_(None) if condition.blank else value.is_not(None)
            # Oracle trims blanks to null, others to ''; SAP writes one or the other.
            trimmed = _trimmed(value)
            blank = sa.or_(value.is_(None), trimmed.is_(None), trimmed == "")
            return blank if condition.blank else ~blank
        if condition.above is not None:
            return value > condition.above
        if condition.not_above is not None:
            return sa.or_(value.is_(None), value <= condition.not_above)
        other = self._column(condition.same_as, scope)
        return None if other is None else value == other


class _Catalog:
    """The tables of one database that a template names, in whatever case and schema."""

    def __init__(self, config: SourceConfig, template: Template, inspector: sa.Inspector) -> None:
        self._config, self._template = config, template
        self._inspector = inspector
        self._known: dict[str, sa.TableClause | None] = {}
        self._schema = config.database_schema or self._home()

    def table(self, name: str, *, optional: bool = False) -> sa.TableClause | None:
        """The table with its columns and their types; None where it may be missing and is.

        Raises:
            SourceMissing: it may not.
        """
        if name not in self._known:
            self._known[name] = self._find(name, self._schema)
        found = self._known[name]
        if found is None and not optional:
            raise SourceMissing(
                self._config.name,
                f"{self._template.title} has a table '{name}', this database has none",
                found=f"schema {self._schema}" if self._schema else "the user's own schema",
                do=f"Set 'database_schema' in {self._config.file}, or give the user the right "
                "to read it.",
            )
        return found

    def _home(self) -> str | None:
        """The schema with the main table: the user's own, else the only other one that has it."""
        main = self._template.main
        if self._find(main, None) is not None:
            return None
        others = [
            schema
            for schema in self._inspector.get_schema_names()
            if schema not in ("information_schema", "sys") and self._find(main, schema) is not None
        ]
        if len(others) > 1:
            raise SourceMissing(
                self._config.name,
                f"several schemas have a table '{main}'",
                found=", ".join(sorted(others)),
                do=f"Say which one as 'database_schema' in {self._config.file}.",
            )
        return others[0] if others else None

    def _find(self, name: str, schema: str | None) -> sa.TableClause | None:
        for form in dict.fromkeys((name, name.lower(), name.upper())):
            try:
                columns = self._inspector.get_columns(form, schema=schema)
            except exc.NoSuchTableError:
                continue
            if columns:
                typed = [sa.column(str(column["name"]), column["type"]) for column in columns]
                return sa.table(form, *typed, schema=schema)
        return None


def _columns(table: sa.FromClause) -> dict[str, Expression]:
    """Columns by their name in one case, and without underscores where that tells them apart."""
    found: dict[str, Expression] = {}
    bare: dict[str, list[Expression]] = {}
    for column in table.c:
        found[_plain(column.name)] = column
        bare.setdefault(_bare(column.name), []).append(column)
    return {**{name: same[0] for name, same in bare.items() if len(same) == 1}, **found}


def _plain(name: str) -> str:
    return name.casefold()


def _bare(name: str) -> str:
    return name.casefold().replace("_", "")


def _is_text(value: Expression) -> bool:
    return isinstance(value.type, sa.String)


def _translated(value: Expression, languages: Sequence[str]) -> Expression:
    if not isinstance(value.type, sa.JSON):
        return value
    return sa.func.coalesce(*(value[language].as_string() for language in languages))


def _first(values: Sequence[Expression]) -> Expression:
    """The first value that is filled."""
    filled = [sa.func.nullif(value, "") if _is_text(value) else value for value in values]
    return sa.func.coalesce(*filled) if len(filled) > 1 else filled[0]


def _strung(values: Sequence[Expression], between: str) -> Expression:
    """The values one after the other, as one text; blanks around it and around each are gone."""
    result: Any = None
    for value in values:
        part = sa.type_coerce(sa.func.coalesce(_trimmed(as_text(value)), ""), sa.Text)
        result = part if result is None else result + between + part
    return sa.type_coerce(_trimmed(result), sa.Text)


def _trimmed(value: Expression) -> Expression:
    """Without blanks around it; TRIM is missing in SQL Server before 2017."""
    return sa.func.ltrim(sa.func.rtrim(value))
