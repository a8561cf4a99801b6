"""A column of dates or moments holds what each cell alone is read as."""

from datetime import UTC, date, datetime

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import dates
from rules.whole.dates import read, read_moments

cells = st.one_of(
    st.none(),
    st.datetimes(datetime(1700, 1, 1)).map(lambda moment: moment.isoformat(" ", "seconds")),
    st.datetimes(datetime(1700, 1, 1)).map(lambda moment: moment.isoformat("T", "seconds") + "Z"),
    st.from_regex(r"\A[0-9]{4}-[0-1][0-9]-[0-3][0-9](?:[ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z?)?\Z"),
    st.sampled_from(["03/04/2021", "", "2021-02-30", "2021-3-4", "2021-03-04\n", "1849-12-31"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(cells, max_size=6))
def test_what_is_read_as_a_column_is_what_each_cell_says(column):
    found = read_moments(pa.array(column, pa.string())).to_pylist()
    for cell, moment in zip(column, found, strict=True):
        if moment is not None:
            assert cell is not None
            assert dates.parse_timestamp(cell) == dates.Moment(moment)


def test_usual_moments_are_read_as_a_column():
    column = ["2021-03-04", "2021-03-04 05:06:07", "2021-03-04T05:06:07Z", "0001-01-01"]
    day, second = datetime(2021, 3, 4, tzinfo=UTC), datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert read_moments(pa.array(column)).to_pylist() == [day, second, second, None]


days = st.one_of(
    st.none(),
    st.dates().map(date.isoformat),
    st.from_regex(r"\A[0-9]{4}-[0-1][0-9]-[0-3][0-9]\Z"),
    st.sampled_from(["", "2021-02-29", "2020-02-29", "0000-01-01", "1900-02-29", " 2021-03-04"]),
)
bounds = (
    st.sampled_from([date(1000, 1, 1), dates.EARLIEST]),
    st.sampled_from([None, date(2024, 2, 29)]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(days, max_size=6), *bounds)
def test_a_date_in_iso_8601_is_that_of_its_cell(column, earliest, latest):
    found = read(pa.array(column, pa.string()), earliest, latest).to_pylist()
    for cell, day in zip(column, found, strict=True):
        alone = dates.parse(cell, earliest=earliest, latest=latest)
        assert day is None or alone == dates.Dated(day)
        if cell and not alone.problems and alone.value and alone.value.isoformat() == cell:
            assert day == alone.value
