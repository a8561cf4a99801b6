"""Scored pairs after records changed: only pairs that are new or of changed records are scored.

Levels and weights of a pair follow from its two records, the models and what
was counted with them. So a pair that was scored before, of two records that are
as they were, keeps its row. The result is that of scoring everything.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dedupe import clusters
from dedupe.comparing.columns import decoded, positions
from dedupe.matching import Weigher
from dedupe.model import MatchingSettings, Models

_ENDS = ["left_id", "right_id"]
_BRIEF = ("left_id", "right_id", "veto", "weight_bits")


class _Known(NamedTuple):
    """Pairs that were scored before, of records that are as they were.

    Attributes:
        code: int64, left * records + right, ascending.
        row: their rows in the earlier table.
    """

    code: np.ndarray
    row: np.ndarray

    def places(self, codes: np.ndarray) -> np.ndarray:
        """Where pairs stand among these; -1 where they do not."""
        if not len(self.code):
            return np.full(len(codes), -1)
        at = np.minimum(np.searchsorted(self.code, codes), len(self.code) - 1)
        return np.where(self.code[at] == codes, at, -1)


class Rescored(NamedTuple):
    """Scored pairs, and how they differ from the earlier ones.

    Attributes:
        chunks: what matching.scored_chunks gives, chunk by chunk.
        changed: left_id, right_id, weight_bits (the larger, of a pair in both) of the pairs that
            are gone or were scored; reclustering.changed_pairs are among them.
    """

    chunks: Iterator[pa.Table]
    changed: pa.Table


def rescore(
    pairs: pa.Table,
    features: pa.Table,
    models: Models,
    earlier: pq.ParquetFile,
    stale: pa.Array,
    settings: MatchingSettings,
) -> Rescored:
    """Score the pairs that are new or of stale records; take the others' rows.

    Args:
        pairs: blocking's candidates: left_id, right_id, found_by; sorted.
        features: one row per record, sorted by record_id.
        models: those that scored ``earlier``; they have counts.
        earlier: scored pairs of other records, sorted.
        stale: records whose features are others than they were then, or new.
        settings: as for ``earlier``.
    """
    ids = features.column("record_id").combine_chunks()
    brief = earlier.read(columns=list(_BRIEF))
    other, earlier_left, earlier_right, left, right = _positions(
        [stale, *(table[name] for table in (brief, pairs) for name in _ENDS)], ids
    )
    known = _known(earlier_left, earlier_right, other, len(ids))
    codes = left * len(ids) + right
    place = known.places(codes)
    schema = earlier.schema_arrow
    rows = (left[place < 0], right[place < 0])
    fresh = [_score(pairs.filter(pa.array(place < 0)), rows, features, models, schema)]
    weighed = _weighed(brief, known, codes, place, fresh[0], ids)
    inside = clusters.missing_pairs(ids, weighed, None, settings)
    left, right = (positions(inside[name], ids) for name in _ENDS)
    inside_codes = left * len(ids) + right
    inside_place = known.places(inside_codes)
    rows = (left[inside_place < 0], right[inside_place < 0])
    fresh.append(_score(inside.filter(pa.array(inside_place < 0)), rows, features, models, schema))
    added = pa.concat_tables(fresh)
    added_codes = np.concatenate([codes[place < 0], inside_codes[inside_place < 0]])
    order = np.argsort(added_codes)
    added, added_codes = added.take(pa.array(order)), added_codes[order]

    code_of_row = np.full(brief.num_rows, -1, dtype=np.int64)
    for found in (place[place >= 0], inside_place[inside_place >= 0]):
        code_of_row[known.row[found]] = known.code[found]
    found_by = decoded(pairs.select(["found_by"]))["found_by"].combine_chunks()
    ends = ["left_id", "right_id", "weight_bits"]
    gone = brief.select(ends).filter(pa.array(code_of_row < 0))
    changed = pa.concat_tables([gone, added.select(ends)])
    kept = _Kept(earlier, code_of_row, codes, found_by)
    return Rescored(
        _merged(kept, added, added_codes),
        changed.group_by(ends[:2]).aggregate([("weight_bits", "max")]).rename_columns(ends),
    )


class _Kept(NamedTuple):
    """Which rows of an earlier table stand.

    Attributes:
        earlier: the table.
        code: of each of its rows the pair's code; -1 where the row goes.
        codes, found_by: of the candidates.
    """

    earlier: pq.ParquetFile
    code: np.ndarray
    codes: np.ndarray
    found_by: pa.Array


def _merged(kept: _Kept, added: pa.Table, added_codes: np.ndarray) -> Iterator[pa.Table]:
    """The rows that stand and the added ones, in the order of their codes."""
    start = taken = 0
    for group in range(kept.earlier.num_row_groups):
        rows = kept.earlier.read_row_group(group)
        own = kept.code[start : start + rows.num_rows]
        start += rows.num_rows
        rows, own = rows.filter(pa.array(own >= 0)), own[own >= 0]
        rows = _with_found_by(rows, own, kept.codes, kept.found_by)
        last = group == kept.earlier.num_row_groups - 1
        upto = len(added_codes) if last else taken
        if len(own) and not last:
            upto = int(np.searchsorted(added_codes, own[-1]))
        both = pa.concat_tables([rows, added.slice(taken, upto - taken)])
        order = np.argsort(np.concatenate([own, added_codes[taken:upto]]))
        taken = upto
        if both.num_rows or last:
            yield both.take(pa.array(order))
    if not kept.earlier.num_row_groups:
        yield added


def _positions(columns: list[pa.Array | pa.ChunkedArray], ids: pa.Array) -> list[np.ndarray]:
    """Where the values of several columns stand among the ids, which are looked through once.

    Not even that for codes of the ids themselves, as blocking gives them.
    """
    coded = [number for number, one in enumerate(columns) if pa.types.is_dictionary(one.type)]
    found = {number: positions(columns[number], ids) for number in coded}
    plain = [number for number in range(len(columns)) if number not in found]
    chunks = [
        chunk
        for column in (columns[number] for number in plain)
        for chunk in (column.chunks if isinstance(column, pa.ChunkedArray) else [column])
    ]
    at = positions(pa.concat_arrays(chunks), ids)
    parts = np.split(at, np.cumsum([len(columns[number]) for number in plain])[:-1])
    found |= dict(zip(plain, parts, strict=True))
    return [found[number] for number in range(len(columns))]


def _known(left: np.ndarray, right: np.ndarray, stale: np.ndarray, size: int) -> _Known:
    other = np.zeros(size + 1, dtype=bool)
    other[stale] = True  # -1, of those that are gone, is the last
    other[-1] = True
    row = np.flatnonzero(~other[left] & ~other[right])
    return _Known(left[row] * size + right[row], row)


def _score(
    pairs: pa.Table,
    rows: tuple[np.ndarray, np.ndarray],
    features: pa.Table,
    models: Models,
    schema: pa.Schema,
) -> pa.Table:
    """Scored pairs, by the features of their records only, whose rows are given."""
    if not pairs.num_rows:
        return schema.empty_table()
    used = np.union1d(*rows)
    plain = decoded(pairs.select(["left_id", "right_id", "found_by"]))
    scored = Weigher(features.take(pa.array(used)), models).score(plain)
    return decoded(scored).select(schema.names).cast(schema)


def _weighed(
    brief: pa.Table,
    known: _Known,
    codes: np.ndarray,
    place: np.ndarray,
    fresh: pa.Table,
    ids: pa.Array,
) -> pa.Table:
    """All candidates with veto and weight, as clusters.missing_pairs reads them."""
    kept = place >= 0
    rows = pa.array(known.row[place[kept]])
    code = np.concatenate([codes[kept], codes[~kept]])
    order = np.argsort(code)
    code = code[order]
    columns = (
        {
            name: pa.DictionaryArray.from_arrays(pa.array(part.astype(np.int32)), ids)
            for name, part in (("left_id", code // len(ids)), ("right_id", code % len(ids)))
        }
        if len(ids)
        else {name: fresh[name] for name in ("left_id", "right_id")}
    )
    for name in ("veto", "weight_bits"):
        both = [brief[name].take(rows).combine_chunks(), fresh[name].combine_chunks()]
        columns[name] = pa.concat_arrays(both).take(pa.array(order))
    return pa.table(columns)


def _with_found_by(
    rows: pa.Table, own: np.ndarray, codes: np.ndarray, found_by: pa.Array
) -> pa.Table:
    """Rows with the kinds of keys that found them now."""
    at = np.searchsorted(codes, own)
    at = np.where((at < len(codes)) & (np.append(codes, -1)[at] == own), at, -1)
    named = pc.fill_null(found_by.take(pa.array(at, mask=at < 0)), "closure")
    return rows.set_column(rows.column_names.index("found_by"), "found_by", named)
