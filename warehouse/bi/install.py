"""Putting the views into the database, and keeping who may read them.

What belongs here: making views equal to their definitions, with comments. A
view is replaced in place where the database can; where a column changed, it is
made anew. Who might read a view before may read it after, and nobody else; a
new view may be read by whoever may read ``dim_customer``, or ``dim_customer_pii``
where it shows personal data. Readers meanwhile wait, and find the new view.
"""

import hashlib
import re

import sqlalchemy as sa

from onefold.errors import WarehouseError
from warehouse.bi.names import PII, SCHEMA
from warehouse.bi.views import View, views
from warehouse.columns import REVIEW, WAREHOUSE

_DOC = "What BI tools read: views over the golden tables, documented in docs/data-dictionary.md."
_MARK = re.compile(r"definition ([0-9a-f]{16})$")
_RIGHTS = "onefold_rights"
_LIKE = "dim_customer"
"""The view whose readers may read every view, and with PII those with personal data."""


def stands(connection: sa.Connection) -> bool:
    """Whether the views in the database are those defined here."""
    if connection.dialect.name == "postgresql":
        query = (
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name"
        )
        said = connection.execute(sa.text(query), {"name": SCHEMA}).scalar()
        found = _MARK.search(said or "")
        return found is not None and found.group(1) == _fingerprint(connection)
    stored = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'view'"))
    known: dict[str, str] = dict(stored.all())
    return known == {view.name: _create(connection, view) for view in views()}


def install(connection: sa.Connection) -> None:
    """Make the views, or make them what they should be; the transaction is the caller's.

    Raises:
        WarehouseError: a view must be made anew and somebody's own view hangs on it.
    """
    if _RIGHTS not in connection.info and stands(connection):
        return
    if connection.dialect.name == "postgresql":
        _install_postgresql(connection)
        return
    make_way(connection)
    for view in views():
        connection.exec_driver_sql(_create(connection, view))


def make_way(connection: sa.Connection) -> None:
    """Take SQLite's views away before its tables change: it renames no table that views read."""
    if connection.dialect.name == "sqlite":
        for name in sa.inspect(connection).get_view_names():
            connection.exec_driver_sql(f'DROP VIEW "{name}"')


def put_away(connection: sa.Connection) -> None:
    """Take PostgreSQL's views away before a migration changes a type that they show.

    Who might read them is kept with the connection until :func:`install` makes them again, in
    the same transaction.

    Raises:
        WarehouseError: somebody's own view hangs on one.
    """
    there = sa.inspect(connection).get_view_names(schema=SCHEMA)
    if there:
        connection.info[_RIGHTS] = _rights(connection)
    for name in there:
        _drop(connection, name)


def sql_name(connection: sa.Connection, name: str) -> str:
    """A view's name in SQL text: with its schema on PostgreSQL."""
    return f"{SCHEMA}.{name}" if connection.dialect.name == "postgresql" else f'"{name}"'


def definition(dialect: sa.Dialect, view: View) -> str:
    """What a view selects, as the database's SQL; worked out once, as every opening asks for it."""
    known = _DEFINITIONS.get((dialect.name, id(view)))
    if known is None:
        known = _DEFINITIONS[dialect.name, id(view)] = (view, _definition(dialect, view))
    return known[1]


_DEFINITIONS: dict[tuple[str, int], tuple[View, str]] = {}
"""By dialect and view, which it keeps alive, so that no other gets its id."""


def _definition(dialect: sa.Dialect, view: View) -> str:
    without_schema = None if dialect.name == "postgresql" else {WAREHOUSE: None, REVIEW: None}
    compiled = view.select().compile(
        dialect=dialect,
        schema_translate_map=without_schema,
        render_schema_translate=without_schema is not None,
        compile_kwargs={"literal_binds": True},
    )
    return str(compiled)


def _create(connection: sa.Connection, view: View) -> str:
    name = sql_name(connection, view.name)
    return f"CREATE VIEW {name} AS {definition(connection.dialect, view)}"


def _fingerprint(connection: sa.Connection) -> str:
    texts = [
        "\0".join([_create(connection, view), view.doc, *(one.doc for one in view.columns)])
        for view in views()
    ]
    return hashlib.blake2b("\0\0".join(texts).encode(), digest_size=8).hexdigest()


def _install_postgresql(connection: sa.Connection) -> None:
    connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
    rights = connection.info.pop(_RIGHTS, None) or _rights(connection)
    wanted = views()
    names = {view.name for view in wanted}
    for old in set(sa.inspect(connection).get_view_names(schema=SCHEMA)) - names:
        _drop(connection, old)
    for view in wanted:
        _replace(connection, view)
        _execute(connection, f"COMMENT ON VIEW {SCHEMA}.{view.name} IS {_text(view.doc)}")
        for column in view.columns:
            place = f'{SCHEMA}.{view.name}."{column.name}"'
            _execute(connection, f"COMMENT ON COLUMN {place} IS {_text(column.doc)}")
        like = f"{_LIKE}{PII if view.pii else ''}"
        for grantee in rights.get(view.name, rights.get(like, ())):
            _execute(connection, f"GRANT SELECT ON {SCHEMA}.{view.name} TO {grantee}")
    mark = f"{_DOC} definition {_fingerprint(connection)}"
    _execute(connection, f"COMMENT ON SCHEMA {SCHEMA} IS {_text(mark)}")


def _replace(connection: sa.Connection, view: View) -> None:
    """CREATE OR REPLACE keeps rights and what hangs on the view; it can only add columns."""
    body = f"{SCHEMA}.{view.name} AS {definition(connection.dialect, view)}"
    try:
        with connection.begin_nested():
            _execute(connection, f"CREATE OR REPLACE VIEW {body}")
    except sa.exc.ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != "42P16":  # invalid_table_definition
            raise
        _drop(connection, view.name)
        _execute(connection, f"CREATE VIEW {body}")


def _drop(connection: sa.Connection, name: str) -> None:
    try:
        with connection.begin_nested():
            _execute(connection, f"DROP VIEW {SCHEMA}.{name}")
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != "2BP01":  # dependent_objects_still_exist
            raise
        raise WarehouseError(
            f"view {SCHEMA}.{name}",
            "it must be made anew, and other views hang on it",
            found=", ".join(_dependents(connection, name)),
            do="Drop these, run 'onefold migrate', and make them again.",
        ) from None


def _dependents(connection: sa.Connection, name: str) -> list[str]:
    query = sa.text(
        "SELECT DISTINCT d.objid::regclass::text FROM ("
        " SELECT r.ev_class AS objid FROM pg_depend p JOIN pg_rewrite r ON r.oid = p.objid"
        " WHERE p.refobjid = CAST(:view AS regclass) AND r.ev_class <> p.refobjid) d ORDER BY 1"
    )
    return list(connection.execute(query, {"view": f"{SCHEMA}.{name}"}).scalars())


def _rights(connection: sa.Connection) -> dict[str, list[str]]:
    """Who may read each view there is, as a GRANT names them: roles, PUBLIC, with grant option."""
    query = sa.text(
        "SELECT v.relname, CASE WHEN a.grantee = 0 THEN 'PUBLIC'"
        " ELSE quote_ident(pg_get_userbyid(a.grantee)) END"
        " || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
        " FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace"
        " LEFT JOIN LATERAL aclexplode(v.relacl) a"
        " ON a.privilege_type = 'SELECT' AND a.grantee <> v.relowner"
        " WHERE n.nspname = :schema AND v.relkind = 'v' ORDER BY 1, 2"
    )
    found: dict[str, list[str]] = {}
    for view, grantee in connection.execute(query, {"schema": SCHEMA}):
        found.setdefault(view, []).extend([grantee] if grantee else [])
    return found


def _text(said: str) -> str:
    return "'" + said.replace("'", "''") + "'"


def _execute(connection: sa.Connection, statement: str) -> None:
    connection.execution_options(no_parameters=True).exec_driver_sql(statement)
