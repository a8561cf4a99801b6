"""Scored pairs after records changed: only pairs that are new or of changed records are scored.

Levels and weights of a pair follow from its two records, the models and what
was counted with them. So a pair that was scored before, of two records that are
as they were, keeps its row. The result is that of scoring everything.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from dedupe import clusters
from dedupe.comparing.columns import decoded, positions, positions_of
from dedupe.levels import VETOES
from dedupe.model import MatchingSettings

_ENDS = ["left_id", "right_id"]
_READ = (*_ENDS, "found_by", "veto", "weight_bits")
_CODED = ("left_id", "found_by", "veto")

Score = Callable[[pa.Table, np.ndarray], pa.Table]
"""left_id, right_id, found_by of pairs, and the rows of their records, ascending → scored pairs."""


class Earlier(Protocol):
    """Scored pairs of other records, sorted."""

    @property
    def schema(self) -> pa.Schema:
        """Columns of scored pairs."""
        ...

    def chunks(self, columns: Sequence[str], coded: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns, in parts; some of these as codes."""
        ...


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
    """How scored pairs differ from the earlier ones.

    Attributes:
        stands: per row of the earlier ones, whether it stays as it is.
        fresh: the other rows: pairs that were scored, and those that other keys find now.
        at: of each of these, the earlier row that it comes before, ascending.
        pairs: clusters.READ of all pairs as they are now; ids and vetoes as codes.
        changed: left_id, right_id, weight_bits (the larger, of a pair in both) of the pairs that
            are gone or were scored; reclustering.changed_pairs are among them.
    """

    stands: np.ndarray
    fresh: pa.Table
    at: np.ndarray
    pairs: pa.Table
    changed: pa.Table


def rescore(
    pairs: pa.Table,
    ids: pa.Array,
    score: Score,
    earlier: Earlier,
    stale: pa.Array,
    settings: MatchingSettings,
) -> Rescored:
    """Score the pairs that are new or of stale records.

    Args:
        pairs: blocking's candidates: left_id, right_id, found_by; sorted.
        ids: every record, sorted.
        score: scores pairs as ``earlier`` were.
        earlier: scored pairs of other records, sorted.
        stale: records whose features are others than they were then, or new.
        settings: as for ``earlier``.
    """
    brief = pa.concat_tables(earlier.chunks(_READ, _CODED))
    ends_of = [table[name] for table in (pairs, brief) for name in _ENDS]
    other, left, right, *before = positions_of([stale, *ends_of], ids)
    known = _known(before[0], before[1], other, len(ids))
    scoring = _Scoring(score, earlier.schema)
    codes = left * len(ids) + right
    place = known.places(codes)
    added = [scoring.of(pairs.filter(pa.array(place < 0)), left[place < 0], right[place < 0])]
    old = place >= 0
    together = np.concatenate([codes[old], codes[~old]])
    weighed = _weighed(brief, known.row[place[old]], added[0], together, ids)
    inside = clusters.missing_pairs(ids, weighed, None, settings)
    left, right = positions_of([inside[name] for name in _ENDS], ids)
    inside_codes = left * len(ids) + right
    inside_place = known.places(inside_codes)
    new = inside_place < 0
    unseen = decoded(inside.filter(pa.array(new)))

    code_of_row = np.full(brief.num_rows, -1, dtype=np.int64)
    for found in (place[place >= 0], inside_place[inside_place >= 0]):
        code_of_row[known.row[found]] = known.code[found]
    standing = np.flatnonzero(code_of_row >= 0)

    candidate = np.full(brief.num_rows, -1, dtype=np.int64)
    candidate[known.row[place[old]]] = np.flatnonzero(old)
    by, (by_now, texts) = _found_by(brief["found_by"], pairs["found_by"], candidate[standing])
    is_other = by[standing] != by_now
    found_otherwise = standing[is_other]
    # What it says of them follows from their records as before: reading some rows of a table of
    # many columns takes as long as reading all.
    ends = (code_of_row[found_otherwise] // len(ids), code_of_row[found_otherwise] % len(ids))
    named = {name: ids.take(pa.array(end)) for name, end in zip(_ENDS, ends, strict=True)}
    named["found_by"] = texts.take(pa.array(by_now[is_other]))
    scored = scoring.of(
        pa.concat_tables([unseen, pa.table(named)]),
        *(np.concatenate(both) for both in zip((left[new], right[new]), ends, strict=True)),
    )
    added.append(scored.slice(0, unseen.num_rows))
    refound = scored.slice(unseen.num_rows)

    gone = _ends_and_weights(brief.filter(pa.array(code_of_row < 0)))
    changed = pa.concat_tables([gone, *map(_ends_and_weights, added)])
    names = gone.column_names

    added_codes = np.concatenate([codes[place < 0], inside_codes[new]])
    together = np.concatenate([code_of_row[standing], added_codes])
    weighed = _weighed(brief, standing, pa.concat_tables(added), together, ids)

    fresh = pa.concat_tables([*added, refound])
    fresh_codes = np.concatenate([added_codes, code_of_row[found_otherwise]])
    order = np.argsort(fresh_codes)
    at = np.searchsorted(code_of_row[standing], fresh_codes[order])
    stands = code_of_row >= 0
    stands[found_otherwise] = False
    return Rescored(
        stands,
        fresh.combine_chunks().take(pa.array(order)),
        np.append(standing, brief.num_rows)[at],
        weighed,
        changed.group_by(names[:2]).aggregate([("weight_bits", "max")]).rename_columns(names),
    )


def _ends_and_weights(pairs: pa.Table) -> pa.Table:
    return decoded(pairs.select([*_ENDS, "weight_bits"]))


def _found_by(
    then: pa.ChunkedArray, now: pa.ChunkedArray, candidate: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, pa.Array]]:
    """What found pairs, as numbers: then, and the standing ones now, with what these numbers are.

    Args:
        then: dictionary column, of all earlier pairs.
        now: of the candidates.
        candidate: of each pair that stands its place there; -1 of closures.
    """
    coded = now if pa.types.is_dictionary(now.type) else now.dictionary_encode()
    texts = pa.concat_arrays(
        [
            pa.array(["closure"], pa.string()),
            *(chunk.dictionary for column in (then, coded) for chunk in column.chunks),
        ]
    ).unique()
    closure = 0
    numbers = np.append(positions(coded, texts), closure)
    return positions(then, texts), (numbers[candidate], texts)


def _known(left: np.ndarray, right: np.ndarray, stale: np.ndarray, size: int) -> _Known:
    other = np.zeros(size + 1, dtype=bool)
    other[stale] = True  # -1, of those that are gone, is the last
    other[-1] = True
    row = np.flatnonzero(~other[left] & ~other[right])
    return _Known(left[row] * size + right[row], row)


class _Scoring(NamedTuple):
    score: Score
    schema: pa.Schema

    def of(self, pairs: pa.Table, left: np.ndarray, right: np.ndarray) -> pa.Table:
        """Scored pairs, plain; left and right are the rows of their records."""
        if not pairs.num_rows:
            return self.schema.empty_table()
        plain = decoded(pairs.select([*_ENDS, "found_by"]))
        scored = self.score(plain, np.union1d(left, right))
        return decoded(scored).select(self.schema.names).cast(self.schema)


def _weighed(
    brief: pa.Table, rows: np.ndarray, fresh: pa.Table, codes: np.ndarray, ids: pa.Array
) -> pa.Table:
    """Rows of the earlier pairs and fresh ones together, as clusters.READ.

    Args:
        codes: of the rows and of the fresh ones.
    """
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    vetoes = pa.array(list(VETOES))
    then, now = (positions(one["veto"], vetoes) for one in (brief, fresh))
    veto = np.concatenate([then[rows], now])[order]
    bits = [one["weight_bits"].to_numpy() for one in (brief, fresh)]
    ends = (codes // max(len(ids), 1), codes % max(len(ids), 1))
    coded = pa.DictionaryArray.from_arrays
    return pa.table(
        {
            **{
                name: coded(pa.array(end.astype(np.int32)), ids)
                for name, end in zip(_ENDS, ends, strict=True)
            },
            "veto": coded(pa.array(veto.astype(np.int8), mask=veto < 0), vetoes),
            "weight_bits": pa.array(np.concatenate([bits[0][rows], bits[1]])[order]),
        }
    )
