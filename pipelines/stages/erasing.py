"""Erasing customers everywhere: the steps in their order.

What belongs here: the way of an erasure; whom it takes out and what stands where is found in
pipelines/stages/held.py. First it is noted with the hashes that keep the
person out; from then on whoever opens the home finishes it, whatever was killed when. Then:
raw snapshots, the review store, the warehouse store, results of matching, models, labels,
exports, and what deleting leaves behind in files. Each step may be done again.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors import erasing as snapshots
from connectors import snapshot
from dedupe import label_files
from dedupe import model as models
from onefold.errors import ConfigError, OnefoldError
from pipelines import lake
from pipelines.stages import deployment as deploying
from pipelines.stages import features, matching, publishing, standing
from pipelines.stages.deployment import Deployment
from pipelines.stages.held import Whom, cleaned, exact, in_snapshots, look
from pipelines.stages.restaging import repairs_fingerprint
from pipelines.stages.sources import staging_fingerprint
from rules import recognizing
from rules.recognizing import PURPOSE, Stored
from warehouse import erasing, erasures, export_places, sync_runs, taken_in
from warehouse import repairs as mending
from warehouse.erasures import Target

log = logging.getLogger("onefold.erase")


@dataclass(frozen=True)
class Done:
    """How erasures went.

    Attributes:
        erasure_ids: those that were under way.
        finished: whether nothing is left.
        waiting: exports that could not be reached: where, and why.
        named_in: as of :class:`Looked`, of all of them.
    """

    erasure_ids: tuple[str, ...]
    finished: bool
    waiting: tuple[str, ...] = ()
    named_in: tuple[str, ...] = ()


@contextmanager
def opened(home: Path) -> Iterator[Deployment]:
    """Lock and open a home; erasures that were killed are finished first.

    Raises:
        ConfigError: the home is wrong.
        WarehouseError: a database cannot be reached or refuses.
    """
    with deploying.opened(home) as deployment:
        finish(deployment)
        yield deployment


def erase(deployment: Deployment, whom: Iterable[Whom], by: str, reason: str) -> Done:
    """Erase customers from every store, and keep them out of later syncs.

    Args:
        deployment: the opened home.
        whom: customers, or the keys of their records.
        by: who asked for it.
        reason: why, without personal data.

    Raises:
        ConfigError: there is no key to hash with; or nobody says who asks and why.
        NotThere: nothing is held on one of them.
    """
    if not by.strip() or not reason.strip():
        raise ConfigError("onefold erase", "who asks, and why?", do="Give --by and --reason.")
    hashed = partial(deployment.keys.hash_column, purpose=PURPOSE)
    hashed(pa.array([""]))  # fails here without a key
    found = look(deployment, whom)
    first = erasures.next_id(deployment.warehouse)
    targets: dict[str, Target] = {}
    stored: list[Stored] = []
    for number, one in enumerate(found, first):
        erasure_id = erasures.named(number)
        targets[erasure_id] = one.target
        keys, contents = exact(deployment, one)
        stored += recognizing.stored_of(
            erasure_id, cleaned(deployment, one), keys, contents, hashed
        )
    counts = {name: one.counts for name, one in zip(targets, found, strict=True)}
    erasures.begin(deployment.warehouse, targets, counts, stored, by.strip(), reason.strip())
    named_in = sorted({each for one in found for each in one.named_in})
    return replace(finish(deployment), named_in=tuple(named_in))


def finish(deployment: Deployment) -> Done:
    """Take every customer whose erasure is under way out of every store.

    Exports that cannot be reached wait: the erasure stays under way, and the next run tries
    again.
    """
    wh = deployment.warehouse
    open_ones = erasures.under_way(wh)
    targets = {one.erasure_id: one.target for one in open_ones if one.target is not None}
    if not targets:
        return Done((), True)
    if any(target.record_ids or target.case_ids for target in targets.values()):
        log.info("erasing %s customers", f"{len(targets):,}")
        _from_stores(deployment, targets)
    waiting = _from_exports(deployment, targets)
    # What is left to be done is forgotten before files are written anew, and the end is noted
    # last: killed in between, the next run writes them anew.
    lists_wait = any(place.kind == export_places.TO_MEND for place, _ in waiting)
    erasures.shorten(
        wh,
        {
            name: Target(one.golden_id, one.golden_ids, one.record_ids if lists_wait else ())
            for name, one in targets.items()
        },
    )
    erasing.compact(wh)
    if not waiting:
        erasures.finish(wh, list(targets))
    log.info("erased: %s", "exports wait" if waiting else "nothing is left")
    return Done(tuple(targets), not waiting, tuple(words for _, words in waiting))


def _from_stores(deployment: Deployment, targets: Mapping[str, Target]) -> None:
    wh = deployment.warehouse
    records = {one for target in targets.values() for one in target.record_ids}
    for source, found in in_snapshots(deployment, records).items():
        keys = {one.partition(":")[2] for one in records if one.partition(":")[0] == source}
        for one in found:
            snapshots.without(one.path, keys)
    erasing.from_review(wh, targets)
    erasing.from_warehouse(wh, targets, partial(_settled, deployment))
    erasing.from_review(wh, targets)  # what was judged while the cases were still there
    label_files.forget(deployment.settings.home / matching.LABELS, records)
    _match(deployment, records)


def _settled(deployment: Deployment, source: str) -> dict[str, Any]:
    """What the last good sync of a source is to say of the snapshot it stands on."""
    run = sync_runs.last_sync(deployment.warehouse, source)
    if run is None or not run.snapshot:
        return {}
    path = deployment.lake / run.snapshot
    if not path.is_file():
        return {}
    manifest, before = snapshot.read_manifest(path), run.manifest or {}
    settled: dict[str, Any] = {
        "rows_read": manifest.rows,
        "content_hash": manifest.content_hash,
        "manifest": {**before, **manifest.model_dump(mode="json")},
    }
    config = deployment.sources.get(source)
    used = before.get("repairs", {}).get("fingerprint")
    repairs = mending.in_force(deployment.warehouse, source)
    if config is not None and used == repairs_fingerprint(repairs):
        stood = staging_fingerprint(deployment, config, before, used)
        if run.fingerprint == stood:
            settled["fingerprint"] = staging_fingerprint(
                deployment, config, settled["manifest"], used
            )
    return settled


def _match(deployment: Deployment, records: Collection[str]) -> None:
    """Have the results of matching without the customers, and no others.

    Nothing is published but what follows from the erasure: where other records wait for a
    publish, or matching fails, the next refresh does it.
    """
    try:
        if lake.names(deployment.lake, "clusters"):
            standing.leave(deployment, records)
            matching.clusters(deployment)
            features.kinships(deployment)
            last = taken_in.last(deployment.warehouse)
            if last is not None and standing.only_without(deployment, last.staged, records):
                publishing.publish(deployment)
            left = features.have(deployment).read()
            models.forget_values(deployment.settings.models_dir, left, deployment.keys)
    except OnefoldError as error:
        log.warning("matching again: %s", error)
    kept = matching.names(deployment)
    for table, name in kept.items():
        if lake.has(deployment.lake, table, name):
            lake.settle(deployment.lake, table, name)
    for table in lake.TABLES:
        for name in lake.names(deployment.lake, table):
            if kept.get(table) != name:
                lake.path_of(deployment.lake, table, name).unlink()


def _from_exports(
    deployment: Deployment, targets: Mapping[str, Target]
) -> list[tuple[export_places.Place, str]]:
    """Take the customers out of all that was exported; what could not be reached."""
    ids = {one for target in targets.values() for one in target.golden_ids}
    records = {one for target in targets.values() for one in target.record_ids}
    home = deployment.settings.home
    return export_places.forget(home, ids, records) if ids or records else []
