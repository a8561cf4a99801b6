"""What a PostgreSQL server needs so that its log says what changed in a source's tables.

What belongs here: which tables are followed and by which columns, and what is missing on the
server, each with what to run. Nothing is made or changed there.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors import mapping
from connectors.config import SourceConfig
from onefold.errors import ConfigError, SourceError, SourceMissing

_OLDEST = 110000
_TABLE = sa.text(
    """
    SELECT CAST(c.oid AS bigint) AS number, n.nspname || '.' || c.relname AS name,
        quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS written,
        c.relkind IN ('r', 'p') AS is_table
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND (n.nspname || '.' || c.relname = :name
            OR c.relname = :name AND pg_table_is_visible(c.oid))
    ORDER BY c.relname = :name DESC LIMIT 1
    """
)
_PARTS = sa.text(
    """
    WITH RECURSIVE part (number) AS (
        SELECT CAST(:number AS oid)
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN part ON i.inhparent = part.number
    )
    SELECT CAST(c.oid AS bigint) AS number, n.nspname || '.' || c.relname AS name,
        quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS written,
        c.relkind = 'r' AS stores, c.relpersistence = 'u' AS unlogged,
        CAST(c.relreplident AS text) AS identified_by, CAST(c.relfilenode AS bigint) AS file,
        ARRAY(
            SELECT CAST(a.attname AS text) FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ) AS columns,
        ARRAY(
            SELECT CAST(a.attname AS text)
            FROM pg_index x CROSS JOIN unnest(x.indkey) WITH ORDINALITY AS k (number, place)
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
            WHERE x.indrelid = c.oid AND k.place <= x.indnkeyatts
                AND CASE c.relreplident
                    WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident ELSE false END
        ) AS identity,
        ARRAY(
            SELECT CAST(a.attname AS text)
            FROM pg_attribute a JOIN pg_cast k ON k.castsource = a.atttypid
            WHERE a.attrelid = c.oid AND a.attnum > 0
                AND k.casttarget = CAST('text' AS regtype) AND k.castmethod = 'f'
                AND a.atttypid NOT IN (CAST('bpchar' AS regtype), CAST('name' AS regtype),
                    CAST('"char"' AS regtype))
        ) AS written_otherwise
    FROM part JOIN pg_class c ON c.oid = part.number JOIN pg_namespace n ON n.oid = c.relnamespace
    ORDER BY c.oid
    """
)
_PUBLICATION = sa.text(
    "SELECT CAST(oid AS bigint) AS number, CAST(xmin AS text) AS written,"
    " pubinsert AND pubupdate AND pubdelete AS tells_all"
    " FROM pg_publication WHERE pubname = :name"
)
_MEMBERS = sa.text(
    "SELECT CAST(oid AS bigint), CAST(prrelid AS bigint), CAST(xmin AS text)"
    " FROM pg_publication_rel WHERE prpubid = :number ORDER BY oid"
)
_PUBLISHED = sa.text(
    "SELECT schemaname || '.' || tablename AS name, to_jsonb(t) AS told"
    " FROM pg_publication_tables t WHERE pubname = :name"
)


@dataclass(frozen=True)
class Followed:
    """The tables that a source is made of.

    Attributes:
        keys: number of every table and partition → its columns that hold the source's key.
        state: of the files under them and of the publication. Another one means that rows may
            have changed without a word in the log: emptied, rewritten, replaced, not published.
    """

    keys: Mapping[int, tuple[str, ...]]
    state: str


def followed(config: SourceConfig, server: sa.Connection) -> Followed:
    """Find a source's tables, and whether the log tells of every change in them.

    Raises:
        SourceError: it does not; says what to run on the server.
        SourceMissing: there is no such table.
        ConfigError: it is no table.
    """
    assert config.changes is not None
    _check_server(config, server)
    named = config.changes.tables or {config.table or "": tuple(config.key)}
    keys: dict[int, tuple[str, ...]] = {}
    parts: dict[Any, list[Any]] = {}
    for name, columns in named.items():
        table = server.execute(_TABLE, {"name": name}).one_or_none()
        if table is None:
            raise SourceMissing(
                config.name,
                f"no table '{name}'",
                do=f"Mend it in {config.file}, or give the user the right to read it.",
            )
        if not table.is_table:
            raise ConfigError(
                f"{config.file}, changes",
                f"'{name}' is no table, and the log tells of tables only",
                do="Write the tables that it is made of, and which of their columns hold the "
                "key, as changes.tables: {schema.table: column}.",
            )
        parts[table] = list(server.execute(_PARTS, {"number": table.number}))
        for part in parts[table]:
            keys[part.number] = _key(config, part, columns)
    number, state = _check_publication(config, server, parts, keys)
    files = [(part.number, part.file) for found in parts.values() for part in found]
    digest = hashlib.sha256(json.dumps([files, number, state]).encode())
    return Followed(keys, digest.hexdigest()[:16])


def _check_server(config: SourceConfig, server: sa.Connection) -> None:
    row = server.exec_driver_sql(
        "SELECT current_setting('wal_level') AS level, pg_is_in_recovery() AS standby,"
        " CAST(current_setting('server_version_num') AS integer) AS version"
    ).one()
    if row.version < _OLDEST:
        raise SourceError(
            config.name,
            "the server is too old to tell what changed",
            found=f"version {row.version // 10000}",
            do=f"It needs PostgreSQL 11; use mode cursor in {config.file}.",
        )
    if row.standby:
        raise SourceError(
            config.name,
            "the server is a standby",
            do=f"Name the primary in {config.file}, url: its log is asked.",
        )
    if row.level != "logical":
        raise SourceError(
            config.name,
            "the server's log does not say enough",
            found=f"wal_level {row.level}",
            do="Run as an admin: ALTER SYSTEM SET wal_level = logical; then restart the server.",
        )


def _key(config: SourceConfig, part: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a table that hold the key, which the log says of every old row."""
    columns = [mapping.find_column(part.columns, name.removesuffix("?")) for name in names]
    there = tuple(dict.fromkeys(column for column in columns if column))
    if not there or len(there) < sum(not name.endswith("?") for name in names):
        missing = next((n for n, c in zip(names, columns, strict=True) if c is None), names[0])
        raise mapping.missing_column(config, missing, part.columns, "changes")
    shown = ", ".join(there)
    if part.unlogged:
        raise SourceError(
            config.name,
            f"the table {part.name} is unlogged: the server's log does not know it",
            do=f"Run as its owner: ALTER TABLE {part.written} SET LOGGED;"
            f" or use another mode in {config.file}.",
        )
    odd = [column for column in there if column in part.written_otherwise]
    if odd:
        raise SourceError(
            config.name,
            f"the log writes '{odd[0]}' of {part.name}, a part of the key, in its own way",
            do=f"Use mode cursor or snapshot in {config.file}.",
        )
    if part.identified_by != "f" and not set(there) <= set(part.identity):
        raise SourceError(
            config.name,
            f"the log does not say {shown} of deleted rows of {part.name}",
            found=f"replica identity {', '.join(part.identity) or 'nothing'}",
            do=f"Run as its owner: ALTER TABLE {part.written} REPLICA IDENTITY FULL; or, where a"
            f" unique index over {shown} is there, REPLICA IDENTITY USING INDEX its name; do it"
            " before the table is published: else its updates fail.",
        )
    return there


def _check_publication(
    config: SourceConfig,
    server: sa.Connection,
    parts: Mapping[Any, list[Any]],
    keys: Mapping[int, tuple[str, ...]],
) -> tuple[int, list[Any]]:
    """That every table is published, with its key and all its rows; and how it stands now."""
    assert config.changes is not None
    name = config.changes.published
    wanted = ", ".join(table.written for table in parts)
    found = server.execute(_PUBLICATION, {"name": name}).one_or_none()
    if found is None:
        raise SourceError(
            config.name,
            f"there is no publication '{name}' in the database",
            do=f'Run as the owner of the tables: CREATE PUBLICATION "{name}" FOR TABLE {wanted};',
        )
    if not found.tells_all:
        raise SourceError(
            config.name,
            f"the publication '{name}' leaves out some kinds of changes",
            do=f'Run as its owner: ALTER PUBLICATION "{name}" SET'
            " (publish = 'insert, update, delete, truncate');",
        )
    published = {row.name: row.told for row in server.execute(_PUBLISHED, {"name": name})}
    for table, members in parts.items():
        stored = [part for part in members if part.stores]
        listed = [part for part in members if part.name in published]
        if table.name not in published and not all(part.name in published for part in stored):
            raise SourceError(
                config.name,
                f"the publication '{name}' does not have table {table.name}",
                found=", ".join(sorted(published)) or "no tables",
                do=f'Run as its owner: ALTER PUBLICATION "{name}" ADD TABLE {table.written};',
            )
        for part in listed:
            told = published[part.name]
            columns = told.get("attnames")
            if told.get("rowfilter") or (columns and not set(keys[part.number]) <= set(columns)):
                raise SourceError(
                    config.name,
                    f"the publication '{name}' leaves out rows or key columns of {part.name}",
                    do="Publish the table without WHERE, and with"
                    f" {', '.join(keys[part.number])} where columns are listed.",
                )
    rows = server.execute(_MEMBERS, {"number": found.number})
    return found.number, [found.written, *(list(row) for row in rows)]
