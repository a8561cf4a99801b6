"""Keys are found wherever they stand, in order or not."""

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from connectors.key_places import places


@given(
    st.integers(0, 200),
    st.sets(st.integers(0, 199)),
    st.sets(st.integers(0, 199)),
    st.lists(st.integers(-3, 205), max_size=9),
    st.integers(0, 50),
)
def test_keys_are_found_as_by_looking_up_each(size, gone, late, others, cut):
    among = [f"R{number}" for number in range(size)]
    stay = [key for number, key in enumerate(among) if number not in gone]
    moved = [f"R{number}" for number in late]
    keys = [*stay[:cut], *(f"R{number}" for number in others), *stay[cut:], *moved]
    keys = [*dict.fromkeys(keys)]
    halves = pa.chunked_array([keys[:cut], keys[cut:]], pa.string())
    found = places(halves, pa.chunked_array([among], pa.string()))
    expected = pc.index_in(pa.array(keys, pa.string()), value_set=pa.array(among, pa.string()))
    assert found.equals(expected)
