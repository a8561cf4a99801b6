"""What people said about pairs of records, ready for training.

A label is a pair of records and whether they are one customer: a line of a
file of labeled pairs, or a steward's decision (link, no_link). Training takes
labeled pairs as known, everything else as it finds it.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing.columns import positions
from onefold.errors import OnefoldError

SCHEMA = pa.schema([("left_id", pa.string()), ("right_id", pa.string()), ("is_match", pa.bool_())])


def of_decisions(decisions: pa.Table) -> pa.Table:
    """Stewards' decisions as labels.

    Args:
        decisions: kind, left_id, right_id; those in force. Other kinds than
            link and no_link say nothing about a pair.

    Returns:
        left_id, right_id, is_match.
    """
    pairs = decisions.filter(pc.is_in(decisions["kind"], value_set=pa.array(["link", "no_link"])))
    columns = [pairs["left_id"], pairs["right_id"], pc.equal(pairs["kind"], "link")]
    return pa.table(columns, names=SCHEMA.names).cast(SCHEMA)


def usable(labels: pa.Table | None, features: pa.Table) -> pa.Table:
    """The labels of pairs that exist, each once.

    Args:
        labels: left_id, right_id, is_match, in any order; None if there are none.
        features: one row per record: record_id.

    Returns:
        the same columns with left_id < right_id, sorted. Labels of unknown
        records and of a record with itself are left out, and pairs that were
        labeled both ways.

    Raises:
        OnefoldError: a column is missing.
    """
    if labels is None:
        return SCHEMA.empty_table()
    absent = [name for name in SCHEMA.names if name not in labels.column_names]
    if absent:
        raise OnefoldError(
            "labels",
            f"there is no column {', '.join(absent)}",
            found=", ".join(labels.column_names),
            do="Give left_id, right_id and is_match.",
        )
    known = set(features.column("record_id").to_pylist())
    said: dict[tuple[str, str], set[bool]] = {}
    for row in labels.select(SCHEMA.names).to_pylist():
        left, right, is_match = (row[name] for name in SCHEMA.names)
        if left in known and right in known and left != right and is_match is not None:
            said.setdefault((min(left, right), max(left, right)), set()).add(bool(is_match))
    agreed = sorted((pair, answers.pop()) for pair, answers in said.items() if len(answers) == 1)
    return pa.table(
        [[pair[0] for pair, _ in agreed], [pair[1] for pair, _ in agreed], [a for _, a in agreed]],
        schema=SCHEMA,
    )


def align(labels: pa.Table, pairs: pa.Table) -> np.ndarray:
    """What is known of each pair: 1.0 a match, 0.0 none, NaN unknown; shape (pairs,).

    Args:
        labels: of :func:`usable`.
        pairs: left_id, right_id.
    """
    ids = _ids(labels)
    labeled, asked = _numbers(labels, ids), _numbers(pairs, ids)
    order = np.argsort(labeled)
    at = np.searchsorted(labeled[order], asked)
    at = order[np.minimum(at, max(len(order) - 1, 0))] if len(order) else at
    answer = np.full(pairs.num_rows, np.nan)
    rows = np.flatnonzero(asked >= 0)
    rows = rows[labeled[at[rows]] == asked[rows]]
    answer[rows] = labels.column("is_match").to_numpy()[at[rows]]
    return answer


def not_in(labels: pa.Table, pairs: pa.Table) -> pa.Table:
    """The labeled pairs that are not among the pairs: left_id, right_id, found_by ("label")."""
    ids = _ids(labels)
    seen = np.isin(_numbers(labels, ids), _numbers(pairs, ids))
    unseen = labels.filter(pa.array(~seen))
    found_by = pa.array(["label"] * unseen.num_rows, pa.string())
    return unseen.select(["left_id", "right_id"]).append_column("found_by", found_by)


def _ids(labels: pa.Table) -> pa.Array:
    """Every record that a label names."""
    columns = [labels.column(name).cast(pa.string()) for name in ("left_id", "right_id")]
    return pc.unique(pa.chunked_array([chunk for c in columns for chunk in c.chunks], pa.string()))


def _numbers(pairs: pa.Table, ids: pa.Array) -> np.ndarray:
    """Each pair as one number; -1 where ``ids`` lack one of its records."""
    left, right = (positions(pairs.column(name), ids) for name in ("left_id", "right_id"))
    return np.where((left >= 0) & (right >= 0), left * len(ids) + right, -1)
