"""What stewards do with a case short of deciding it: skip, not sure, assign, comment.

Every change names the version it saw; of two at once the second is told who
was first.
"""

from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from onefold.errors import CaseTaken, DecisionConflict
from warehouse import audit
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now, utc
from warehouse.review_tables import case_comment, case_state


def check(connection: sa.Connection, case_id: str, version: int) -> sa.Row[Any] | None:
    """The case's row as it is now.

    Raises:
        CaseTaken: somebody changed it since the version that the writer saw.
    """
    query = sa.select(case_state).where(case_state.c.case_id == case_id)
    row = connection.execute(query).first()
    if (row.version if row is not None else 0) != version:
        raise CaseTaken(
            case_id,
            state=row.state if row is not None else "open",
            by=row.changed_by if row is not None else "",
            at=utc(row.changed_at) if row is not None else None,
        )
    return row


def put(
    connection: sa.Connection,
    case_id: str,
    login: str,
    version: int,
    *,
    at: datetime | None = None,
    **values: Any,
) -> int:
    """Write a case's row within a transaction of the review store.

    Args:
        values: columns that change: state, assignee, judgement_id.

    Returns:
        the new version.

    Raises:
        CaseTaken: the row is not the version that the writer saw.
    """
    row = check(connection, case_id, version)
    stamp = {"changed_by": login, "changed_at": at or now(), "version": version + 1, **values}
    if row is None:
        connection.execute(
            sa.insert(case_state).values(**{"case_id": case_id, "state": "open", **stamp})
        )
    else:
        connection.execute(
            sa.update(case_state).where(case_state.c.case_id == case_id).values(**stamp)
        )
    return version + 1


def mark(
    wh: Warehouse,
    case_id: str,
    state: Literal["open", "skipped", "unsure"],
    login: str,
    version: int,
) -> int:
    """Skip a case, say that one is not sure, or open it again.

    Returns:
        the case's new version.

    Raises:
        CaseTaken: somebody changed it meanwhile, or decided it.
    """
    with wh.write(REVIEW) as connection:
        row = check(connection, case_id, version)
        if row is not None and row.state in ("waiting", "decided"):
            raise CaseTaken(case_id, row.state, row.changed_by, utc(row.changed_at))
        audit.append(connection, login, f"mark_{state}", "case", case_id)
        return put(connection, case_id, login, version, state=state)


def assign(wh: Warehouse, case_id: str, assignee: str | None, login: str, version: int) -> int:
    """Say who should look at a case; None: anybody.

    Returns:
        the case's new version.

    Raises:
        CaseTaken: somebody changed it meanwhile.
    """
    with wh.write(REVIEW) as connection:
        audit.append(connection, login, "assign", "case", case_id, {"assignee": assignee})
        return put(connection, case_id, login, version, assignee=assignee)


def comment(wh: Warehouse, case_id: str, said: str, login: str) -> str:
    """Say something about a case; changes nothing else.

    Returns:
        the comment's id.

    Raises:
        DecisionConflict: nothing was said.
    """
    if not said.strip():
        raise DecisionConflict(f"comment on case {case_id}", "it says nothing")
    with wh.write(REVIEW) as connection:
        number = connection.execute(sa.select(sa.func.count()).select_from(case_comment)).scalar()
        comment_id = f"N{(number or 0) + 1:06d}"  # rows are never deleted
        connection.execute(
            sa.insert(case_comment).values(
                comment_id=comment_id,
                case_id=case_id,
                said=said.strip(),
                said_by=login,
                said_at=now(),
            )
        )
        audit.append(connection, login, "comment", "case", case_id, {"comment_id": comment_id})
    return comment_id
