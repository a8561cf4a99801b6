"""Results of matching without some records: what was found of all others stands.

What belongs here: taking erased records out of the lake's tables. Which pairs are candidates
depends on how many records share a key, and a relation on how many share a telephone number, so
that matching without some records could find others of strangers. An erasure must not: so the
rows of the erased records go, and everything else stays what it was (decision 21).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dedupe import reclustering
from dedupe.comparing.columns import decoded
from pipelines import lake
from pipelines.stages import changes, matching
from pipelines.stages.deployment import Deployment

_RECORD, _ENDS = ("record_id",), ("left_id", "right_id")
_KINSHIP = ("person_record_id", "organization_record_id")


def only_without(deployment: Deployment, staged: str, record_ids: Collection[str]) -> bool:
    """Whether an earlier staged state was that of now, with some of these records besides.

    Args:
        staged: its fingerprint.
    """
    if staged == changes.noted(deployment):
        return True
    changed = changes.since(deployment, staged)
    return changed is not None and not len(changed.new) and set(changed.stale.to_pylist()) <= set(
        record_ids
    )  # fmt: skip


def leave(deployment: Deployment, record_ids: Collection[str]) -> None:
    """Have results of matching for the records that are staged now, from those of before.

    Tables that are there already, or were made in another way or of other records, are left
    alone: whoever needs one works it out.

    Args:
        deployment: an opened home whose staged records are without these already.
        record_ids: the records that went.
    """
    gone = pa.array(sorted(record_ids), pa.string())
    now = matching.names(deployment)
    ways = matching.ways(deployment)
    _leave_kin(deployment, ways["kin"], now["kin"], gone)
    for name, note in changes.bases(deployment, "features", ways["features"]):
        if name == now["features"] or not only_without(deployment, note["staged"], record_ids):
            continue
        if not lake.has(deployment.lake, "candidates", name):
            continue
        since = {"staged": changes.noted(deployment)}
        _rows(deployment, "features", (name, now["features"]), _RECORD, gone, since)
        _rows(deployment, "candidates", (name, now["candidates"]), _ENDS, gone)
        _leave_scored(deployment, ways, name, now, gone)
        return


def _leave_kin(deployment: Deployment, way: str, now: str, gone: pa.Array) -> None:
    for name, note in changes.bases(deployment, "kin", way):
        known = lake.has(deployment.lake, "kinships", name)
        if name != now and known and only_without(deployment, note["staged"], gone.to_pylist()):
            since = {"staged": changes.noted(deployment)}
            _rows(deployment, "kin", (name, now), _RECORD, gone, since)
            _rows(deployment, "kinships", (name, now), _KINSHIP, gone)
            return


def _leave_scored(
    deployment: Deployment,
    ways: Mapping[str, str],
    features: str,
    now: Mapping[str, str],
    gone: pa.Array,
) -> None:
    folder = deployment.lake
    for name, note in changes.bases(deployment, "scored_pairs", ways["scored_pairs"]):
        if note["features"] != features:
            continue
        since = {"features": now["features"]}
        _rows(deployment, "scored_pairs", (name, now["scored_pairs"]), _ENDS, gone, since)
        for found, noted in changes.bases(deployment, "decided", ways["clusters"]):
            if noted["scored_pairs"] != name or not all(
                lake.has(folder, table, found) for table in matching.FOUND
            ):
                continue
            _leave_clusters(deployment, found, now, gone)
            return
        return


def _leave_clusters(
    deployment: Deployment, name: str, now: Mapping[str, str], gone: pa.Array
) -> None:
    """Clusters and suggestions of others; nothing where a cluster loses some records only, or
    where stewards have decided since."""
    folder, to = deployment.lake, now["clusters"]
    said = _others(lake.read(folder, "decided", name), _ENDS, gone)
    if not said.equals(reclustering.said(matching.pair_decisions(deployment)).cast(said.schema)):
        return
    clusters = lake.read(folder, "clusters", name)
    left = _others(clusters, _RECORD, gone)
    went = clusters.filter(pc.is_in(clusters["record_id"], value_set=gone))["cluster_id"]
    if pc.any(pc.is_in(left["cluster_id"], value_set=went.combine_chunks())).as_py():
        return
    suggestions = _others(lake.read(folder, "suggestions", name), _ENDS, gone)
    sizes = pc.value_counts(left["cluster_id"]).field("counts")
    report = lake.counts(folder, "clusters", name) | {
        "records": left.num_rows,
        "clusters": len(sizes),
        "largest": pc.max(sizes).as_py() or 0,
        "suggestions": suggestions.num_rows,
    }
    note = lake.counts(folder, "decided", name) | {"scored_pairs": now["scored_pairs"]}
    lake.write(folder, "decided", to, said, note)
    lake.write(folder, "suggestions", to, suggestions)
    lake.write(folder, "clusters", to, left, report)


def _rows(
    deployment: Deployment,
    table: str,
    names: tuple[str, str],
    columns: Sequence[str],
    gone: pa.Array,
    noted: Mapping[str, Any] | None = None,
) -> None:
    """Write a table again, under another name, without the rows of records that went.

    Values are written, not codes of values: among these are those that went.
    """
    before, after = names
    note = {**lake.counts(deployment.lake, table, before), **(noted or {})}
    stored = lake.stored(deployment.lake, table, before)
    rest = (_others(decoded(part), columns, gone) for part in stored.chunks())
    lake.write(deployment.lake, table, after, rest, note)


def _others(table: pa.Table, columns: Sequence[str], gone: pa.Array) -> pa.Table:
    """The rows that name none of the records that went."""
    for name in columns:
        table = table.filter(pc.invert(pc.is_in(table[name], value_set=gone)))
    return table
