"""Staged records → what matching needs of each: features, blocking keys, kin; tables in the lake.

What belongs here: having these tables up to date. Features and kin are renewed where records
changed. Keys are kept with the whole file of features that they were made of: while the features
are changes to that file, the keys of its rows stand, and only the other rows' are made.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import blocking, kept_keys, relations
from dedupe import features as featuring
from pipelines import fingerprint, lake
from pipelines.stages import changes
from pipelines.stages.changes import Completion, Renewed
from pipelines.stages.deployment import Deployment
from warehouse import sync_runs

_AFTER_BLOCKING = {"match", "review", "ignore", "closure_limit", "leiden_above"}
"""Settings that do not change which pairs are candidates."""


def fingerprint_of(deployment: Deployment) -> str:
    """Of the features of the records as they are staged now, and of the candidates among them."""
    return fingerprint.of(
        sync_runs.content_fingerprint(deployment.warehouse),
        deployment.matching.model_dump(mode="json", exclude=_AFTER_BLOCKING),
        fingerprint.of_code("rules", "dedupe"),
    )


def basis(deployment: Deployment) -> str:
    """Of how features are made, whatever records there are."""
    fields = deployment.matching.text_fields
    return fingerprint.of(fields, fingerprint.of_code("rules", "dedupe"))


def have(deployment: Deployment) -> Renewed:
    """The features of all staged records, kept in the lake beside the candidates."""
    fields, name = deployment.matching.text_fields, fingerprint_of(deployment)
    cut = Completion(
        (*featuring.CUT_FROM_COLUMNS, "name_cut"), featuring.cut_otherwise, featuring.turned
    )
    return deployment.once(
        "features",
        name,
        lambda: changes.renewed(
            deployment,
            "features",
            name,
            basis(deployment),
            lambda staged: featuring.build(staged, fields),
            cut,
        ),
    )


def record_ids(deployment: Deployment) -> pa.Array:
    """Every live record, sorted."""
    name = fingerprint_of(deployment)
    read = lambda: have(deployment).read(["record_id"])["record_id"].combine_chunks()  # noqa: E731
    ids: pa.Array = deployment.once("record_ids", name, read)
    return ids


def rows_of(deployment: Deployment, ids: pa.Array) -> npt.NDArray[np.int64]:
    """Rows of the features of those of some records that are live, ascending."""
    every = record_ids(deployment)
    asked = pc.unique(ids)
    at = np.minimum(pc.search_sorted(every, asked).to_numpy(), max(len(every) - 1, 0))
    there = np.asarray(pc.equal(every.take(pa.array(at)), asked)) if len(every) else at > 0
    return np.sort(at[there].astype(np.int64))


def stale(deployment: Deployment, earlier: str) -> pa.Array | None:
    """Records whose features are others than those of an earlier fingerprint, or new.

    Returns:
        record ids; None if the earlier ones are not there, or too many changed.
    """
    if not lake.has(deployment.lake, "features", earlier):
        return None
    of = lake.counts(deployment.lake, "features", earlier)
    changed = changes.since(deployment, of["staged"])
    if changed is None or changed.share > changes.MOST:
        return None
    before = lake.stored(deployment.lake, "features", earlier)
    cut = before.differing(have(deployment).stored, ["record_id", "name_cut"])
    return pa.concat_arrays([changed.new, featuring.recut(*cut)])


def keys_name(deployment: Deployment) -> str | None:
    """The fingerprint of the blocking keys; None if there are no features, or keys are not kept.

    Keys are plain hashes, by which somebody could look for a value: none are kept where values
    are kept encrypted.
    """
    name = fingerprint_of(deployment)
    if deployment.keys.policy.encrypted or not lake.has(deployment.lake, "features", name):
        return None
    return lake.base_of(deployment.lake, "features", name)


def keys(deployment: Deployment) -> kept_keys.Kept | None:
    """Have the blocking keys in the lake, and which records they are of; None: none are kept."""
    records, name = have(deployment), keys_name(deployment)
    if name is None:
        return None
    folder, stored = deployment.lake, records.stored
    if not lake.has(folder, "keys", name):
        of = lake.stored(folder, "features", name)
        made = kept_keys.tables(of.read(), blocking.DUCKDB_MB)
        lake.write(folder, "keys", name, made)
    tables = lake.groups(folder, "keys", name)
    rows = np.arange(stored.num_rows)
    in_file = stored.order < stored.base_rows
    to = np.full(stored.base_rows, -1, dtype=np.int64)
    to[stored.order[in_file]] = rows[in_file]
    return kept_keys.Kept(tables, to, rows[~in_file], stored.fresh)


def kinships(deployment: Deployment) -> pa.Table:
    """What joins records of persons and organizations, kept in the lake.

    Where all are of one type, nothing joins them: then no kin is made either.
    """
    name = kinships_fingerprint(deployment)
    if not lake.has(deployment.lake, "kinships", name):
        made = relations.KINSHIP_SCHEMA.empty_table()
        if len(pc.unique(have(deployment).read(["customer_type"])["customer_type"])) > 1:
            code = fingerprint.of_code("rules", "dedupe")
            kin = changes.renewed(deployment, "kin", name, code, relations.kin)
            made = relations.kinships(kin.read())
        lake.write(deployment.lake, "kinships", name, changes.sealed(made, deployment.keys))
    return changes.opened(lake.read(deployment.lake, "kinships", name), deployment.keys)


def kinships_fingerprint(deployment: Deployment) -> str:
    """Of kin and kinships of the records as they are staged now."""
    staged = sync_runs.content_fingerprint(deployment.warehouse)
    return fingerprint.of(staged, fingerprint.of_code("rules", "dedupe"))
