"""Cells of spreadsheets: a column at once gives the text that each cell gives alone."""

import datetime as dt

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.cells import as_text, column

_CELLS = st.lists(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**18), 10**18),
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(-1e6, 1e6).map(lambda number: round(number, 2)),
        st.sampled_from(["", " ", "\u3000", "_x000D_", "a_x0009_b", "_x00", "王 小明", "0012"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        st.dates(dt.date(1899, 12, 30), dt.date(2200, 1, 1)),
        st.datetimes(dt.datetime(1899, 12, 30), dt.datetime(2200, 1, 1)),
        st.datetimes(dt.datetime(1899, 12, 30), dt.datetime(2200, 1, 1)).map(
            lambda moment: moment.replace(microsecond=0)
        ),
        st.times(),
        st.timedeltas(dt.timedelta(0), dt.timedelta(3)),
    ),
    max_size=12,
)


@given(cells=_CELLS)
@example(cells=[1e15, 999_999_999_999_999.0, -0.0, 1e300, 5e-324, 0.1])
@example(cells=[dt.datetime(2023, 1, 12), dt.datetime(2023, 1, 12, 0, 0, 0, 500), ""])
@example(cells=[True, 1.0, 1])
@example(cells=[dt.date(2023, 1, 12), dt.datetime(2023, 1, 12, 1), dt.date(1899, 12, 30)])
@example(cells=[dt.datetime(2023, 1, 12, 0, 0, 1), dt.date(2023, 1, 12)])
@example(cells=[dt.datetime(2023, 1, 12), dt.datetime(1899, 12, 31, 0, 0, 1)])
def test_a_column_is_what_its_cells_are(cells):
    texts, damaged = column(cells)
    assert texts.to_pylist() == [as_text(cell) for cell in cells]
    numbers = [cell for cell in cells if type(cell) in (int, float)]
    assert damaged == sum(abs(number) >= 10**15 for number in numbers)
