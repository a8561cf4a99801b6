"""Rights on the views: who reads masks, who reads values.

What belongs here: the statements that give two roles their rights, and running
them. Roles have no rights on the tables below; a view reads with its owner's.
"""

import sqlalchemy as sa

from onefold.errors import WarehouseError
from warehouse.bi.names import PII_READER, READER, SCHEMA
from warehouse.bi.views import views
from warehouse.engine import Warehouse, place


def statements(
    dialect: sa.Dialect, reader: str = READER, pii_reader: str = PII_READER, *, roles: set[str]
) -> list[str]:
    """What gives the roles their rights, and takes from the first what only the second may have.

    Args:
        dialect: PostgreSQL's.
        reader: role that reads the views with masks, and those without personal data.
        pii_reader: role that reads every view.
        roles: roles there are already; the others are made, without login.
    """
    quote = dialect.identifier_preparer.quote
    found = [
        f"CREATE ROLE {quote(name)} NOLOGIN" for name in (reader, pii_reader) if name not in roles
    ]
    found += [f"GRANT USAGE ON SCHEMA {SCHEMA} TO {quote(reader)}, {quote(pii_reader)}"]
    for view in views():
        name = f"{SCHEMA}.{view.name}"
        if view.pii:
            found.append(f"REVOKE ALL ON {name} FROM {quote(reader)}")
            found.append(f"GRANT SELECT ON {name} TO {quote(pii_reader)}")
        else:
            found.append(f"GRANT SELECT ON {name} TO {quote(reader)}, {quote(pii_reader)}")
    return found


def planned(wh: Warehouse, reader: str = READER, pii_reader: str = PII_READER) -> list[str]:
    """The statements for this warehouse, unexecuted.

    Raises:
        WarehouseError: the database has no roles.
    """
    if not wh.is_postgresql:
        raise WarehouseError(
            place(wh.engines["warehouse"].url),
            "SQLite has no roles: whoever may read the file reads all of it",
            do="Use PostgreSQL where some may read masks only, or export what they need.",
        )
    with wh.read() as connection:
        known = set(connection.execute(sa.text("SELECT rolname FROM pg_roles")).scalars())
        return statements(connection.dialect, reader, pii_reader, roles=known)


def grant(wh: Warehouse, reader: str = READER, pii_reader: str = PII_READER) -> list[str]:
    """Give the roles their rights, in one transaction.

    Returns:
        The statements that were executed.

    Raises:
        WarehouseError: the database has no roles, or its user may not make or grant them.
    """
    planned_now = planned(wh, reader, pii_reader)
    with wh.write() as connection:
        for statement in planned_now:
            try:
                connection.exec_driver_sql(statement)
            except sa.exc.ProgrammingError as error:
                if getattr(error.orig, "sqlstate", None) != "42501":  # insufficient_privilege
                    raise
                raise WarehouseError(
                    place(connection.engine.url),
                    "the database user may not do this",
                    found=statement,
                    do="Give an admin the output of 'onefold grants --print'.",
                ) from None
    return planned_now
