"""Which records changed since an earlier result: found by comparing, by no list of events.

``records`` in the lake notes of every staged state each record's content hash. A
table that was made from one state is renewed by what differs in another.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.keys import Keys
from pipelines import lake
from pipelines.stages.deployment import Deployment
from pipelines.stored import Stored
from rules.protection import hidden, holds
from warehouse import staged_records, sync_runs

MOST = 0.3
"""Share of the records that may be others for an earlier result to be worth renewing."""


class Changed(NamedTuple):
    """What differs between two staged states; record ids.

    Attributes:
        new: live now, and not then or with other content.
        stale: live then, and not now or with other content.
        share: of all records, 0..1 and above.
        name: of both states.
    """

    new: pa.Array
    stale: pa.Array
    share: float
    name: tuple[str, str]


def noted(deployment: Deployment) -> str:
    """Have the content hashes of the records as they are staged now: their fingerprint.

    Where this run staged them on top of a noted state, only the records that it looked at are
    asked for.
    """
    name = sync_runs.content_fingerprint(deployment.warehouse)
    if not lake.has(deployment.lake, "records", name):
        renewed_hashes = _hashes(deployment, name)
        if renewed_hashes is not None:
            lake.write_stored(deployment.lake, "records", name, renewed_hashes)
        else:
            lake.write(
                deployment.lake, "records", name, staged_records.hashes(deployment.warehouse)
            )
    return name


def _hashes(deployment: Deployment, now: str) -> Stored | None:
    for staged, looked_at in _written(deployment, now).items():
        if lake.has(deployment.lake, "records", staged):
            before = lake.stored(deployment.lake, "records", staged)
            ids = before.read(["record_id"])["record_id"].combine_chunks()
            stands = np.asarray(pc.invert(pc.is_in(ids, value_set=looked_at)))
            fresh = staged_records.hashes(deployment.warehouse, looked_at.to_pylist())
            fresh = fresh.sort_by("record_id")
            return before.changed(stands, fresh, places(ids, fresh["record_id"].combine_chunks()))
    return None


def _written(deployment: Deployment, now: str) -> dict[str, pa.Array]:
    """Earlier staged states, newest first → records that may differ from now, each once."""
    found: dict[str, pa.Array] = {}
    ids, at = pa.array([], pa.string()), now
    while at in deployment.written and at not in found:
        at, looked_at = deployment.written[at]
        ids = found[at] = pc.unique(pa.concat_arrays([ids, looked_at]))
    return found


def since(deployment: Deployment, staged: str) -> Changed | None:
    """What changed since another staged state; None if that was not noted.

    Args:
        staged: its fingerprint.
    """
    now = noted(deployment)
    if not lake.has(deployment.lake, "records", staged):
        return None

    def compare() -> Changed:
        then, after_it = (lake.stored(deployment.lake, "records", one) for one in (staged, now))
        rows = after_it.num_rows
        before, after = then.differing(after_it)
        at = pc.index_in(after["record_id"], value_set=before["record_id"].combine_chunks())
        hashes = before["content_hash"].combine_chunks().take(at.combine_chunks())
        same = pc.fill_null(pc.equal(after["content_hash"], hashes), False)
        kept = after["record_id"].filter(same).combine_chunks()
        gone = pc.invert(pc.is_in(before["record_id"], value_set=kept))
        new = after["record_id"].filter(pc.invert(same)).combine_chunks()
        stale = before["record_id"].filter(gone).combine_chunks()
        share = max(len(new), len(stale)) / max(rows, 1)
        return Changed(new, stale, share, (staged, now))

    return deployment.once("changed", (staged, now), compare)


def records(deployment: Deployment, changed: Changed) -> pa.Table:
    """The staged records that are new or other; read once while the home is open."""
    return deployment.once("new", changed.name, lambda: deployment.records(changed.new))


def bases(deployment: Deployment, table: str, basis: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tables of the lake that were made in the same way, newest first.

    Args:
        table: its name.
        basis: fingerprint of how they are made: code, settings and models.

    Yields:
        fingerprint of each, and what was noted when it was written.
    """
    for name in lake.names(deployment.lake, table):
        noted = lake.counts(deployment.lake, table, name)
        if noted.get("basis") == basis and lake.has(deployment.lake, table, name):
            yield name, noted


_WAS = b"sealed"
"""In the schema of a table: the type of a column that is kept encrypted."""


def sealed(table: pa.Table, keys: Keys) -> pa.Table:
    """Rows of records as the lake keeps them: what ``privacy: encrypt:`` names is encrypted."""
    names = hidden(keys.policy.encrypted)
    for place, field in enumerate(table.schema):
        if holds(field.name, names):
            column, kind = table.column(place), field.type
            if not pa.types.is_list(kind):
                column = column.cast(pa.string())
            tokens = keys.encrypt_column(column)
            kept = pa.field(field.name, tokens.type, metadata={_WAS: str(kind)})
            table = table.set_column(place, kept, tokens)
    return table


def opened(table: pa.Table, keys: Keys) -> pa.Table:
    """Rows of records from the lake with their values in clear.

    Raises:
        ConfigError: the key that they were encrypted with is not declared.
    """
    names = hidden(keys.policy.encrypted)
    for place, field in enumerate(table.schema):
        was = (field.metadata or {}).get(_WAS, b"").decode()
        if was or holds(field.name, names):
            kind = _KINDS.get(was, field.type)
            clear = keys.decrypt_column(table.column(place)).cast(kind)
            table = table.set_column(place, pa.field(field.name, kind), clear)
    return table


_KINDS = {str(one): one for one in (pa.date32(), pa.int64())}
"""Types of columns that are text only while they are encrypted."""


class Renewed:
    """A table of one row per record, sorted by record_id, to read in clear what is asked for."""

    def __init__(self, deployment: Deployment, table: str, name: str) -> None:
        self._keys = deployment.keys
        self.stored = lake.stored(deployment.lake, table, name)

    @property
    def num_rows(self) -> int:
        """How many records there are."""
        return self.stored.num_rows

    @property
    def names(self) -> list[str]:
        """Its columns."""
        return self.stored.schema.names

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows."""
        return opened(self.stored.read(columns), self._keys)

    def parts(self, columns: Sequence[str]) -> list[tuple[pa.Table, npt.NDArray[np.int64]]]:
        """All rows as they lie in the files, with their numbers; -1 of what is gone."""
        return [(opened(part, self._keys), rows) for part, rows in self.stored.parts(columns)]

    def take(self, rows: npt.NDArray[np.int64]) -> pa.Table:
        """The rows of some numbers, ascending."""
        return opened(self.stored.take(rows), self._keys)


class Completion(NamedTuple):
    """What a row has from all rows together.

    Attributes:
        reads: columns that it follows from.
        others: these columns of all rows → the rows of which it is another now than they say.
        turn: such rows → as they should be.
    """

    reads: Sequence[str]
    others: Callable[[pa.Table], npt.NDArray[np.int64]]
    turn: Callable[[pa.Table], pa.Table]


def renewed(
    deployment: Deployment,
    table: str,
    name: str,
    basis: str,
    make: Callable[[pa.Table], pa.Table],
    completion: Completion | None = None,
) -> Renewed:
    """A table of one row per record, kept in the lake: only changed records' rows are made anew.

    Args:
        table, name: where it is kept.
        basis: fingerprint of how it is made.
        make: staged records → their rows, sorted by record_id.
        completion: what follows from all rows together.
    """
    if not lake.has(deployment.lake, table, name):
        note = {"staged": noted(deployment), "basis": basis}
        made = _renewed(deployment, table, basis, make, completion)
        if made is not None:
            lake.write_stored(deployment.lake, table, name, made, note)
        else:
            rows = sealed(make(deployment.staged()), deployment.keys)
            lake.write(deployment.lake, table, name, rows, note)
    return Renewed(deployment, table, name)


def _renewed(
    deployment: Deployment,
    table: str,
    basis: str,
    make: Callable[[pa.Table], pa.Table],
    completion: Completion | None,
) -> Stored | None:
    for earlier, note in bases(deployment, table, basis):
        changed = since(deployment, note["staged"])
        if changed is None or changed.share > MOST:
            continue
        keys = deployment.keys
        made = make(records(deployment, changed))
        before = lake.stored(deployment.lake, table, earlier)
        ids = before.read(["record_id"])["record_id"].combine_chunks()
        stands = np.asarray(pc.invert(pc.is_in(ids, value_set=changed.stale)))
        fresh = sealed(made, keys).cast(before.schema)
        now = before.changed(stands, fresh, places(ids, made["record_id"].combine_chunks()))
        if completion is None:
            return now
        rows = completion.others(opened(now.read(completion.reads), keys))
        turned = completion.turn(opened(now.take(rows), keys))
        stands = np.ones(now.num_rows, dtype=bool)
        stands[rows] = False
        return now.changed(stands, sealed(turned, keys), rows)
    return None


def places(ids: pa.Array, others: pa.Array) -> npt.NDArray[np.int64]:
    """Of each of some ids, where it stands among sorted ones or before which of them.

    >>> places(pa.array(["a", "c"]), pa.array(["0", "a", "b", "c", "d"])).tolist()
    [0, 0, 1, 1, 2]
    """
    found: npt.NDArray[np.int64] = pc.search_sorted(ids, others).to_numpy().astype(np.int64)
    return found
