"""Places of ids among ids, however they are looked for."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dedupe.comparing.columns import positions, positions_of

FEW = st.text(alphabet="abc", max_size=2)
MANY = st.integers(0, 400).map(lambda number: f"R{number:03d}")


def expected(values: list[str | None], ids: list[str]) -> list[int]:
    place = {one: at for at, one in enumerate(ids)}
    return [-1 if one is None else place.get(one, -1) for one in values]


@given(
    values=st.lists(st.one_of(st.none(), FEW), max_size=12), ids=st.lists(FEW, unique=True), cut=...
)
def test_every_value_is_found_where_it_stands(values, ids, cut: bool) -> None:
    column = pa.chunked_array(
        [pa.array(values[:3], pa.string()), pa.array(values[3:], pa.string())]
    )
    known = pa.array(sorted(ids) if cut else ids, pa.string())
    found = positions(column, known)
    assert found.tolist() == expected(values, known.to_pylist())


@given(gone=st.sets(MANY, max_size=60), new=st.sets(MANY, max_size=60), start=st.integers(0, 40))
def test_sorted_values_are_found_beside_each_other(gone, new, start) -> None:
    every = [f"R{number:03d}" for number in range(0, 400, 2)]
    values = sorted({*every[start:], *new} - gone)
    column = pa.chunked_array(
        [pa.array(values[:50], pa.string()), pa.array(values[50:], pa.string())]
    )
    ids = pa.array(every[: len(every) - start])
    assert positions(column, ids).tolist() == expected(values, ids.to_pylist())
    coded = column.dictionary_encode()
    both = positions_of([coded, column], ids)
    assert np.array_equal(*both)
