"""SQL databases: a table or a query, every column cast to text by the server.

What belongs here: SQLite, PostgreSQL, MariaDB and MySQL through SQLAlchemy.
Casting in SQL keeps what typed drivers stumble over: zero dates, dates before
Christ, numbers wider than a double. The transaction is read-only and sees one
moment; rows are streamed.
"""

import difflib
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from pymysql.constants import FIELD_TYPE
from sqlalchemy import exc
from sqlalchemy.dialects import mysql

from connectors import fast, following, mapping, postgres_copy
from connectors.config import SourceConfig
from connectors.database_connections import WATCH, opened, session_settings, url_of
from connectors.database_errors import kind_of, said_in_words, shown
from connectors.dialects import family
from connectors.postgres_copy import decoded
from connectors.queries import Query, written
from connectors.reading import Reading, Report, Since, batch, text
from connectors.sql_changes import Database
from connectors.templates import load, statement
from onefold.errors import SourceLayout, SourceMissing

_BATCH = 10_000
_BYTES = (bytes, bytearray, memoryview)


@contextmanager
def read(
    config: SourceConfig, since: Since | None = None, limit: int | None = None
) -> Iterator[Reading]:
    """Open a database and stream its table or query.

    Args:
        limit: rows of a table to ask for at most, so that no driver sends the rest when the
            connection is closed; None: all.

    Raises:
        SourceUnreachable: the server does not answer, or stops answering.
        SourceMissing: no such database file, database or table.
        SourceLayout: the query is wrong.
        SourceError: the URL is wrong, or the server refuses the user.
    """
    report, url = Report(), url_of(config)
    if config.fast:
        fast.check(config, url)
    with ExitStack() as asked:
        if limit is not None:
            following.check(config)
            log = None
        else:
            log = asked.enter_context(following.followed(config, since))
        connection = asked.enter_context(opened(config))
        query = _query(config, connection)
        origin, names = f"{_place(config)} in {shown(url)}", list(query.columns)

        def rows(select: sa.Select[Any]) -> Iterator[pa.RecordBatch]:
            return asked.enter_context(closing(_rows(config, connection, url, select)))

        if limit is not None:
            yield Reading(names, rows(query.select().limit(limit)), report, origin)
            return
        select, mark, changes = query.select(), "", None
        if config.mode != "snapshot":
            table = _change_query(config, connection)
            database = Database(
                config, connection, query, table, log.log if log else None, rows, report
            )
            mark = database.mark()
            found = database.changed(since, mark) if since and mark else None
            if found is not None:
                select, changes = found
        types = {name: family(column.type) for name, column in query.columns.items()}
        if config.fast and changes is None:
            given = _fast_rows(config, connection, url, select)
            found_rows: Iterator[pa.RecordBatch] = asked.enter_context(closing(given))
        else:
            found_rows = rows(select)
        reading = Reading(
            names, found_rows, report, origin, types=types, mark=mark, changes=changes
        )
        if log is not None:
            log.give(reading)
        yield reading


# -- the statement


def _query(config: SourceConfig, connection: sa.Connection) -> Query:
    """The records that a source declares, without those that it keeps as deleted."""
    query = _declared(config, connection)
    if config.deleted is None:
        return query
    column = mapping.find_column(list(query.columns), config.deleted.column)
    if column is None:
        raise mapping.missing_column(
            config, config.deleted.column, list(query.columns), "deleted.column"
        )
    return query.without(column, config.deleted.values)


def _change_query(config: SourceConfig, connection: sa.Connection) -> Query | None:
    """The change table of a source."""
    if config.changes is None or config.changes.slot:
        return None
    place = {"table": config.changes.table, "query": config.changes.query, "template": None}
    return _declared(config.model_copy(update=place), connection)


def _declared(config: SourceConfig, connection: sa.Connection) -> Query:
    """The records of a query, of a template's tables, or of a table."""
    if config.query:
        origin = written(config.query)
        return Query(_query_columns(config, connection, origin), origin)
    if not config.table:
        return statement.build(config, sa.inspect(connection), connection.dialect)
    table = _table(config, connection)
    return Query({column.name: column for column in table.c}, table)


def _place(config: SourceConfig) -> str:
    """Where the rows of a source stand, which is also the position of each."""
    if config.table or config.query:
        return config.table or "query"
    return load(config.template or "").main


def _table(config: SourceConfig, connection: sa.Connection) -> sa.TableClause:
    schema, dot, table = (config.table or "").rpartition(".")
    inspector = sa.inspect(connection)
    attempts = [(config.table or "", None)] + ([(table, schema)] if dot else [])
    for name, place in attempts:
        try:
            columns = inspector.get_columns(name, schema=place)
        except exc.NoSuchTableError:
            continue
        if columns:
            typed = [sa.column(str(column["name"]), column["type"]) for column in columns]
            return sa.table(name, *typed, schema=place)
    try:
        others = inspector.get_table_names(schema=schema or None) + inspector.get_view_names(
            schema=schema or None
        )
    except exc.SQLAlchemyError:
        others = []
    near = difflib.get_close_matches(table, others, n=5, cutoff=0.3) or others[:5]
    raise SourceMissing(
        config.name,
        f"no table '{config.table}'",
        found=", ".join(near) if near else "no tables",
        do=f"Mend 'table' in {config.file}, or give the user the right to read it.",
    )


def _query_columns(
    config: SourceConfig, connection: sa.Connection, origin: sa.TextClause
) -> dict[str, sa.ColumnElement[Any]]:
    nothing = sa.select(sa.text("*")).select_from(origin).where(sa.text("1 = 0"))
    try:
        result = connection.execute(nothing)
        names = [str(name) for name in result.keys()]  # noqa: SIM118
        moments = [_is_moment(connection, told[1]) for told in result.cursor.description]
        result.close()
    except (exc.ProgrammingError, exc.OperationalError) as error:
        if error.connection_invalidated or kind_of(error) not in ("", "gone"):
            raise
        raise SourceLayout(
            config.name,
            "the query is not accepted",
            found=str(error.orig).splitlines()[0],
            do=f"Mend 'query' in {config.file}; every column needs a name of its own.",
        ) from error
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise SourceLayout(
            config.name,
            "the query gives two columns one name",
            found=", ".join(sorted(repeated)),
            do=f"Rename one with AS in {config.file}.",
        )
    return {
        name: sa.column(name, mysql.TIMESTAMP() if moment else None)
        for name, moment in zip(names, moments, strict=True)
    }


def _is_moment(connection: sa.Connection, kind: Any) -> bool:
    """Whether a column of a result is a TIMESTAMP of MariaDB or MySQL."""
    return connection.dialect.driver == "pymysql" and kind == FIELD_TYPE.TIMESTAMP


def _rows(
    config: SourceConfig, connection: sa.Connection, url: sa.URL, select: sa.Select[Any]
) -> Generator[pa.RecordBatch]:
    position, watch = _place(config), connection.info[WATCH]
    with said_in_words(config, url, watch):
        if connection.dialect.driver == "psycopg":
            with closing(postgres_copy.read(connection, select, watch)) as parts:
                for columns in parts:
                    yield batch(position, columns)
            return
        streaming = connection.execution_options(stream_results=True, max_row_buffer=_BATCH)
        for some in streaming.execute(select).partitions(_BATCH):
            yield batch(position, [_column(values) for values in zip(*some, strict=True)])


def _fast_rows(
    config: SourceConfig, connection: sa.Connection, url: sa.URL, select: sa.Select[Any]
) -> Generator[pa.RecordBatch]:
    """The same through connectorx; of PostgreSQL what the transaction of our own sees."""
    with said_in_words(config, url, connection.info[WATCH]):
        driver: Any = connection.connection.driver_connection
        before = list(session_settings(connection.dialect.name, config.timeout))
        encrypted = False
        if connection.dialect.driver == "psycopg":
            encrypted = bool(driver.pgconn.ssl_in_use)
            query = postgres_copy.written(connection, select)
            seen = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
            before[:0] = [
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                f"SET TRANSACTION SNAPSHOT '{seen}'",
            ]
        else:
            options = {"render_postcompile": True}
            compiled = select.compile(dialect=connection.dialect, compile_kwargs=options)
            query = driver.cursor().mogrify(str(compiled), compiled.params)
    address = fast.address(url, encrypted=encrypted)
    with closing(fast.read(config, address, query, before)) as parts:
        for columns in parts:
            yield batch(_place(config), columns)


def _column(values: tuple[Any, ...]) -> pa.Array:
    if set(map(type, values)) <= {str, type(None)}:
        return text(values)
    return text(map(_text, values))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return decoded(bytes(value)) if isinstance(value, _BYTES) else str(value)
