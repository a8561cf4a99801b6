"""Which record is which customer's, and what became of ids: crosswalk, former and earlier
members, redirects, lineage events, each made equal to what is published, only where rows
differ.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dedupe.identity import Identity, resolve
from onefold.errors import PublishError
from warehouse import bulk, rows, text_form
from warehouse.publish_run import Run, among, apply, write_rows
from warehouse.tables import (
    crosswalk,
    earlier_member,
    former_member,
    lineage_event,
    redirect,
)

_WHERE = "golden table"


class Ids:
    """Golden ids, each once: as many as there are customers, so never one by one.

    Attributes:
        every: ids, some of them perhaps several times.
        names: ids; several Ids that are made together share them.
        own: per name, whether it is one of these.
    """

    def __init__(self, every: pa.ChunkedArray, names: pa.Array, own: np.ndarray) -> None:
        self.every, self.names, self.own = every, names, own
        self._asked: set[str] = set()
        self._there: set[str] = set()

    @classmethod
    def of(
        cls, *columns: pa.ChunkedArray, parts: Sequence[pa.ChunkedArray] | None = None
    ) -> "list[Ids]":
        """The ids of several columns.

        Args:
            columns: ids, some of them perhaps several times.
            parts: of each column the ids that may stand in one of them only; None: all.
        """
        parts = columns if parts is None else parts
        both = pa.chunked_array([one for part in parts for one in part.chunks], pa.string())
        coded = both.combine_chunks().dictionary_encode()
        codes, made, start = coded.indices.to_numpy(), [], 0
        for column, part in zip(columns, parts, strict=True):
            own = np.zeros(len(coded.dictionary), dtype=bool)
            own[codes[start : start + len(part)]] = True
            made.append(cls(column, coded.dictionary, own))
            start += len(part)
        return made

    def among(self, golden_ids: Iterable[str]) -> set[str]:
        """Which of some ids are among these; no id is looked for twice."""
        asked = {*golden_ids}
        others = asked - self._asked
        if others:
            asked_for = pa.array(sorted(others), pa.string())
            found = self.every.filter(pc.is_in(self.every, value_set=asked_for))
            self._there.update(found.to_pylist())
            self._asked |= others
        return asked & self._there

    def without(self, others: "Ids") -> set[str]:
        """These ids without others that were made together with them: few are left."""
        return set(self.names.filter(pa.array(self.own & ~others.own)).to_pylist())


def redirects(connection: sa.Connection) -> dict[str, str | None]:
    """Every retired id with its live successor, or None where it ended."""
    stored = rows.read(connection, redirect, ["golden_id", "successor"])
    return dict(zip(stored["golden_id"].to_pylist(), stored["successor"].to_pylist(), strict=True))


def published(connection: sa.Connection, record_ids: pa.Array) -> pa.ChunkedArray:
    """Which of some records are some customer's, by the names that they have in their source."""
    parts = pc.split_pattern(record_ids, ":", max_splits=1)
    sources, keys = (pc.list_element(parts, one) for one in (0, 1))
    found = [pa.chunked_array([], pa.string())]
    for source in pc.unique(sources).to_pylist():
        own = keys.filter(pc.equal(sources, source)).to_pylist()
        where = rows.one_of("source", [source])
        held = rows.read_of(
            connection, crosswalk, ["record_id", "source_key"], "source_key", own, where
        )
        named = pc.binary_join_element_wise(source, held["source_key"], ":")
        found.append(held["record_id"].filter(pc.equal(held["record_id"], named)))
    return pa.chunked_array([chunk for one in found for chunk in one.chunks], pa.string())


def write_crosswalk(
    run: Run, pairs: pa.Table, held: pa.Table | None = None
) -> tuple[dict[str, int], pa.Table, set[str]]:
    """Record id is source and key joined by a colon; a source's name has none.

    Args:
        run: the publish under way.
        pairs: record_id, golden_id.
        held: source, source_key, golden_id as stored, of the customers whose records these are or
            were; those of the others stand. None: these are all.

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
    stored = rows.read(run.connection, crosswalk, columns) if held is None else held.select(columns)
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
