"""PostgreSQL's own log as the table of what changed: which keys, and up to where.

What belongs here: the replication slot (made, asked, moved on), and what makes its word
incomplete. Keys come from connectors/pgoutput.py; their rows are read like those of any change
table (connectors/sql_changes.py). What a server needs for it: connectors/publications.py.

Nothing is taken out of the slot by asking it. It moves on when the snapshot that came of it is
on disk, so that a run that is killed asks for the same again. What is told of is only what the
transaction that reads the rows sees: a transaction may stand in the log, and wait for a standby
before others see it. Whoever else moves the slot on, or puts another file under the table, is
found out, and everything is read.

Source: PostgreSQL documentation, chapter 47 Logical Decoding, and 53.20 pg_replication_slots.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from connectors import pgoutput, publications
from connectors.config import SourceConfig
from connectors.pgoutput import Decoded
from connectors.publications import Followed
from connectors.reading import Key, Since
from onefold.errors import SourceError, SourceUnreachable

_WORTH_NOTING = 16 << 20
"""Bytes of log without a change from which on the slot moves: PostgreSQL keeps such pieces."""
_LOOKS_EVERY = 0.05
_AT_ONCE = 10_000
_PEEK = sa.text(
    "DECLARE onefold_changes NO SCROLL CURSOR FOR SELECT data"
    " FROM pg_logical_slot_peek_binary_changes(:slot, CAST(:until AS pg_lsn), NULL,"
    " 'proto_version', '1', 'publication_names', :publication)"
)


@dataclass(frozen=True)
class Log:
    """What a slot said.

    Attributes:
        slot: its name.
        reached: up to where it was asked.
        began: where it began.
        state: of tables and publication (publications.Followed.state).
        decoded: the changes; None: everything is to be read.
        before: the last mark.
        why: why everything is to be read, for a note; '' where that is no surprise.
        made: whether the slot was made for this.
    """

    slot: str
    reached: int
    began: int
    state: str
    decoded: Decoded | None = None
    before: str = ""
    why: str = ""
    made: bool = False

    @property
    def keys(self) -> list[Key]:
        """The keys of all that changed; some may be of changes that are told of again."""
        return list(self.decoded.keys) if self.decoded else []

    def mark(self, connection: sa.Connection) -> str:
        """How far a reading goes: up to the first transaction that it does not see.

        Args:
            connection: in the transaction that reads the rows.
        """
        reached = self.reached
        if self.decoded is not None:
            seen = connection.exec_driver_sql("SELECT CAST(txid_current_snapshot() AS text)")
            first = _first_hidden(self.decoded, str(seen.scalar_one()))
            if first is not None:
                reached = self.decoded.ends[first - 1] if first else self.began
            elif not self.decoded.ends and reached - _parsed(self.before)[0] < _WORTH_NOTING:
                return self.before
        said = {"reached": _written(reached), "state": self.state, "slot": self.slot}
        return json.dumps(said)


def ask(config: SourceConfig, server: sa.Connection, since: Since | None) -> Log:
    """What changed since a mark; the slot is made where there is none.

    Args:
        config: a source whose ``changes`` name a slot.
        server: a connection on which every statement stands for itself.
        since: the last mark; None: everything is to be read.

    Raises:
        SourceError: something is missing on the server; says what to run.
    """
    assert config.changes is not None
    followed = publications.followed(config, server)
    slot, before = config.changes.slot, since.mark if since else ""
    with _said(config):
        found = _slot(config, server)
        why = _lost(found)
        if found is None or why:
            began = _made(server, slot, old=found is not None)
            try:
                _settle(config, server)
            except SourceUnreachable:
                drop(server, slot)
                raise
            why = why or "the replication slot was not there"
            return Log(slot, began, began, followed.state, why=why if since else "", made=True)
        began = _number(found["confirmed_flush_lsn"])
        reached = _number(server.exec_driver_sql("SELECT pg_current_wal_flush_lsn()").scalar_one())
        why = _unlike(_parsed(before), began, reached, followed) if since else ""
        decoded = None
        if since and not why:
            decoded = _decoded(server, config, followed, reached)
            why, decoded = decoded.whole, None if decoded.whole else decoded
        if decoded is None:
            _settle(config, server)
        return Log(slot, reached, began, followed.state, decoded, before, why)


def release(server: sa.Connection, slot: str, mark: str) -> None:
    """Let the server throw away what led to a mark, which is on disk."""
    server.execute(
        sa.text(
            "SELECT pg_replication_slot_advance(slot_name, CAST(:mark AS pg_lsn))"
            " FROM pg_replication_slots"
            " WHERE slot_name = :slot AND confirmed_flush_lsn < CAST(:mark AS pg_lsn)"
        ),
        {"slot": slot, "mark": _written(_parsed(mark)[0])},
    )


def drop(server: sa.Connection, slot: str) -> None:
    """Take a slot away, if it is there and nobody else reads from it."""
    server.execute(
        sa.text(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            " WHERE slot_name = :slot AND NOT active"
        ),
        {"slot": slot},
    )


def kept(config: SourceConfig, server: sa.Connection) -> int | None:
    """Bytes of log that the server keeps for a source's slot; None: there is none of its own."""
    try:
        found = _slot(config, server)
    except SourceError:
        return None
    if found is None:
        return None
    at = found["restart_lsn"]
    end = server.exec_driver_sql("SELECT pg_current_wal_flush_lsn()").scalar_one()
    return _number(end) - _number(at) if at else 0


def abandon(config: SourceConfig, server: sa.Connection) -> bool:
    """Take away the slot of a source that is not synced any more.

    Returns:
        whether there was one.

    Raises:
        SourceUnreachable: somebody is reading from it.
        SourceError: it is of another database or plugin, or the user may not.
    """
    assert config.changes is not None
    with _said(config):
        if _slot(config, server) is None:
            return False
        server.execute(
            sa.text("SELECT pg_drop_replication_slot(:slot)"), {"slot": config.changes.slot}
        )
    return True


def _unlike(mark: tuple[int, str], began: int, reached: int, followed: Followed) -> str:
    """Why the slot does not go on where the last snapshot ended; '' if it does."""
    if reached < mark[0]:
        return "the server's log ends before the last sync did, as after a restore"
    if began > mark[0]:
        return "somebody else read from the replication slot; every source needs its own"
    if followed.state != mark[1]:
        return "the table was emptied, rewritten or replaced, or the publication is another"
    return ""


def _lost(slot: dict[str, Any] | None) -> str:
    gone = slot is not None and (
        slot.get("wal_status") == "lost"
        or slot.get("conflicting") is True
        or slot.get("invalidation_reason") is not None
    )
    return "the server threw away the log of the replication slot" if gone else ""


def _slot(config: SourceConfig, server: sa.Connection) -> dict[str, Any] | None:
    """The slot as the server describes it."""
    assert config.changes is not None
    found = server.execute(
        sa.text(
            "SELECT to_jsonb(s), s.database = current_database() AS ours"
            " FROM pg_replication_slots s WHERE slot_name = :slot"
        ),
        {"slot": config.changes.slot},
    ).one_or_none()
    if found is None:
        return None
    slot: dict[str, Any] = found[0]
    if slot["plugin"] != "pgoutput" or not found.ours:
        raise SourceError(
            config.name,
            f"the replication slot '{config.changes.slot}' is somebody else's",
            found=f"plugin {slot['plugin']}, database {slot['database']}",
            do=f"Name another one in {config.file}, changes.slot; it is made by the next sync.",
        )
    return slot


def _made(server: sa.Connection, slot: str, *, old: bool) -> int:
    """Make the slot; changes that end after what is returned are told of."""
    if old:
        drop(server, slot)
    made = server.execute(
        sa.text("SELECT lsn FROM pg_create_logical_replication_slot(:slot, 'pgoutput')"),
        {"slot": slot},
    )
    return _number(made.scalar_one())


def _settle(config: SourceConfig, server: sa.Connection) -> None:
    """Wait until every transaction that is there now ended: what is read then holds them all."""
    number = server.exec_driver_sql("SELECT txid_current()").scalar_one()
    until = time.monotonic() + config.timeout
    oldest = sa.text("SELECT txid_snapshot_xmin(txid_current_snapshot())")
    while server.execute(oldest).scalar_one() < number:
        if time.monotonic() > until:
            raise _unended(config)
        time.sleep(_LOOKS_EVERY)


def _unended(config: SourceConfig) -> SourceUnreachable:
    return SourceUnreachable(
        config.name,
        "a transaction that writes does not end",
        found=f"no end within the 'timeout' of {config.timeout:g} seconds",
        do="Before everything is read, those that are open have to end: sync later, or raise "
        f"'timeout' in {config.file}.",
    )


def _decoded(
    server: sa.Connection, config: SourceConfig, followed: Followed, until: int
) -> Decoded:
    assert config.changes is not None
    asked = {
        "slot": config.changes.slot,
        "until": _written(until),
        "publication": '"' + config.changes.published.replace('"', '""') + '"',
    }
    server.exec_driver_sql("BEGIN")
    server.execute(_PEEK, asked)
    found = pgoutput.decode(_messages(server), followed.keys)
    server.exec_driver_sql("COMMIT")
    return found


def _messages(server: sa.Connection) -> Iterator[bytes]:
    while rows := server.exec_driver_sql(f"FETCH {_AT_ONCE} FROM onefold_changes").all():
        yield from (row.data for row in rows)


def _first_hidden(decoded: Decoded, snapshot: str) -> int | None:
    """The first transaction that a snapshot does not see; None: it sees them all.

    >>> _first_hidden(Decoded(xids=[750, 754, 751]), "754:756:754")
    1
    """
    _, highest, running = snapshot.split(":")
    limit = int(highest)
    open_ones = {int(number) & 0xFFFFFFFF for number in running.split(",") if number}
    for place, xid in enumerate(decoded.xids):
        # Numbers go round at 2**32: the later of two is less than half a round ahead.
        if xid in open_ones or (xid - limit) & 0xFFFFFFFF < 1 << 31:
            return place
    return None


@contextmanager
def _said(config: SourceConfig) -> Iterator[None]:
    """Errors of the server that are about slots, in words."""
    try:
        yield
    except exc.DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == "42501":
            raise SourceError(
                config.name,
                "the user may not read the server's log",
                found=str(error.orig).splitlines()[0],
                do=f"Run as an admin: ALTER ROLE {_role(config)} REPLICATION;"
                f" (Amazon RDS: GRANT rds_replication TO {_role(config)};).",
            ) from error
        if state == "55P03":
            raise _unended(config) from error
        if state == "53400":
            raise SourceError(
                config.name,
                "the server has no replication slot left",
                do="Raise max_replication_slots there, or drop slots that nobody reads from.",
            ) from error
        if state == "55006":
            raise SourceUnreachable(
                config.name,
                "somebody else is reading from the replication slot",
                do="Every source needs a slot of its own.",
            ) from error
        raise


def _role(config: SourceConfig) -> str:
    name = sa.make_url(config.url or "").username
    return '"' + name.replace('"', '""') + '"' if name else "NAME"


def _parsed(mark: str) -> tuple[int, str]:
    """Place in the log and state of a mark; 0 and '' if it is none of ours."""
    try:
        found = json.loads(mark)
        return _number(found["reached"]), str(found["state"])
    except (ValueError, KeyError, TypeError):
        return 0, ""


def slot_of(mark: str) -> str:
    """The slot that a mark is of; '' if it is of none."""
    try:
        return str(json.loads(mark)["slot"])
    except (ValueError, KeyError, TypeError):
        return ""


def _number(lsn: str) -> int:
    """A place in the log as a number.

    >>> _number("1/16B3748"), _written(_number("1/16B3748"))
    (4318771016, '1/16B3748')
    """
    high, low = str(lsn).split("/")
    return (int(high, 16) << 32) + int(low, 16)


def _written(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"
