"""The published tables in another database, made equal to what is published now.

What belongs here: the views of warehouse/bi as tables of any database that
SQLAlchemy speaks to. Every row carries a hash of what it says; a run compares
hashes and writes only rows that are new, differ or are gone, in one
transaction: readers there see the old state or the new one. No state is kept
here, so that a table somebody emptied or restored is mended by the next run.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from onefold.errors import ConfigError, WarehouseError
from onefold.keys import Keys
from warehouse.bi.names import PII
from warehouse.bi.views import View, views
from warehouse.engine import Warehouse
from warehouse.moments import utc

KEYS = {
    "dim_customer": ("golden_id",),
    "bridge_source_customer": ("source", "source_key"),
    "id_map": ("golden_id",),
    "customer_contact_point": ("golden_id", "kind", "item"),
}
"""Exported view → the columns that name a row."""
HASH = "onefold_hash"
_LONGEST_KEY = 255
_AT_ONCE = 5_000


@dataclass(frozen=True)
class Exported:
    """What was written to a table."""

    table: str
    rows: int
    added: int
    changed: int
    deleted: int


def to_database(
    wh: Warehouse, url: str, *, prefix: str = "", masked: bool = False
) -> list[Exported]:
    """Make the tables of another database equal to the published ones.

    Args:
        wh: the warehouse.
        url: SQLAlchemy URL of a database the user may make tables in.
        prefix: of the tables' names.
        masked: write masks in place of personal data.

    Returns:
        one per table.

    Raises:
        ConfigError: the URL is wrong, or its driver is not installed.
        WarehouseError: the database cannot be reached or refuses; nothing is written.
    """
    engine = _engine(url)
    by_name = {view.name: view for view in views()}
    wanted = {name: by_name.get(name if masked else f"{name}{PII}", by_name[name]) for name in KEYS}
    metadata = sa.MetaData()
    tables = {
        name: _table(metadata, f"{prefix}{name}", name, view) for name, view in wanted.items()
    }
    try:
        with wh.read() as source:
            metadata.create_all(engine)
            with engine.begin() as target:
                return [
                    _write(target, tables[name], KEYS[name], _rows(source, view, wh.keys))
                    for name, view in wanted.items()
                ]
    except sa.exc.SQLAlchemyError as error:
        original = getattr(error, "orig", None)
        raise WarehouseError(
            _place(engine.url),
            "the tables could not be written",
            found=type(original or error).__name__,
            do="Check that it runs, the user's rights, and that the tables are Onefold's own.",
        ) from None
    finally:
        engine.dispose()


def forget(url: str, golden_ids: Collection[str], *, prefix: str = "") -> None:
    """Take customers out of tables that :func:`to_database` wrote; their ids end in id_map.

    Raises:
        ConfigError: as for :func:`to_database`.
        WarehouseError: the database cannot be reached or refuses.
    """
    engine = _engine(url)
    erased = {"current_golden_id": None, "state": "erased", "reason": None, HASH: ""}
    try:
        with engine.begin() as target:
            there = set(sa.inspect(target).get_table_names())
            for name in KEYS.keys() & {one.removeprefix(prefix) for one in there}:
                table = sa.table(
                    f"{prefix}{name}", *(sa.column(one) for one in ("golden_id", *erased))
                )
                for golden_id in sorted(golden_ids):
                    this = table.c.golden_id == golden_id
                    if name == "id_map":
                        target.execute(sa.update(table).where(this).values(erased))
                    else:
                        target.execute(sa.delete(table).where(this))
    except sa.exc.SQLAlchemyError as error:
        original = getattr(error, "orig", None)
        raise WarehouseError(
            _place(engine.url),
            "customers could not be taken out of what was exported to it",
            found=type(original or error).__name__,
            do="Make it reachable, or say that it is gone: 'onefold export --forget PLACE'.",
        ) from None
    finally:
        engine.dispose()


def _engine(url: str) -> sa.Engine:
    try:
        return sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool)
    except (sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigError(
            "--to", "there is no driver for this database", found=str(error), do="Install it."
        ) from error
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigError(
            "--to",
            "this is no database URL",
            do="Write it as postgresql+psycopg://USER:${PASSWORD}@HOST/DATABASE.",
        ) from None


def _place(url: sa.URL) -> str:
    host = f" on {url.host}" if url.host else ""
    return f"{url.get_backend_name()} database {url.database or ''}{host}".strip()


def _table(metadata: sa.MetaData, name: str, of: str, view: View) -> sa.Table:
    columns: list[sa.Column[Any]] = []
    for column in view.columns:
        key = column.name in KEYS[of]
        columns.append(
            sa.Column(
                column.name, _type(column.value.type, key), primary_key=key, nullable=not key,
                autoincrement=False, comment=column.doc,
            )
        )  # fmt: skip
    columns.append(sa.Column(HASH, sa.String(32), nullable=False, comment="Of what the row says."))
    return sa.Table(name, metadata, *columns, comment=view.doc)


def _type(kind: sa.types.TypeEngine[Any], key: bool) -> sa.types.TypeEngine[Any]:
    """A type that every database has; moments are UTC without a zone."""
    if isinstance(kind, sa.DateTime):
        return sa.DateTime()
    if isinstance(kind, sa.Date | sa.Boolean | sa.Integer | sa.Float):
        return type(kind)()
    return sa.Unicode(_LONGEST_KEY) if key else sa.UnicodeText()


def _rows(connection: sa.Connection, view: View, keys: Keys) -> Iterator[dict[str, Any]]:
    """The rows of a view; where it shows personal data, what is kept encrypted is opened."""
    query = view.select_stored() if view.pii else view.select()
    kept = {one.name: one.value.type for one in view.columns if view.pii and one.stored is not None}
    found = connection.execution_options(stream_results=True).execute(query)
    for row in found.yield_per(_AT_ONCE):
        values = {name: _plain(value) for name, value in row._mapping.items()}
        for name, kind in kept.items():
            if values[name] is not None:
                clear = keys.decrypt_all(str(values[name]))
                values[name] = date.fromisoformat(clear) if isinstance(kind, sa.Date) else clear
        yield values


def _plain(value: Any) -> Any:
    return utc(value).replace(tzinfo=None) if isinstance(value, datetime) else value


def _write(
    target: sa.Connection, table: sa.Table, keys: tuple[str, ...], rows: Iterator[dict[str, Any]]
) -> Exported:
    of_key = [table.c[name] for name in keys]
    stored = {tuple(row[:-1]): row[-1] for row in target.execute(sa.select(*of_key, table.c[HASH]))}
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    counts = {"rows": 0, "added": 0, "changed": 0}

    def flush() -> None:
        if changed:
            _delete(target, table, keys, [tuple(row[name] for name in keys) for row in changed])
        if added or changed:
            target.execute(sa.insert(table), [*added, *changed])
        added.clear()
        changed.clear()

    for row in rows:
        row[HASH] = _hash(row)
        known = stored.pop(tuple(row[name] for name in keys), None)
        counts["rows"] += 1
        if known is None:
            added.append(row)
            counts["added"] += 1
        elif known != row[HASH]:
            changed.append(row)
            counts["changed"] += 1
        if len(added) + len(changed) >= _AT_ONCE:
            flush()
    _delete(target, table, keys, list(stored))
    flush()
    return Exported(table.name, deleted=len(stored), **counts)


def _delete(
    target: sa.Connection, table: sa.Table, keys: tuple[str, ...], gone: list[tuple[Any, ...]]
) -> None:
    if gone:
        named = [table.c[name] == sa.bindparam(f"key_{name}") for name in keys]
        values = [{f"key_{name}": v for name, v in zip(keys, row, strict=True)} for row in gone]
        target.execute(sa.delete(table).where(*named), values)


def _hash(row: dict[str, Any]) -> str:
    """Of the values with their lengths, so that none runs into the next."""
    parts = []
    for name, value in row.items():
        text = "" if value is None else str(value)
        parts.append(f"{name}{'-' if value is None else len(text)}:{text}")
    return hashlib.blake2b("".join(parts).encode(), digest_size=16).hexdigest()
