"""Keys to candidate pairs: records that share at least one key.

What belongs here: what happens to keys that too many records share, and to
pairs that one kind of evidence alone proposes. A key shared by more than
``limit`` records is refined by a second property (town, birth year, start of
the name, road), then by two; only what is still too large is left out, and the
report counts it. Pairs that only names, or only birth dates, propose are kept
from the smallest blocks up, so many that their number grows no faster than the
records. Records of different customer types are never paired.

In words of relations: keys JOIN keys USING (block), grouped by pair. One sort
per relation makes it at a third of the cost of a hash join.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedupe import blocking_keys, kept_keys, lone_pairs, pair_codes
from dedupe.blocking_keys import NUMBER
from dedupe.blocks import BlockingSettings, Blocks
from dedupe.comparing.columns import as_array
from dedupe.memory import give_back
from dedupe.pair_codes import MOST_RECORDS, Bits, Ints

DUCKDB_MB = 400


@dataclass(frozen=True)
class Candidates:
    """Pairs worth comparing, and what was left out.

    Attributes:
        pairs: left_id, right_id, found_by (kinds of keys joined by commas), stands_for (of how
            many proposed pairs training shall take it for one, mostly 1), sorted; the first three
            are dictionary columns, so that a pair holds two row numbers instead of two texts.
        report: one row per kind of key, see :data:`REPORT`.
    """

    pairs: pa.Table
    report: pa.Table


def candidates(
    features: pa.Table, settings: BlockingSettings, kept: kept_keys.Kept | None = None
) -> Candidates:
    """Pair the records that share a key.

    Args:
        features: of features.build: sorted by record_id; with keys that are kept, record_id, source
            and what kept_keys.reads names are enough.
        settings: block_limit.
        kept: their keys; None: they are made.

    Returns:
        pairs with left_id < right_id, sorted; the same for any order of the
        staged records and any number of threads.

    Raises:
        ValueError: there are more than :data:`MOST_RECORDS` records.
    """
    records = features.num_rows
    if records > MOST_RECORDS:
        raise ValueError(f"{records:,} records; one process pairs up to {MOST_RECORDS:,}")
    limit = settings.block_limit
    with (
        blocking_keys.making(features, limit, DUCKDB_MB)
        if kept is None
        else kept_keys.reading(kept, features, limit, DUCKDB_MB)
    ) as keys:
        source = _sources(features) if settings.link_only else None
        blocks = Blocks(keys.properties(), settings, records, source)
        found = [blocks.codes(kind, shared) for kind, shared in keys.kinds()]
        names = keys.names()
    give_back()  # what DuckDB held
    codes = pair_codes.joined(found)
    pair, bits, size = pair_codes.distinct(codes)
    del codes
    give_back()
    worth = lone_pairs.worth(pair, bits, size, names)
    report = blocks.report(worth.left_out)
    table = _named(pair[worth.stay], bits[worth.stay], features)
    return Candidates(table.append_column("stands_for", pa.array(worth.stands_for)), report)


def keys(features: pa.Table, settings: BlockingSettings) -> pa.Table:
    """The keys of some records: kind, key, record_id; sorted.

    Args:
        features: of features.build, or some rows of it.
        settings: block_limit.
    """
    return blocking_keys.texts(features, settings.block_limit, DUCKDB_MB)


def _sources(features: pa.Table) -> npt.NDArray[np.int32]:
    """The source of every record, as a number."""
    coded = as_array(features.column("source")).dictionary_encode()
    found: npt.NDArray[np.int32] = coded.indices.to_numpy()
    return found


def _named(pair: Ints, bits: Bits, features: pa.Table) -> pa.Table:
    """Pair numbers and bits to record ids and kinds."""
    ids = as_array(features.column("record_id"))
    shift = pair_codes.row_bits(features.num_rows)
    distinct = np.flatnonzero(np.bincount(bits, minlength=1))
    place = np.zeros(int(distinct.max(initial=0)) + 1, dtype=np.int32)
    place[distinct] = np.arange(len(distinct))
    texts = [
        ",".join(kind for kind, number in NUMBER.items() if int(value) >> number & 1)
        for value in distinct
    ]
    left, right = (pair >> shift).astype(np.int32), (pair & (1 << shift) - 1).astype(np.int32)
    dictionary = pa.DictionaryArray.from_arrays
    return pa.table(
        {
            "left_id": dictionary(pa.array(left), ids),
            "right_id": dictionary(pa.array(right), ids),
            "found_by": dictionary(pa.array(place.take(bits)), pa.array(texts, pa.string())),
        }
    )
