"""Clusters → golden ids that last.

What belongs here: which new cluster keeps which published id, what becomes of
the others, and the events that say so. Storing them is warehouse/publish.py.

A cluster takes the id of the old customer that holds most of its records, one
id for one cluster, larger overlap first, then the older id. A cluster without
one gets back a former id whose records it holds again, more than half of them
(a merge was undone, or records came back to their source), else a new number.
A published id that no cluster took is absorbed (its records went elsewhere: it
redirects to where most of them went) or retired (its records are gone from
their sources).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing.columns import as_array, positions, together

PREFIX = "G"
_DIGITS = 10

EVENTS_SCHEMA = pa.schema(
    [
        pa.field("event", pa.string()),
        pa.field("golden_id", pa.string()),
        pa.field("other_golden_id", pa.string()),
        pa.field("record_count", pa.int64()),
        pa.field("reason", pa.string()),
    ]
)
CROSSWALK_SCHEMA = pa.schema([("record_id", pa.string()), ("golden_id", pa.string())])
FORMER_SCHEMA = pa.schema([("golden_id", pa.string()), ("record_id", pa.string())])
REDIRECT_SCHEMA = pa.schema([("golden_id", pa.string()), ("successor", pa.string())])


@dataclass(frozen=True)
class Identity:
    """The outcome of :func:`assign`.

    Attributes:
        crosswalk: record_id, golden_id; every clustered record, sorted by record_id.
        redirects: golden_id (retired now, or before and leading elsewhere now), successor
            (null: ended without one).
        events: event (created, absorbed, split, retired, restored), golden_id,
            other_golden_id, record_count (records that moved or began), reason.
        next_number: the first number that was never given out.
        looked_at: the crosswalk's rows before and after of all customers that can be others; the
            rest is as it was. None: of all.
    """

    crosswalk: pa.Table
    redirects: pa.Table
    events: pa.Table
    next_number: int
    looked_at: tuple[pa.Table, pa.Table] | None = None


def golden_id(number: int) -> str:
    """The id with this number.

    >>> golden_id(42)
    'G0000000042'
    """
    return f"{PREFIX}{number:0{_DIGITS}d}"


def assign(
    clusters: pa.Table,
    crosswalk: pa.Table,
    live: list[str],
    next_number: int,
    former: pa.Table | None = None,
) -> Identity:
    """Give every cluster its golden id.

    Args:
        clusters: record_id, cluster_id; each record once.
        crosswalk: record_id, golden_id as last published.
        live: golden ids published and neither redirected nor retired.
        next_number: the first number never given out, 1 or more.
        former: golden_id, record_id: the records that ids had when they went; None if none did.

    Returns:
        Identity; the same for any order of rows in the arguments.
    """
    new = clusters.select(["record_id", "cluster_id"]).to_pandas()
    old = crosswalk.select(["record_id", "golden_id"]).to_pandas()
    both = new.merge(old, on="record_id", how="left")
    overlap = (
        both.dropna(subset=["golden_id"])
        .groupby(["cluster_id", "golden_id"], sort=False)
        .size()
        .rename("records")
        .reset_index()
        .sort_values(["records", "golden_id", "cluster_id"], ascending=[False, True, True])
    )
    kept: dict[str, str] = {}
    taken: set[str] = set()
    for cluster, old_id in zip(overlap["cluster_id"], overlap["golden_id"], strict=True):
        if cluster not in kept and old_id not in taken:
            kept[cluster] = old_id
            taken.add(old_id)

    restored, holders = _restored(new, former, kept)
    sizes = new.groupby("cluster_id", sort=True).size()
    origins = overlap.drop_duplicates("cluster_id").set_index("cluster_id")
    ids: dict[str, str] = {}
    events: list[tuple[str, str, str | None, int, str]] = []
    for cluster, size in sizes.items():
        cluster = str(cluster)
        if cluster in kept:
            ids[cluster] = kept[cluster]
            continue
        if cluster in restored:
            ids[cluster] = restored[cluster]
            origin = origins.loc[cluster]["golden_id"] if cluster in origins.index else None
            why = "its records are back" if origin is None else "a merge was undone"
            events.append(("restored", ids[cluster], origin and str(origin), int(size), why))
            continue
        ids[cluster] = golden_id(next_number)
        next_number += 1
        if cluster in origins.index:
            origin = origins.loc[cluster]
            events.append(
                ("split", ids[cluster], str(origin["golden_id"]), int(origin["records"]),
                 "its records left another customer")
            )  # fmt: skip
        else:
            events.append(("created", ids[cluster], None, int(size), "new records"))

    destinations = (
        overlap.sort_values(["records", "cluster_id"], ascending=[False, True])
        .drop_duplicates("golden_id")
        .set_index("golden_id")["cluster_id"]
    )
    moved = overlap.groupby("golden_id")["records"].sum()
    redirects: list[tuple[str, str | None]] = []
    for old_id in sorted(set(live) - taken):
        if old_id in destinations.index:
            successor = ids[str(destinations[old_id])]
            redirects.append((old_id, successor))
            events.append(
                ("absorbed", old_id, successor, int(moved[old_id]), "merged into another customer")
            )
        else:
            redirects.append((old_id, None))
            events.append(("retired", old_id, None, 0, "its records are gone from their sources"))

    redirects += [
        (old_id, ids[cluster])
        for old_id, cluster in holders.items()
        if old_id not in restored.values()
    ]
    new["golden_id"] = new["cluster_id"].map(ids)
    new = new.sort_values("record_id")
    return Identity(
        crosswalk=pa.Table.from_pydict(
            {"record_id": new["record_id"].tolist(), "golden_id": new["golden_id"].tolist()},
            schema=CROSSWALK_SCHEMA,
        ),
        redirects=pa.Table.from_pylist(
            [{"golden_id": a, "successor": b} for a, b in redirects], schema=REDIRECT_SCHEMA
        ),
        events=pa.Table.from_pylist(
            [dict(zip(EVENTS_SCHEMA.names, event, strict=True)) for event in events],
            schema=EVENTS_SCHEMA,
        ),
        next_number=next_number,
    )


def reassign(
    clusters: pa.Table,
    crosswalk: pa.Table,
    next_number: int,
    former: pa.Table,
    touched: pa.Array,
) -> Identity:
    """What :func:`assign` gives, looking only at records whose clusters can be others.

    Args:
        clusters, next_number, former: as for assign.
        crosswalk: record_id, golden_id as last published, sorted by record_id.
        touched: records whose clusters can be others than those published: whole
            clusters, new and published, and so all records that are new or gone.
    """
    bearing = _among(former, "golden_id", _among(former, "record_id", touched)["golden_id"])
    # Retired ids are shared out by how many of their records a cluster holds: all of these count.
    held = of_records(clusters, bearing["record_id"].unique())
    joined = _among(clusters, "cluster_id", held["cluster_id"])
    either = pa.chunked_array([touched, *joined["record_id"].chunks], pa.string()).unique()
    inside = of_records(clusters, either)
    rows = _rows_of(crosswalk, either)
    before = crosswalk.take(rows).select(CROSSWALK_SCHEMA.names)
    live = pc.unique(before["golden_id"]).to_pylist()
    found = assign(inside, before, live, next_number, bearing)
    whole = together(
        crosswalk.select(CROSSWALK_SCHEMA.names), found.crosswalk, "record_id", rows.to_numpy()
    )
    return replace(found, crosswalk=whole, looked_at=(before, found.crosswalk))


def _among(table: pa.Table, column: str, values: pa.ChunkedArray | pa.Array) -> pa.Table:
    """The rows with one of these values."""
    if not len(values):  # as mostly of ids that went: no look at all rows then
        return table.slice(0, 0)
    return table.filter(pc.is_in(table[column], value_set=pc.unique(values)))


def of_records(table: pa.Table, record_ids: pa.ChunkedArray | pa.Array) -> pa.Table:
    """The rows of some records, each given once, of a table that is sorted by record_id."""
    return table.take(_rows_of(table, record_ids))


def _rows_of(table: pa.Table, record_ids: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Rows, ascending, of some records, each given once, in a table that is sorted by record_id."""
    at = positions(record_ids, as_array(table["record_id"]))
    return pa.array(np.sort(at[at >= 0]))


def touched_records(before: pa.Table, now: pa.Table, others: pa.Array) -> pa.Array:
    """Records of clusters that are not what they were, and records that are new or gone.

    Args:
        before, now: record_id, cluster_id (the smallest record_id in it), sorted by record_id.
        others: the records that are in one of the two only, and perhaps more; what clusters
            they are in counts as changed.
    """
    standing, changed = [], []
    for table in (before, now):
        stands = np.ones(table.num_rows, dtype=bool)
        stands[_rows_of(table, others).to_numpy()] = False
        changed.append(table["cluster_id"].filter(pa.array(~stands)))
        standing.append(table.filter(pa.array(stands)))
    was, its = standing
    if not was["record_id"].equals(its["record_id"]):  # more are new or gone: it can be any
        every = [part for table in (now, before) for part in table["record_id"].chunks]
        return pa.chunked_array(every, pa.string()).unique()
    moved = pc.not_equal(was["cluster_id"], its["cluster_id"])
    changed += [table["cluster_id"].filter(moved) for table in standing]
    clusters = pa.chunked_array([part for one in changed for part in one.chunks], pa.string())
    held = [_among(table, "cluster_id", clusters)["record_id"] for table in (now, before)]
    return pa.chunked_array([part for one in held for part in one.chunks], pa.string()).unique()


def _restored(
    new: pd.DataFrame, former: pa.Table | None, kept: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Clusters that get a retired id back, and of each retired id the cluster with most of it.

    Args:
        new: record_id, cluster_id.
        former: golden_id, record_id of retired ids.
        kept: clusters that have an id already.
    """
    if former is None or not former.num_rows:
        return {}, {}
    held = former.select(["golden_id", "record_id"]).to_pandas().merge(new, on="record_id")
    totals = held.groupby("golden_id").size()
    parts = held.groupby(["cluster_id", "golden_id"], sort=False).size().rename("records")
    ordered = parts.reset_index().sort_values(
        ["records", "golden_id", "cluster_id"], ascending=[False, True, True]
    )
    restored: dict[str, str] = {}
    holders: dict[str, str] = {}
    for row in ordered.itertuples():
        most = 2 * row.records > totals[row.golden_id]
        if row.golden_id not in holders and most:
            holders[row.golden_id] = row.cluster_id
            if row.cluster_id not in kept and row.cluster_id not in restored:
                restored[row.cluster_id] = row.golden_id
    return restored, holders


def empty_crosswalk() -> pa.Table:
    """The crosswalk before the first publish."""
    return CROSSWALK_SCHEMA.empty_table()


def resolve(golden: str, redirects: dict[str, str | None]) -> str | None:
    """Follow redirects to the id that is live now, or None when it ended.

    >>> resolve("G1", {"G1": "G2", "G2": "G3"})
    'G3'
    """
    current: str | None = golden
    while current is not None and current in redirects:
        current = redirects[current]
    return current


def as_dict(redirects: pa.Table) -> dict[str, str | None]:
    """REDIRECT_SCHEMA as retired id → successor."""
    return dict(
        zip(redirects["golden_id"].to_pylist(), redirects["successor"].to_pylist(), strict=True)
    )


def follow(table: pa.Table, redirects: dict[str, str | None]) -> pa.Table:
    """The table with every ``golden_id`` resolved to the one that is live now (null: ended)."""
    live = [golden and resolve(golden, redirects) for golden in table["golden_id"].to_pylist()]
    at = table.schema.get_field_index("golden_id")
    return table.set_column(at, table.schema.field(at), pa.array(live, table.schema.field(at).type))
