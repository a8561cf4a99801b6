"""What people said about pairs of records, ready for training.

A label is a pair of records and whether they are one customer: a line of a
file of labeled pairs, or a steward's decision (link, no_link). Training takes
labeled pairs as known, everything else as it finds it.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
    answer = np.append(labels.column("is_match").to_numpy().astype(np.float64), np.nan)
    return answer[pc.fill_null(pc.index_in(_names(pairs), value_set=_names(labels)), -1).to_numpy()]


def not_in(labels: pa.Table, pairs: pa.Table) -> pa.Table:
    """The labeled pairs that are not among the pairs: left_id, right_id, found_by ("label")."""
    unseen = labels.filter(pc.invert(pc.is_in(_names(labels), value_set=_names(pairs))))
    found_by = pa.array(["label"] * unseen.num_rows, pa.string())
    return unseen.select(["left_id", "right_id"]).append_column("found_by", found_by)


def _names(pairs: pa.Table) -> pa.Array:
    """Both ids of each pair as one text; ids hold no such separator."""
    columns = (pairs.column(name).cast(pa.string()) for name in ("left_id", "right_id"))
    joined = pc.binary_join_element_wise(*columns, "\x1f")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
