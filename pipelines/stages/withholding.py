"""Keeping records of erased customers out of the lake: asked while rows land.

What belongs here: which rows of a sync may not land. A record is known by its key, or by its
content where it has no key of its own; rows that the last snapshot does not hold are also
cleaned, to recognize the person under another key or in another source (rules/recognizing.py).
Without an erasure nothing is asked and nothing costs.
"""

from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import row_hashes, snapshot
from connectors.reading import ROW_HASH, SOURCE_KEY, Withhold
from connectors.snapshot import Manifest
from connectors.source import SourceConfig
from pipelines.stages.deployment import Deployment
from rules import recognizing
from rules.recognizing import KEY, PURPOSE, ROW, Suppressed
from rules.standardize import standardize
from warehouse import erasures


def suppressed(deployment: Deployment) -> Suppressed:
    """What is known of erased customers; read once while the home is open.

    Raises:
        ConfigError: somebody was erased, and the key is missing.
    """
    stored = erasures.suppressions(deployment.warehouse)
    keys = deployment.keys
    if stored:
        keys.keyed_hash("", PURPOSE)  # fails here without the key, before anything is read
    return Suppressed(stored, partial(keys.hash_column, purpose=PURPOSE))


def hook(
    deployment: Deployment, config: SourceConfig, previous: Manifest | None
) -> Withhold | None:
    """What is asked of each row of a source before it lands; None: nothing.

    Args:
        deployment: the opened home.
        config: the source.
        previous: the manifest of its last snapshot: what that holds was let in.

    Raises:
        ConfigError: somebody was erased, and the key is missing.
    """
    known = suppressed(deployment)
    if not known:
        return None
    keys, contents = known.exact(KEY, config.name), known.exact(ROW, config.name)
    let_in = _hashes(deployment, previous) if known.knows_people else pa.array([], pa.string())
    country = config.country or deployment.settings.country
    hashed = partial(deployment.keys.hash_column, purpose=PURPOSE)

    def withhold(rows: pa.RecordBatch, content: bytes) -> pa.Array | None:
        held = pa.repeat(pa.scalar(False), rows.num_rows)
        if len(keys):
            prefix = recognizing.of_key(config.name, "")
            held = pc.or_(held, _among(_prefixed(prefix, rows[SOURCE_KEY]), keys))
        if len(contents):
            prefix = recognizing.of_row(config.name, "")
            held = pc.or_(
                held, _among(_prefixed(prefix, row_hashes.hexadecimal(content)), contents)
            )
        if known.knows_people:
            new = pc.and_not(pc.invert(pc.is_in(rows[ROW_HASH], value_set=let_in)), held)
            held = pc.or_(held, _recognized(rows, new))
        return held if pc.any(held).as_py() else None

    def _among(texts: pa.Array, stored: pa.Array) -> pa.Array:
        return pc.is_in(hashed(texts), value_set=stored).combine_chunks()

    def _recognized(rows: pa.RecordBatch, new: pa.Array) -> pa.Array:
        chosen = pc.indices_nonzero(new)
        if not len(chosen):
            return pa.repeat(pa.scalar(False), rows.num_rows)
        some = pa.Table.from_batches([rows.take(chosen)])
        # A key may stand twice in a batch; here records are told apart by their place.
        places = pa.array(map(str, range(len(chosen))), pa.string())
        some = some.set_column(some.schema.get_field_index(SOURCE_KEY), SOURCE_KEY, places)
        found = known.recognized(standardize(some, config, country).staged, config.name)
        mask = pa.array([bool(one) for one in found], pa.bool_())
        return pc.is_in(
            pc.cast(_numbers(rows.num_rows), pa.uint64()), value_set=chosen.filter(mask)
        )

    return withhold


def _numbers(count: int) -> pa.Array:
    return pa.array(range(count), pa.uint64())


def _prefixed(prefix: str, texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(pa.scalar(prefix), texts, "")


def _hashes(deployment: Deployment, previous: Manifest | None) -> pa.Array:
    """The hashes of the rows of the last snapshot."""
    path = snapshot.path_of(deployment.lake, previous) if previous is not None else None
    if path is None or not path.is_file():
        return pa.array([], pa.string())
    return pq.read_table(path, columns=[ROW_HASH])[ROW_HASH].combine_chunks()
