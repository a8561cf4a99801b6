"""Staged → candidates → scored pairs → clusters, tables in the lake.

A table is named by the fingerprint of all it depends on. A stage that finds
its name there computes and writes nothing; one whose input is missing makes it
first, so that any stage may be run alone. Where an earlier table was made in the same way of
other records, only what differs is worked out (changes.py); the result is the same.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import (
    blocking,
    kept_keys,
    label_files,
    labels,
    matching,
    reclustering,
    rescoring,
)
from dedupe import clusters as clustering
from dedupe import model as models
from dedupe.comparing.columns import as_array, decoded
from dedupe.levels import LEVELS, is_text
from dedupe.model import MatchingSettings, Models
from dedupe.reclustering import Earlier
from dedupe.rescoring import Rescored
from onefold.errors import ModelError
from pipelines import fingerprint, lake
from pipelines.report import Computed
from pipelines.stages import changes, features
from pipelines.stages.changes import Renewed
from pipelines.stages.deployment import Deployment
from warehouse import decisions, sync_runs

log = logging.getLogger("onefold.refresh")

TRAIN_AGAIN_AT = 1.5
"""Records of a customer type, as a multiple of those its model was trained on."""

PAIR_DECISIONS = ("link", "no_link")

FOUND = ("decided", "suggestions", "clusters")
"""Tables that clustering writes, in this order: decisions it heeded, and what it found."""

_ENDS = ("left_id", "right_id")

LABELS = "labels"
"""Folder of a home whose files hold labeled pairs; see dedupe.label_files."""


def candidates(deployment: Deployment) -> Computed:
    """Pairs worth comparing, in the lake; made only if staged, settings or code changed."""
    return _computed(deployment, "candidates", _candidates, time.monotonic())


def _candidates(deployment: Deployment) -> tuple[str, bool]:
    """Have the candidates in the lake: their fingerprint, and whether they were there."""
    name = features.fingerprint_of(deployment)
    if lake.has(deployment.lake, "candidates", name):
        return name, True
    records = features.have(deployment)
    log.info("candidates: looking among %s records", f"{records.num_rows:,}")
    kept = features.keys(deployment)
    used = None if kept is None else ["record_id", "source", *kept_keys.reads(records.names)]
    found = blocking.candidates(records.read(used), deployment.matching, kept)
    lake.write(deployment.lake, "candidates", name, found.pairs, _left_out(found.report))
    deployment.once("pairs", name, lambda: found.pairs)
    return name, False


def _left_out(report: pa.Table) -> dict[str, Any]:
    """What blocking left out, in all and by kind of key."""
    kinds = report.to_pylist()
    return {"left_out": sum(kind["left_out"] for kind in kinds), "keys": kinds}


def scored_pairs(deployment: Deployment) -> Computed:
    """Candidates with levels, weight and probability, and the pairs that close components.

    Trains the models first if there are none, if the code's levels or the text fields
    are others, or if a customer type has grown by half since; else the saved ones are used.
    """
    return _computed(deployment, "scored_pairs", _scored_pairs, time.monotonic())


def _scored_pairs(deployment: Deployment) -> tuple[str, bool]:
    pairs_name, _ = _candidates(deployment)
    try:
        return _scored(deployment, pairs_name)
    finally:
        deployment.drop("features", "pairs")


def _scored(deployment: Deployment, pairs_name: str) -> tuple[str, bool]:
    known = saved_models(deployment)
    name = _scored_fingerprint(deployment, pairs_name, known)
    if known and lake.has(deployment.lake, "scored_pairs", name):
        return name, True
    records = features.have(deployment)
    pairs = deployment.once(
        "pairs", pairs_name, lambda: lake.read(deployment.lake, "candidates", pairs_name)
    )
    counted: matching.Counted | None = None
    if _must_train(known, records, deployment.matching):
        log.info("scored_pairs: training on %s pairs", f"{pairs.num_rows:,}")
        every = records.read()
        counted = matching.Counted(every)
        pairs = matching.compare(pairs, every, counted.counts)
        known = _learn(deployment, pairs, every, counted)
        name = _scored_fingerprint(deployment, pairs_name, known)
        if lake.has(deployment.lake, "scored_pairs", name):
            return name, True
    note: dict[str, Any] = {f"{kind}_model": one.version for kind, one in known.items()}
    note |= {"basis": _scoring_basis(deployment, known), "features": pairs_name}
    rescored = _rescored(deployment, note["basis"], pairs, records, known)
    if rescored is not None:
        earlier, found = rescored
        deployment.once("changed_pairs", (earlier, name), lambda: found.changed)
        deployment.once("weighed_pairs", name, lambda: found.pairs)
        stored = lake.stored(deployment.lake, "scored_pairs", earlier)
        made = stored.changed(found.stands, found.fresh, found.at)
        lake.write_stored(deployment.lake, "scored_pairs", name, made, note)
        return name, False
    log.info("scored_pairs: scoring %s pairs", f"{pairs.num_rows:,}")
    scored = matching.scored_chunks(
        pairs, records.read(), known, None, deployment.matching, counted
    )
    lake.write(deployment.lake, "scored_pairs", name, scored, note)
    return name, False


def _rescored(
    deployment: Deployment, basis: str, pairs: pa.Table, records: Renewed, known: Models
) -> tuple[str, Rescored] | None:
    """How the scored pairs differ from an earlier table, and its fingerprint; None if there is
    none."""
    if "veto" in pairs.column_names:
        return None  # compared for training already
    for name, note in changes.bases(deployment, "scored_pairs", basis):
        stale = features.stale(deployment, note["features"])
        if stale is None:
            continue
        log.info("scored_pairs: scoring those of %s records again", f"{len(stale):,}")
        earlier = lake.stored(deployment.lake, "scored_pairs", name)
        ids = features.record_ids(deployment)
        score = partial(_score, records, known)
        return name, rescoring.rescore(pairs, ids, score, earlier, stale, deployment.matching)
    return None


def _score(records: Renewed, known: Models, pairs: pa.Table, rows: np.ndarray) -> pa.Table:
    """Scored pairs, by the features of their records only, whose rows are given."""
    return matching.Weigher(records.take(rows), known).score(pairs)


def scored_again(deployment: Deployment, pairs: pa.Table, schema: pa.Schema) -> pa.Table:
    """Some of the scored pairs, worked out from the features of their records as they were.

    Args:
        pairs: left_id, right_id, found_by.
        schema: of the scored pairs.
    """
    if not pairs.num_rows:
        return schema.empty_table()
    ends = pa.chunked_array([chunk for name in _ENDS for chunk in pairs[name].chunks])
    rows = features.rows_of(deployment, ends.combine_chunks())
    found = _score(features.have(deployment), saved_models(deployment), pairs, rows)
    return decoded(found).select(schema.names).cast(schema)


def pairs_among(deployment: Deployment, scored_name: str, ids: pa.Array) -> pa.Table:
    """left_id, right_id and found_by of the scored pairs with both ends among records; sorted."""
    stored = lake.stored(deployment.lake, "scored_pairs", scored_name)
    weighed = deployment.known("weighed_pairs", scored_name)
    columns = [*_ENDS, "found_by"]
    if weighed is None or not pa.types.is_dictionary(weighed["left_id"].type):
        found = stored.of_values(dict.fromkeys(_ENDS, ids), columns)
    else:  # ends are rows of the features
        own = np.zeros(len(features.record_ids(deployment)), dtype=bool)
        own[features.rows_of(deployment, ids)] = True
        left, right = (as_array(weighed[one]).indices.to_numpy() for one in _ENDS)
        rows = np.flatnonzero(own[left] & own[right])
        ends = decoded(weighed.select(_ENDS).take(pa.array(rows)))
        found = ends.append_column("found_by", stored.take(rows, ["found_by"])["found_by"])
    return found.sort_by([(name, "ascending") for name in _ENDS]).combine_chunks()


def train(deployment: Deployment) -> Models:
    """Train the models anew, from the pairs as they are and every label there is.

    Returns:
        the saved models; one that comes out as it was keeps its version.

    Raises:
        ConfigError: a file of labeled pairs cannot be read, or two contradict each other.
    """
    pairs_name, _ = _candidates(deployment)
    records = features.have(deployment).read()
    pairs = lake.read(deployment.lake, "candidates", pairs_name)
    log.info("training on %s pairs", f"{pairs.num_rows:,}")
    return _learn(deployment, pairs, records)


def _learn(
    deployment: Deployment,
    pairs: pa.Table,
    records: pa.Table,
    counted: matching.Counted | None = None,
) -> Models:
    said = known_labels(deployment)
    learned = matching.learn(pairs, records, deployment.matching, said, counted)
    return models.save(learned, deployment.settings.models_dir, deployment.keys)


def known_labels(deployment: Deployment) -> pa.Table:
    """Stewards' pair decisions and the files in ``labels/``; where they differ, the decision."""
    files = label_files.read_folder(deployment.settings.home / LABELS)
    return label_files.overruled(files, labels.of_decisions(pair_decisions(deployment)))


def clusters(deployment: Deployment) -> Computed:
    """Records held to be one customer, and suggestions, both in the lake.

    Raises:
        DecisionConflict: stewards' decisions in force contradict each other.
    """
    return _computed(deployment, "clusters", have_clusters, time.monotonic())


def have_clusters(deployment: Deployment) -> tuple[str, bool]:
    """Have clusters and suggestions in the lake: their fingerprint, and whether they were there."""
    scored_name, _ = _scored_pairs(deployment)
    decided = pair_decisions(deployment)
    name = _clusters_fingerprint(scored_name, decided)
    if all(lake.has(deployment.lake, table, name) for table in FOUND):
        return name, True
    pairs = deployment.once(
        "weighed_pairs",
        scored_name,
        lambda: lake.read(deployment.lake, "scored_pairs", scored_name, clustering.READ),
    )
    ids = features.record_ids(deployment)
    earlier = _earlier(deployment, scored_name, int(changes.MOST * pairs.num_rows))
    close = partial(_closed, deployment)
    if earlier is None:
        log.info("clusters: grouping %s records", f"{len(ids):,}")
        found = clustering.cluster(ids, close(ids, pairs, decided), decided, deployment.matching)
    else:
        found = reclustering.recluster(ids, pairs, earlier, decided, deployment.matching, close)
        log.info("clusters: grouped %s records again", f"{found.report['reclustered']:,}")
    said = reclustering.said(decided)
    note = {"scored_pairs": scored_name, "basis": _clustering_basis(deployment)}
    lake.write(deployment.lake, "decided", name, said, note)
    lake.write(deployment.lake, "suggestions", name, found.suggestions)
    lake.write(deployment.lake, "clusters", name, found.clusters, found.report)
    deployment.once(f"clusters {name}", name, lambda: found.clusters)
    return name, False


def grouped(deployment: Deployment, name: str) -> pa.Table:
    """The clusters of a fingerprint, sorted by record_id; kept until :func:`forget`."""
    return deployment.once(
        f"clusters {name}", name, lambda: lake.read(deployment.lake, "clusters", name)
    )


def _earlier(deployment: Deployment, scored_name: str, most: int) -> Earlier | None:
    """The last clustering; of the same scored pairs if there is one.

    Args:
        most: pairs that may differ.
    """
    folder, found = deployment.lake, []
    for name, note in changes.bases(deployment, "decided", _clustering_basis(deployment)):
        then = note["scored_pairs"]
        whole = all(lake.has(folder, table, name) for table in FOUND)
        if whole and lake.has(folder, "scored_pairs", then):
            found.append((then != scored_name, name, then))
    for other, name, then in sorted(found, key=lambda one: one[0])[:1]:
        earlier = grouped(deployment, name)
        suggestions, said = (lake.read(folder, table, name) for table in ("suggestions", "decided"))
        if not other:
            return Earlier(earlier, suggestions, said)
        changed = _changed_pairs(deployment, then, scored_name)
        if changed.num_rows <= most:
            return Earlier(earlier, suggestions, said, changed)
    return None


def _changed_pairs(deployment: Deployment, then: str, now: str) -> pa.Table:
    """What differs between two tables of scored pairs; compared once while the home is open."""

    def compare() -> pa.Table:
        before, after = (lake.stored(deployment.lake, "scored_pairs", one) for one in (then, now))
        return reclustering.changed_pairs(*before.differing(after, clustering.READ))

    return deployment.once("changed_pairs", (then, now), compare)


def in_changed_pairs(deployment: Deployment, then: str, now: str) -> pa.Array | None:
    """Records with a scored pair that is new, gone or other since an earlier clustering.

    Args:
        then, now: fingerprints of clusters.

    Returns:
        record ids; None if it can be any: the pairs of then were scored in another way, or are
            not there any more.
    """
    earlier, since = (
        lake.counts(deployment.lake, "decided", name).get("scored_pairs", "")
        if lake.has(deployment.lake, "decided", name)
        else ""
        for name in (then, now)
    )
    if earlier == since:
        return pa.array([], pa.string())
    if not lake.has(deployment.lake, "scored_pairs", earlier):
        return None
    way, now_way = (
        lake.counts(deployment.lake, "scored_pairs", name)["basis"] for name in (earlier, since)
    )
    if way != now_way:
        return None
    changed = _changed_pairs(deployment, earlier, since)
    ends = [changed[name].combine_chunks() for name in _ENDS]
    return pc.unique(pa.concat_arrays(ends))


def _closed(deployment: Deployment, ids: pa.Array, pairs: pa.Table, decided: pa.Table) -> pa.Table:
    """The scored pairs, and the ones inside components that link decisions joined."""
    unseen = clustering.missing_pairs(ids, pairs, decided, deployment.matching, linked_only=True)
    if not unseen.num_rows:
        return pairs
    added = weigher(deployment).score(unseen)
    return pa.concat_tables([pairs, decoded(added.select(pairs.column_names)).cast(pairs.schema)])


def weigher(deployment: Deployment) -> matching.Weigher:
    """All records ready to score a few pairs of them; counted once while the home is open."""
    known = saved_models(deployment)
    name = _scored_fingerprint(deployment, features.fingerprint_of(deployment), known)
    return deployment.once(
        "weigher",
        name,
        lambda: matching.Weigher(features.have(deployment).read(), known),
    )


def _scored_fingerprint(deployment: Deployment, pairs_name: str, known: Models) -> str:
    return fingerprint.of(
        pairs_name,
        deployment.matching.model_dump(mode="json"),
        {kind: one.fingerprint for kind, one in known.items()},
    )


def _scoring_basis(deployment: Deployment, known: Models) -> str:
    """Of how pairs are scored, whatever records there are."""
    return fingerprint.of(
        deployment.matching.model_dump(mode="json"),
        {kind: one.fingerprint for kind, one in known.items()},
        fingerprint.of_code("rules", "dedupe"),
    )


def _clustering_basis(deployment: Deployment) -> str:
    """Of how records are grouped, whatever pairs there are."""
    settings = deployment.matching.model_dump(mode="json")
    return fingerprint.of(settings, fingerprint.of_code("rules", "dedupe"))


def _clusters_fingerprint(scored_name: str, decided: pa.Table) -> str:
    # A steward who decides the same again, or says it in other words, changes nothing.
    said = decided.select(["kind", "left_id", "right_id"]).to_pylist()
    return fingerprint.of(scored_name, sorted(said, key=str))


def pair_decisions(deployment: Deployment) -> pa.Table:
    table = decisions.read(deployment.warehouse)
    return table.filter(pc.is_in(table["kind"], value_set=pa.array(PAIR_DECISIONS)))


def saved_models(deployment: Deployment) -> Models:
    """The saved models; none if a type has none, or if they fit other levels than the code's."""
    folder = deployment.settings.models_dir

    def load() -> Models:
        try:
            known = models.load(folder, keys=deployment.keys)
        except ModelError as error:
            log.warning("models: training again. %s", error)
            return {}
        return known if set(known) == set(LEVELS) else {}

    return deployment.once("models", tuple(models.newest_versions(folder).items()), load)


def _must_train(known: Models, records: Renewed, settings: MatchingSettings) -> bool:
    texts = set(filter(is_text, records.names)) - set(settings.ignore)
    if not known or any(texts != set(filter(is_text, one.fields)) for one in known.values()):
        return True
    found = pc.value_counts(records.read(["customer_type"])["customer_type"]).to_pylist()
    counted = {one["values"]: one["counts"] for one in found}
    return any(
        counted.get(kind, 0) >= max(one.trained_on.get("records", 0), 1) * TRAIN_AGAIN_AT
        for kind, one in known.items()
    )


def _computed(
    deployment: Deployment,
    table: str,
    have: Callable[[Deployment], tuple[str, bool]],
    began: float,
) -> Computed:
    name, reused = have(deployment)
    rows = lake.rows(deployment.lake, table, name)
    log.info("%s: %s rows%s", table, f"{rows:,}", ", unchanged" if reused else "")
    return Computed(
        table=table,
        fingerprint=name,
        reused=reused,
        rows=rows,
        counts=lake.counts(deployment.lake, table, name),
        seconds=time.monotonic() - began,
    )


def names(deployment: Deployment) -> dict[str, str]:
    """Table of the lake → the fingerprint that it has, or would have, for what there is now."""
    pairs_name = features.fingerprint_of(deployment)
    scored_name = _scored_fingerprint(deployment, pairs_name, saved_models(deployment))
    clusters_name = _clusters_fingerprint(scored_name, pair_decisions(deployment))
    return {
        "records": sync_runs.content_fingerprint(deployment.warehouse),
        "features": pairs_name,
        "candidates": pairs_name,
        "scored_pairs": scored_name,
        "clusters": clusters_name,
        "suggestions": clusters_name,
        "decided": clusters_name,
        "kinships": features.kinships_fingerprint(deployment),
        "kin": features.kinships_fingerprint(deployment),
    }


def ways(deployment: Deployment) -> dict[str, str]:
    """Table of the lake → fingerprint of how it is made now, whatever records there are."""
    known = saved_models(deployment)
    return {
        "features": features.basis(deployment),
        "kin": fingerprint.of_code("rules", "dedupe"),
        "scored_pairs": _scoring_basis(deployment, known),
        "clusters": _clustering_basis(deployment),
    }


def forget(deployment: Deployment, clusters_name: str) -> None:
    """Remove from the lake what neither this result nor the one before needs."""
    made = dict.fromkeys(FOUND, clusters_name)
    found = names(deployment)
    keys = features.keys_name(deployment)
    lake.forget(deployment.lake, {**found, **made, **({"keys": keys} if keys else {})})
    deployment.drop(*(one for one in deployment.kept if one.startswith("clusters ")))
