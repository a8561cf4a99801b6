"""clusters → golden_customer: a publish, whole or not at all.

What belongs here: the tables that readers of golden customers see, written in
one transaction, only where they differ. Ids are chosen in dedupe/identity.py,
values in dedupe/survivorship.py; this module refuses a publish that would
lose a record, use an id twice or lead a redirect nowhere.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dedupe import search_keys
from dedupe.cases import Cases
from dedupe.comparing.columns import as_array, ascending
from dedupe.identity import CROSSWALK_SCHEMA, FORMER_SCHEMA, Identity
from dedupe.relations import SCHEMA
from dedupe.survivorship import Consolidated
from onefold.errors import PublishError
from warehouse import (
    case_tables,
    customer_counts,
    golden_tables,
    identity_tables,
    restatement,
    rows,
    search,
    suggestion_tables,
    text_form,
)
from warehouse.engine import Warehouse
from warehouse.identity_tables import Ids
from warehouse.moments import utc
from warehouse.publish_run import Run, among
from warehouse.restatement import Restatement
from warehouse.tables import (
    crosswalk,
    former_member,
    golden_customer,
    id_sequence,
    merge_suggestion,
    publish_run,
    staged_customer,
)
from warehouse.taken_in import KEY as TAKEN_IN
from warehouse.taken_in import TakenIn

_WHERE = "golden table"
_SEQUENCE = "golden_id"
_KEYS = "search_keys_version"
_AGAIN = "Run the refresh again."
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_HELD = ["record_id", "source", "source_key", "golden_id"]
BASIS = "basis"
"""Name in the counts of a publish."""


@dataclass(frozen=True)
class PublishedIdentity:
    """The identity side of the last publish; the arguments of dedupe.identity.assign.

    Attributes:
        crosswalk: record_id, golden_id, sorted by record_id.
        next_number: the first number never given out.
        publish_id: the publish it was read from; None before the first.
        kept: name of that publish, as Published.name, if its crosswalk is kept elsewhere and
            was read there.
        former: golden_id, record_id of ids that went.
    """

    crosswalk: pa.Table
    next_number: int
    publish_id: str | None
    kept: str | None
    former: pa.Table

    @property
    def live(self) -> list[str]:
        """The golden ids of published customers, sorted."""
        return sorted(pc.unique(self.crosswalk["golden_id"]).to_pylist())


@dataclass(frozen=True)
class Published:
    """What a publish wrote.

    Attributes:
        publish_id: the publish; the earlier one if nothing was written.
        written: whether anything was written.
        counts: rows added, changed, deleted, by table.
        golden: golden customers after it.
        suggestions: merge suggestions after it.
        name: of the publish, never of another one's, also where the warehouse was restored.
        restated: what it did to the number of customers, of all and of each source at least.
    """

    publish_id: str
    written: bool
    golden: int
    suggestions: int
    name: str = ""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    restated: Restatement | None = None

    def count(self, table: str, what: str) -> int:
        """Rows of a table that were added, changed or deleted."""
        return self.counts.get(table, {}).get(what, 0)


Look = Callable[[sa.Connection, Published, Restatement], None]
"""What was written, not yet committed, and what it does to the number of customers, of all and of
each source at least."""


def read_identity(
    wh: Warehouse, kept: Callable[[str], pa.Table | None] = lambda _: None
) -> PublishedIdentity:
    """Crosswalk and next number as last published.

    Args:
        wh: the warehouse.
        kept: name of a publish → its crosswalk, if somebody keeps that elsewhere. It is asked
            where no record went since.
    """
    with wh.read() as connection:
        last = _last(connection)
        stands = customer_counts.last(connection) is not None
        name = _state(last) if last is not None and stands else None
        pairs = kept(name) if name is not None else None
        if pairs is None:
            name, pairs = None, rows.read(connection, crosswalk, CROSSWALK_SCHEMA.names)
        pairs = pairs.cast(CROSSWALK_SCHEMA).combine_chunks()
        if not ascending(as_array(pairs["record_id"])):
            pairs = pairs.sort_by("record_id")
        return PublishedIdentity(
            crosswalk=pairs,
            next_number=_next_number(connection),
            publish_id=last.publish_id if last else None,
            kept=name,
            former=rows.read(connection, former_member, FORMER_SCHEMA.names),
        )


def _state(last: sa.Row) -> str:
    return f"{last.publish_id}-{utc(last.at):%Y%m%dT%H%M%S%f}"


def record_ids(wh: Warehouse) -> pa.ChunkedArray:
    """The ids of every published record, in no particular order."""
    with wh.read() as connection:
        return rows.read(connection, crosswalk, ["record_id"])["record_id"]


def unlike_staged(wh: Warehouse, among: pa.Array | None = None) -> tuple[int, int]:
    """How many records are staged; how many are staged or published, but not both, and not once.

    Args:
        wh: the warehouse.
        among: records that are looked for, each once; the others are counted only. None: all
            are looked for.
    """
    of, own = crosswalk.c, staged_customer.c
    with wh.read() as connection:
        staged, published = (_size(connection, one) for one in (staged_customer, crosswalk))
        if among is None:
            # A look into the key's index for each record; rows of staged_customer are wide.
            named = of.record_id == of.source + ":" + of.source_key
            same = sa.and_(of.record_id == own.record_id, named)
            joined = sa.select(sa.func.count()).select_from(crosswalk.join(staged_customer, same))
            return staged, staged + published - 2 * int(connection.execute(joined).scalar_one())
        live = rows.read_of(
            connection, staged_customer, ["record_id"], "record_id", among.to_pylist()
        )["record_id"]
        held = identity_tables.published(connection, among)
    both = pc.sum(pc.is_in(held, value_set=live)).as_py() or 0
    others = (staged - len(live)) - (published - len(held))
    return staged, abs(others) + len(live) + len(held) - 2 * both


def read_names(wh: Warehouse, golden_ids: Sequence[str]) -> pa.Table:
    """golden_id, name and customer_type of some golden customers."""
    columns = ["golden_id", "name", "customer_type"]
    with wh.read() as connection:
        return rows.read_of(connection, golden_customer, columns, "golden_id", golden_ids)


def redirects(wh: Warehouse) -> dict[str, str | None]:
    """Every retired golden id with the live id to use instead, or None where it ended."""
    with wh.read() as connection:
        return identity_tables.redirects(connection)


def _last(connection: sa.Connection) -> sa.Row | None:
    query = sa.select(publish_run).order_by(publish_run.c.at.desc()).limit(1)
    return connection.execute(query).first()


def _next_number(connection: sa.Connection) -> int:
    query = sa.select(id_sequence.c.next_number).where(id_sequence.c.name == _SEQUENCE)
    return int(connection.execute(query).scalar() or 1)


def publish(
    wh: Warehouse,
    identity: Identity,
    parts: Iterable[Consolidated],
    suggestions: pa.Table,
    fingerprint: str,
    *,
    relations: pa.Table | None = None,
    cases: Cases | None = None,
    evidence: pa.Table | None = None,
    base: PublishedIdentity | None = None,
    taken_in: TakenIn | None = None,
    only: Collection[str] | None = None,
    basis: Mapping[str, Any] | None = None,
    look: Look | None = None,
) -> Published:
    """Publish golden customers in one transaction; write only rows that differ.

    Args:
        wh: the warehouse.
        identity: from dedupe.identity.assign on :func:`read_identity`.
        parts: the golden customers of the same crosswalk, each in one part. Only one part is
            held at a time, so they may be made as they are asked for.
        suggestions: left_id, right_id, probability, kind, reason.
        fingerprint: of all that the arguments depend on. If it is the last
            publish's, nothing is written.
        relations: dedupe.relations.SCHEMA: who works at or owns which organization; None: nobody.
        cases: what stewards should look at; None: nothing.
        evidence: case_tables.EVIDENCE_SCHEMA: of new and changed cases.
        base: what ``identity`` was made from; if given, a publish in between is noticed.
        taken_in: what all of it was made from, for whoever asks what is not published yet.
        only: published customers that can be others or end now; ``parts`` hold what
            they become, and all other customers stand as they are. None: all of them.
        basis: what the publish stands on besides, by name, kept with it; see :func:`last_basis`.
        look: sees what would be published before it is; where it raises, nothing is.

    Raises:
        PublishError: another publish came between, or the arguments contradict
            each other or what was published; nothing is written.
        WarehouseError: the database refuses.
    """
    with wh.write() as connection:
        last = _last(connection)
        if last is not None and last.fingerprint == fingerprint:
            return _stands(connection, last)
        if base is not None and base.publish_id != (last.publish_id if last else None):
            raise PublishError(_WHERE, "another run published meanwhile", do=_AGAIN)
        run = Run(connection, *_name(connection, last))
        before = utc(last.at) if last is not None else _BEGINNING
        customers = customer_counts.last(connection) if only is not None else None
        links = relations if relations is not None else SCHEMA.empty_table()
        told = {**({TAKEN_IN: taken_in.plain()} if taken_in else {}), BASIS: dict(basis or {})}
        made, changed = _publish(
            run,
            identity,
            parts,
            suggestions,
            links,
            (cases, evidence),
            (fingerprint, told),
            base,
            only,
        )
        restated = (
            restatement.inside(connection, before, run.at)
            if customers is None
            else restatement.of_changed(
                connection, before, run.at, run.publish_id, changed, customers
            )
        )
        customer_counts.note(connection, restatement.customers_of(restated))
        if look is not None:
            look(connection, made, restated)
        stands = _last(connection)
        return replace(made, restated=restated, name=_state(stands) if stands else "")


def last_basis(wh: Warehouse) -> tuple[dict[str, Any], datetime | None]:
    """What the last publish stood on besides, and when it was, UTC; ({}, None) before the first."""
    with wh.read() as connection:
        last = _last(connection)
    return ({}, None) if last is None else ((last.counts or {}).get(BASIS, {}), utc(last.at))


def standing(wh: Warehouse, fingerprint: str) -> Published | None:
    """The last publish if it had this fingerprint: there is nothing to work out then."""
    with wh.read() as connection:
        found = _last(connection)
        if found is None or found.fingerprint != fingerprint:
            return None
        return _stands(connection, found)


def last(wh: Warehouse) -> Published | None:
    """What stands published; None before the first publish."""
    with wh.read() as connection:
        found = _last(connection)
        return _stands(connection, found) if found is not None else None


def _stands(connection: sa.Connection, last: sa.Row) -> Published:
    """What stands published, with nothing written."""
    return Published(
        last.publish_id,
        False,
        _size(connection, golden_customer),
        _size(connection, merge_suggestion),
        _state(last),
    )


def _name(connection: sa.Connection, last: sa.Row | None) -> tuple[str, datetime]:
    """The next publish's id and moment: after the last one's even if the clock was set back."""
    now = datetime.now(UTC)
    if last is not None:
        before = last.at if last.at.tzinfo else last.at.replace(tzinfo=UTC)
        now = max(now, before + timedelta(microseconds=1))
    return f"P{_size(connection, publish_run) + 1:06d}", now


def _size(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _publish(
    run: Run,
    identity: Identity,
    parts: Iterable[Consolidated],
    suggestions: pa.Table,
    relations: pa.Table,
    cases: tuple[Cases | None, pa.Table | None],
    basis: tuple[str, Mapping[str, Any]],
    base: PublishedIdentity | None,
    only: Collection[str] | None,
) -> tuple[Published, set[str]]:
    """Write all of it; what was written, and the customers whose values are others now."""
    fingerprint, told = basis
    every_pair, parts_of = identity.crosswalk.select(["record_id", "golden_id"]), None
    held: pa.Table | None = None
    hashes = ["golden_id", "content_hash", "provenance_hash"]
    if only is None:
        stored = rows.read(run.connection, golden_customer, hashes)
        known = stored
    else:
        stored = rows.read_of(run.connection, golden_customer, hashes, "golden_id", sorted(only))
        held = rows.read_of(run.connection, crosswalk, _HELD, "golden_id", sorted(only))
        known = base.crosswalk if base else rows.read(run.connection, crosswalk, ["golden_id"])
        if base and identity.looked_at is not None:
            parts_of = [one["golden_id"] for one in reversed(identity.looked_at)]
    live, was_live = Ids.of(every_pair["golden_id"], known["golden_id"], parts=parts_of)
    for ids in (live, was_live):
        ids.among(only or ())  # what is asked below, mostly: all ids are gone through once
    gone = was_live.without(live)
    earlier = identity_tables.redirects(run.connection)
    restored = pc.any(pc.equal(identity.events["event"], "restored")).as_py()
    _check(run.connection, identity, every_pair, (live, was_live), earlier)
    _check_records(run.connection, every_pair, held)
    _check_relations(relations, live)

    written = golden_tables.write_customers(run, stored, parts, search.READ)
    _check_given(written.given, live, was_live, only)
    counts = {"golden_customer": written.customers, "golden_field": written.fields}
    identity_tables.write_former(run, identity, live)
    counts["redirect"] = identity_tables.write_redirects(run, identity, live, gone, earlier)
    counts["merge_suggestion"] = suggestion_tables.write_suggestions(run, suggestions, every_pair)
    counts["customer_relation"] = suggestion_tables.write_relations(run, relations)
    counts |= case_tables.write(run, *cases)
    # Of these, as of golden_field, readers wait in a first publish (warehouse/bulk.py): last, so
    # that they wait less.
    counts["lineage_event"] = identity_tables.write_events(run, identity, gone)
    golden_tables.write_history(run, written.others, restored)
    pairs = every_pair
    if only is not None:
        pairs = among(pairs, "golden_id", {*only, *written.given})
    pairs = text_form.encode(pairs)
    counts["crosswalk"], records, moved = identity_tables.write_crosswalk(run, pairs, held)
    stand = only is not None or _keys_stand(run.connection)
    counts["customer_search"] = search.write(
        run.connection, written.said, records, written.resaid | moved if stand else None
    )
    run.connection.execute(sa.delete(id_sequence).where(id_sequence.c.name == _SEQUENCE))
    run.connection.execute(
        sa.insert(id_sequence).values(name=_SEQUENCE, next_number=identity.next_number)
    )
    run.connection.execute(
        sa.insert(publish_run).values(
            publish_id=run.publish_id,
            at=run.at,
            fingerprint=fingerprint,
            counts={**counts, _KEYS: search_keys.VERSION, **told},
        )
    )
    customers, size = (_size(run.connection, one) for one in (golden_customer, merge_suggestion))
    return Published(run.publish_id, True, customers, size, counts=counts), written.others


def _keys_stand(connection: sa.Connection) -> bool:
    """Whether the last publish made search keys as this program does."""
    last = _last(connection)
    return last is not None and (last.counts or {}).get(_KEYS) == search_keys.VERSION


# ------------------------------------------------------------------ what is refused
def _check(
    connection: sa.Connection,
    identity: Identity,
    pairs: pa.Table,
    ids: tuple[Ids, Ids],
    earlier: Mapping[str, str | None],
) -> None:
    live, was_live = ids
    records = pairs["record_id"].combine_chunks()
    ascend = pc.all(pc.less(records[:-1], records[1:])).as_py() is not False
    if not ascend and len(pc.unique(records)) != len(records):
        raise PublishError(_WHERE, "a record is in more than one golden customer")
    number = _next_number(connection)
    if identity.next_number < number:
        raise PublishError(
            _WHERE,
            "ids would be given out twice",
            found=f"next number {identity.next_number}, published already up to {number - 1}",
            do=_AGAIN,
        )
    events = identity.events
    again = events.filter(pc.equal(events["event"], "restored"))
    restored = set(again["golden_id"].to_pylist())
    reused = live.among(earlier) - restored
    if reused:
        raise PublishError(_WHERE, "a retired id would be used again", found=min(reused), do=_AGAIN)
    retired = set(identity.redirects["golden_id"].to_pylist())
    strays = live.among(retired) | (retired - was_live.among(retired) - earlier.keys())
    if strays:
        raise PublishError(
            _WHERE, "an id would be redirected that was not retired", found=min(strays)
        )


def _check_given(given: set[str], live: Ids, was: Ids, only: Collection[str] | None) -> None:
    """Every live id has to be given, or be one of those that stand as they are."""
    ended = set(only or ()) - given
    if only is None:
        unknown, extra = set(live.every.to_pylist()) - given, set[str]()
    else:
        unknown, extra = (live.without(was) - given) | live.among(ended), was.without(live) - ended
    extra |= given - live.among(given)
    if unknown or extra:
        raise PublishError(
            _WHERE,
            "crosswalk and golden customers do not name the same ids",
            found=f"{len(unknown)} without a customer, {len(extra)} without a record",
        )


def _check_relations(relations: pa.Table, live: Ids) -> None:
    named = {*relations["person_id"].to_pylist(), *relations["organization_id"].to_pylist()}
    strange = named - live.among(named)
    if strange:
        raise PublishError(
            _WHERE, "a relation names an id that is not published", found=min(strange)
        )


def _check_records(connection: sa.Connection, pairs: pa.Table, held: pa.Table | None) -> None:
    """No published record that is still live may drop out.

    ``held`` has those of the customers that can be others; None: it can be any.

    A live record that was never published may be missing: a sync can bring it
    while customers are being matched, and the next publish has it.
    """
    columns = ["record_id"]
    known = (rows.read(connection, crosswalk, columns) if held is None else held)["record_id"]
    there = pairs["record_id"].filter(pc.is_in(pairs["record_id"], value_set=known))
    gone = known.filter(pc.invert(pc.is_in(known, value_set=there)))
    live = rows.read_of(connection, staged_customer, columns, "record_id", gone.to_pylist())
    lost = live.num_rows
    if lost:
        raise PublishError(
            _WHERE,
            "live records would have no golden customer",
            found=f"{lost} records",
            do=_AGAIN,
        )
