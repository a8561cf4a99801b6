"""The tables of a publish, each made equal to what is published.

What belongs here: how golden_customer, its history, golden_field, crosswalk,
redirect, merge_suggestion and lineage_event are written, only where rows
differ. The transaction around them is warehouse/publish.py.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dedupe.identity import Identity, resolve
from dedupe.survivorship import GOLDEN_SCHEMA, Consolidated
from onefold.errors import PublishError
from rules.customer import GOLDEN_FIELDS
from warehouse import bulk, rows, text_form
from warehouse.sealing import sealer_of
from warehouse.tables import (
    crosswalk,
    customer_relation,
    earlier_member,
    former_member,
    golden_customer,
    golden_customer_history,
    golden_field,
    lineage_event,
    merge_suggestion,
    redirect,
)

_WHERE = "golden table"
GOLDEN = [*(each.name for each in GOLDEN_FIELDS), "record_count", "source_count", "sources"]
TRAIL_KEYS, TRAIL = ["golden_id", "field", "item"], ["source", "source_key", "rule"]
_OBJECTS = frozenset(each.name for each in GOLDEN_FIELDS if each.kind == "json")
_ESCAPED_NUL = r"(^|[^\\])((?:\\\\)*)(?:\\u0000)+"  # not after an escaped backslash


@dataclass(frozen=True)
class Run:
    """The publish under way: its transaction, id and moment."""

    connection: sa.Connection
    publish_id: str
    at: datetime

    @property
    def row_key(self) -> bytes:
        """Of the rows' hashes."""
        sealer = sealer_of(self.connection.dialect)
        return sealer.row_key if sealer else b""

    @property
    def at_text(self) -> str:
        """The moment in its text form."""
        return f"{self.at:%Y-%m-%d %H:%M:%S.%f}"


class Ids:
    """Golden ids, each once: as many as there are customers, so never one by one.

    Attributes:
        names: ids; several Ids that are made together share them.
        own: per name, whether it is one of these.
    """

    def __init__(self, names: pa.Array, own: np.ndarray) -> None:
        self.names, self.own = names, own

    @classmethod
    def of(cls, *columns: pa.ChunkedArray) -> "list[Ids]":
        """The ids of several columns, some of them perhaps several times."""
        every = pa.chunked_array([one for column in columns for one in column.chunks], pa.string())
        coded = every.combine_chunks().dictionary_encode()
        codes, made, start = coded.indices.to_numpy(), [], 0
        for column in columns:
            own = np.zeros(len(coded.dictionary), dtype=bool)
            own[codes[start : start + len(column)]] = True
            made.append(cls(coded.dictionary, own))
            start += len(column)
        return made

    def __len__(self) -> int:
        return int(np.count_nonzero(self.own))

    @property
    def values(self) -> pa.Array:
        """The ids."""
        return self.names.filter(pa.array(self.own))

    def among(self, golden_ids: Iterable[str]) -> set[str]:
        """Which of some ids are among these."""
        asked = _ids([*golden_ids])
        if not len(asked):
            return set()
        found = np.asarray(pc.is_in(self.names, value_set=asked)) & self.own
        return set(self.names.filter(pa.array(found)).to_pylist())

    def without(self, others: "Ids") -> set[str]:
        """These ids without others that were made together with them: few are left."""
        return set(self.names.filter(pa.array(self.own & ~others.own)).to_pylist())


def redirects(connection: sa.Connection) -> dict[str, str | None]:
    """Every retired id with its live successor, or None where it ended."""
    stored = rows.read(connection, redirect, ["golden_id", "successor"])
    return dict(zip(stored["golden_id"].to_pylist(), stored["successor"].to_pylist(), strict=True))


def without_nul(golden: pa.Table) -> pa.Table:
    r"""Objects in JSON without escaped NUL characters, which jsonb refuses.

    >>> objects = pa.table({"attributes": ['{"a": "x\\u0000\\u0000y"}']})
    >>> without_nul(objects).to_pylist()
    [{'attributes': '{"a": "xy"}'}]
    """
    for place, name in enumerate(golden.column_names):
        if name in _OBJECTS:
            clean = pc.replace_substring_regex(golden[name], _ESCAPED_NUL, r"\1\2")
            golden = golden.set_column(place, name, clean)
    return golden


@dataclass(frozen=True)
class Written:
    """What :func:`write_customers` did.

    Attributes:
        customers: rows of golden_customer that were added, changed, deleted.
        fields: rows of golden_field that were.
        given: the ids of the customers that it was given.
        others: the ids of all whose values are new, changed or gone.
        said: of the customers it was given, the columns that were asked for, as a text table.
    """

    customers: dict[str, int]
    fields: dict[str, int]
    given: set[str]
    others: set[str]
    said: pa.Table


def write_customers(
    run: Run, stored: pa.Table, parts: Iterable[Consolidated], keep: Sequence[str]
) -> Written:
    """Write golden_customer and golden_field, one part after another: only one is held at a time.

    Args:
        run: the publish under way.
        stored: golden_id, content_hash, provenance_hash of the customers that can be others.
        parts: what they become, each customer once; those that no part has end.
        keep: columns of golden_customer to give back.

    Raises:
        PublishError: a golden id stands twice.
    """
    made = Written(_none(), _none(), set(), set(), _empty(keep))
    said = [made.said]
    with bulk.indexes_last(run.connection, golden_field):
        for part in parts:
            golden = without_nul(text_form.encode(part.golden.select(["golden_id", *GOLDEN])))
            ids = set(golden["golden_id"].to_pylist())
            if len(ids) < golden.num_rows or ids & made.given:
                raise PublishError(_WHERE, "a golden id stands twice among the golden customers")
            made.given.update(ids)
            said.append(golden.select(keep))
            trails = text_form.encode(part.provenance.select([*TRAIL_KEYS, *TRAIL]))
            _write_part(run, _among(stored, golden), golden, trails, made)
        ended = stored.filter(pc.invert(pc.is_in(stored["golden_id"], value_set=_ids(made.given))))
        rows.delete(run.connection, golden_customer, ended, ["golden_id"])
        made.customers["deleted"] += ended.num_rows
        made.others.update(ended["golden_id"].to_pylist())
        made.fields["deleted"] += rows.delete(run.connection, golden_field, ended, ["golden_id"])
    return replace(made, said=pa.concat_tables(said))


def _write_part(
    run: Run, before: pa.Table, golden: pa.Table, trails: pa.Table, made: Written
) -> None:
    """Write some customers, ``before`` being the hashes they are stored with; none ends here."""
    keys = ["golden_id"]
    hashes = text_form.hashes(golden.drop_columns(keys), run.row_key)
    golden = golden.append_column("content_hash", hashes)
    told = text_form.grouped_hashes(trails, "golden_id")
    trail = [told.get(name, "") for name in golden["golden_id"].to_pylist()]
    golden = golden.append_column("provenance_hash", pa.array(trail, pa.string()))
    change = rows.difference(before, golden, keys, ["content_hash"])
    changed = _otherwise(run, change.changed)
    rehashed = rows.difference(before, golden, keys, ["content_hash", "provenance_hash"]).changed
    retold = rows.difference(before, golden, keys, ["provenance_hash"]).changed
    stamp = {"published_at": run.at_text, "publish_id": run.publish_id}
    rows.update(run.connection, golden_customer, text_form.with_constant(changed, **stamp), keys)
    rehashed = rehashed.filter(pc.invert(_in(rehashed, changed)))
    rows.update(
        run.connection,
        golden_customer,
        rehashed.select([*keys, "content_hash", "provenance_hash"]),
        keys,
    )
    rows.insert(
        run.connection,
        golden_customer,
        text_form.with_constant(change.added, first_published_at=run.at_text, **stamp),
    )
    fields = _write_fields(run, trails, change.added, retold)
    made.customers["added"] += change.added.num_rows
    made.customers["changed"] += changed.num_rows
    for what, count in fields.items():
        made.fields[what] += count
    for some in (change.added, changed):
        made.others.update(some["golden_id"].to_pylist())


def _otherwise(run: Run, golden: pa.Table) -> pa.Table:
    """Of customers whose hash is another one, those whose values are.

    The model may have got columns since that these customers have nothing in.
    """
    if not golden.num_rows:
        return golden
    columns = ["golden_id", *GOLDEN]
    ids = golden["golden_id"].to_pylist()
    stored = rows.read_of(run.connection, golden_customer, columns, "golden_id", ids)
    stored = text_form.encode(text_form.decode(stored, GOLDEN_SCHEMA))
    marks = rows.compare(_plain(stored), _plain(golden), ["golden_id"], GOLDEN)
    return golden.filter(pa.array(marks.changed))


def _plain(golden: pa.Table) -> pa.Table:
    """Objects in JSON in one form, whatever database they were read from."""
    for place, name in enumerate(golden.column_names):
        if name in _OBJECTS:
            found = golden[name].to_pylist()
            same = [one and json.dumps(json.loads(one), sort_keys=True) for one in found]
            golden = golden.set_column(place, name, pa.array(same, pa.string()))
    return golden


def _none() -> dict[str, int]:
    return {"added": 0, "changed": 0, "deleted": 0}


def _empty(columns: Sequence[str]) -> pa.Table:
    return pa.schema([(name, pa.string()) for name in columns]).empty_table()


def _ids(golden_ids: Collection[str]) -> pa.Array:
    return pa.array(golden_ids, pa.string())


def write_history(run: Run, others: Collection[str], restored: bool | None) -> None:
    """Close the versions that no longer hold and open the ones just written.

    A restored customer gets back the moment when its id was published first.

    Args:
        run: the publish under way.
        others: all customers whose values are new, changed or gone.
        restored: whether an id is back.
    """
    golden = rows.sql_name(run.connection, golden_customer)
    history = rows.sql_name(run.connection, golden_customer_history)
    values = {"at": run.at, "publish_id": run.publish_id}
    if run.connection.dialect.name == "sqlite":
        values["at"] = run.at_text
    columns = ", ".join(f'"{name}"' for name in GOLDEN)
    opened = (
        f"INSERT INTO {history} (golden_id, valid_from, valid_to, is_current, change,"
        f" publish_id, {columns})"
        " SELECT golden_id, :at, NULL, true, {change},"
        f" publish_id, {columns} FROM {golden} g WHERE publish_id = :publish_id"
    )
    if bulk.is_empty(run.connection, golden_customer_history):
        with bulk.indexes_last(run.connection, golden_customer_history):
            run.connection.execute(sa.text(opened.format(change="'created'")), values)
        return
    with rows.loaded(run.connection, golden_customer, _named_ids(others)) as load:
        among = f"golden_id IN (SELECT golden_id FROM {load})"
        run.connection.execute(
            sa.text(
                f"UPDATE {history} SET valid_to = :at, is_current = false WHERE is_current"
                f" AND {among}"
            ),
            values,
        )
        change = (
            f"CASE WHEN NOT EXISTS (SELECT 1 FROM {history} h WHERE h.golden_id = g.golden_id)"
            " THEN 'created'"
            f" WHEN EXISTS (SELECT 1 FROM {history} h WHERE h.golden_id = g.golden_id"
            "  AND h.valid_to = :at) THEN 'changed' ELSE 'restored' END"
        )
        run.connection.execute(sa.text(f"{opened.format(change=change)} AND {among}"), values)
        if restored:
            first = (
                f"SELECT MIN(h.valid_from) FROM {history} h WHERE h.golden_id = {golden}.golden_id"
            )
            run.connection.execute(
                sa.text(
                    f"UPDATE {golden} SET first_published_at = ({first}) WHERE {among}"
                    " AND publish_id = :publish_id AND first_published_at = :at"
                ),
                values,
            )


def _named_ids(golden_ids: Collection[str]) -> pa.Table:
    return pa.table({"golden_id": pa.array(sorted(golden_ids), pa.string())})


def _write_fields(
    run: Run, provenance: pa.Table, new: pa.Table, touched: pa.Table
) -> dict[str, int]:
    """Write golden_field, looking only at customers that are new or whose provenance differs."""
    ids = touched["golden_id"].to_pylist()
    columns = [*TRAIL_KEYS, *TRAIL]
    stored = rows.read_of(run.connection, golden_field, columns, "golden_id", ids)
    found = provenance.filter(pc.or_(_in(provenance, new), _in(provenance, touched)))
    return apply(run, golden_field, rows.difference(stored, found, TRAIL_KEYS, TRAIL), TRAIL_KEYS)


def among(table: pa.Table, column: str, values: Collection[str]) -> pa.Table:
    """The rows with one of these values."""
    return table.filter(pc.is_in(table[column], value_set=pa.array(sorted(values), pa.string())))


def _in(table: pa.Table, others: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(table["golden_id"], value_set=others["golden_id"])


def _among(table: pa.Table, others: pa.Table) -> pa.Table:
    return table.filter(_in(table, others))


def write_rows(
    run: Run, table: sa.Table, new: pa.Table, keys: list[str], compared: list[str], **first: str
) -> dict[str, int]:
    """Make a table equal to a text table; ``first`` are columns of added rows only."""
    stored = rows.read(run.connection, table, [*keys, *compared])
    return apply(run, table, rows.difference(stored, new, keys, compared), keys, **first)


def apply(
    run: Run, table: sa.Table, change: rows.Difference, keys: list[str], **first: str
) -> dict[str, int]:
    rows.delete(run.connection, table, change.deleted, keys)
    rows.update(run.connection, table, change.changed, keys)
    rows.insert(run.connection, table, text_form.with_constant(change.added, **first))
    return change.counts


def write_crosswalk(
    run: Run, pairs: pa.Table, only: Collection[str] | None = None
) -> tuple[dict[str, int], pa.Table, set[str]]:
    """Record id is source and key joined by a colon; a source's name has none.

    Args:
        run: the publish under way.
        pairs: record_id, golden_id.
        only: published customers whose records these are, the others' stand; None: all.

    Returns:
        Rows added, changed, deleted; the crosswalk as a text table; and the
        customers whose records are others now.
    """
    parts = pc.split_pattern(pairs["record_id"], ":", max_splits=1).combine_chunks()
    parted = {"source": pc.list_element(parts, 0), "source_key": pc.list_element(parts, 1)}
    new = text_form.with_constant(
        pa.table({**parted, "record_id": pairs["record_id"], "golden_id": pairs["golden_id"]}),
        since=run.at_text,
    )
    keys, compared = ["source", "source_key"], ["golden_id"]
    columns = [*keys, *compared]
    stored = (
        rows.read(run.connection, crosswalk, columns)
        if only is None
        else rows.read_of(run.connection, crosswalk, columns, "golden_id", sorted(only))
    )
    change = rows.difference(stored, new, keys, compared)
    others = change.named("golden_id")
    left = change.deleted
    if change.changed.num_rows:  # and the customers that these records left
        back = rows.difference(new, stored, keys, compared)
        others |= back.named("golden_id")
        left = pa.concat_tables([left.select(columns), back.changed.select(columns)])
    _write_earlier(run, left, change)
    with bulk.indexes_last(run.connection, crosswalk):
        return apply(run, crosswalk, change, keys), new, others


def _write_earlier(run: Run, left: pa.Table, change: rows.Difference) -> None:
    """Keep which records left which customer, and forget it of those that came back.

    Args:
        left: source, source_key, golden_id as they were.
        change: of the crosswalk.
    """
    keys = ["golden_id", "record_id"]
    came = [_named(change.added), _named(change.changed)]
    for each in (_named(left), *came):
        rows.delete(run.connection, earlier_member, each, keys)
    rows.insert(
        run.connection, earlier_member, text_form.with_constant(_named(left), left_at=run.at_text)
    )


def _named(pairs: pa.Table) -> pa.Table:
    """Rows of the crosswalk as golden_id and record_id."""
    record_id = pc.binary_join_element_wise(pairs["source"], pairs["source_key"], ":")
    return pa.table({"golden_id": pairs["golden_id"], "record_id": record_id})


def write_former(run: Run, identity: Identity, live: Ids) -> None:
    """Keep the records of ids that go now; forget those of ids that are live again.

    Call it before the crosswalk is written.
    """
    known = rows.read(run.connection, former_member, ["golden_id", "record_id"])
    again = among(known, "golden_id", live.among(known["golden_id"].to_pylist()))
    rows.delete(run.connection, former_member, again, ["golden_id", "record_id"])
    went = pc.is_in(identity.events["event"], value_set=pa.array(["absorbed", "retired"]))
    events = identity.events.filter(went)
    if events.num_rows:
        ids, columns = events["golden_id"].to_pylist(), ["golden_id", "record_id"]
        held = rows.read_of(run.connection, crosswalk, columns, "golden_id", ids)
        rows.insert(run.connection, former_member, held)


def write_redirects(
    run: Run,
    identity: Identity,
    live: Ids,
    gone: Collection[str],
    earlier: Mapping[str, str | None],
) -> dict[str, int]:
    """Every id that is not live, in one step to the live one, or to its end.

    Args:
        run: the publish under way.
        identity: what became of the ids.
        live: the ids of golden customers now.
        gone: the ids that were live before and are not now.
        earlier: the redirects until now.
    """
    latest: dict[str, str | None] = {**earlier, **dict.fromkeys(gone)}
    for row in identity.redirects.to_pylist():
        latest[row["golden_id"]] = row["successor"]
    again = live.among(latest)
    latest = {retired: one for retired, one in latest.items() if retired not in again}
    final: dict[str, str | None] = {}
    for retired in latest:
        _no_cycle(retired, latest)
        final[retired] = resolve(retired, latest)
    successors = {one for one in final.values() if one is not None}
    for stray in sorted(successors - live.among(successors)):
        retired = min(name for name, one in final.items() if one == stray)
        raise PublishError(_WHERE, "a redirect leads to an id that is not published", found=retired)
    new = pa.table(
        {
            "golden_id": pa.array(list(final), pa.string()),
            "successor": pa.array(list(final.values()), pa.string()),
        }
    )
    stamp = {"retired_at": run.at_text, "publish_id": run.publish_id}
    return write_rows(run, redirect, new, ["golden_id"], ["successor"], **stamp)


def _no_cycle(start: str, latest: Mapping[str, str | None]) -> None:
    seen = {start}
    current = latest[start]
    while current is not None and current in latest:
        if current in seen:
            raise PublishError(_WHERE, "redirects lead in a circle", found=start)
        seen.add(current)
        current = latest[current]


def suggestion_id(kind: str, left_id: str, right_id: str) -> str:
    """The id of a suggestion: it follows from its kind and pair.

    >>> suggestion_id("merge", "erp:1", "crm:2") == suggestion_id("merge", "crm:2", "erp:1")
    True
    """
    low, high = sorted((left_id, right_id))
    text = f"{kind}\0{low}\0{high}".encode()
    return "S" + hashlib.blake2b(text, digest_size=10).hexdigest()


def write_suggestions(run: Run, suggestions: pa.Table, pairs: pa.Table) -> dict[str, int]:
    columns = ["left_id", "right_id", "probability", "kind", "reason"]
    ends = {one for name in columns[:2] for one in suggestions[name].to_pylist()}
    named = among(pairs, "record_id", ends)
    golden_of = dict(
        zip(named["record_id"].to_pylist(), named["golden_id"].to_pylist(), strict=True)
    )
    best: dict[str, dict[str, Any]] = {}
    for row in suggestions.select(columns).to_pylist():
        if row["left_id"] not in golden_of or row["right_id"] not in golden_of:
            continue  # the record is gone since
        name = suggestion_id(row["kind"], row["left_id"], row["right_id"])
        row["left_golden_id"] = golden_of[row["left_id"]]
        row["right_golden_id"] = golden_of[row["right_id"]]
        known = best.get(name)
        if known is None or (row["probability"] or 0) > (known["probability"] or 0):
            best[name] = {"suggestion_id": name, **row}
    text_columns = ["suggestion_id", *columns, "left_golden_id", "right_golden_id"]
    schema = pa.schema(
        [(name, pa.float64() if name == "probability" else pa.string()) for name in text_columns]
    )
    new = text_form.encode(
        pa.Table.from_pylist([best[name] for name in sorted(best)], schema=schema)
    )
    new = new.append_column("content_hash", text_form.hashes(new.drop_columns(["suggestion_id"])))
    new = text_form.with_constant(new, publish_id=run.publish_id)
    return write_rows(
        run, merge_suggestion, new, ["suggestion_id"], ["content_hash"], since=run.at_text
    )


def write_relations(run: Run, relations: pa.Table) -> dict[str, int]:
    """Write customer_relation: links between persons and organizations."""
    keys = ["person_id", "organization_id", "kind"]
    compared = ["basis", "person_record_id", "organization_record_id"]
    new = text_form.with_constant(
        text_form.encode(relations.select([*keys, *compared])), since=run.at_text
    )
    return write_rows(run, customer_relation, new, keys, compared)


def write_events(run: Run, identity: Identity, gone: Collection[str]) -> dict[str, int]:
    names = ["event", "golden_id", "other_golden_id", "record_count", "reason"]
    events = identity.events.select(names)
    ended = pc.is_in(events["event"], value_set=pa.array(["absorbed", "retired"]))
    untold = sorted(set(gone).difference(events["golden_id"].filter(ended).to_pylist()))
    retired = {
        "event": ["retired"] * len(untold),
        "golden_id": untold,
        "other_golden_id": [None] * len(untold),
        "record_count": [0] * len(untold),
        "reason": ["no record belongs to it any more"] * len(untold),
    }
    every = pa.concat_tables([events, pa.table(retired, schema=events.schema)])
    numbers = pa.array(range(1, every.num_rows + 1)).cast(pa.string())
    text = text_form.with_constant(
        text_form.encode(every).append_column("number", numbers),
        publish_id=run.publish_id,
        at=run.at_text,
    )
    with bulk.indexes_last(run.connection, lineage_event):
        rows.insert(run.connection, lineage_event, text)
    return {"added": text.num_rows, "changed": 0, "deleted": 0}
