"""Runs tell where every record stands, whatever came, went or moved, one sync after the other."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.position_runs import NONE, Places, found

TEXTS = st.one_of(
    st.text(max_size=4),
    st.tuples(
        st.sampled_from(["", "a.csv|", "客户.xlsx|表|", "a|b\n", "7|"]),
        st.one_of(
            st.integers(-3, 2000).map(str), st.sampled_from(["", "007", "0", "00", "+1", "9" * 13])
        ),
    ).map("".join),
)


@given(st.lists(TEXTS, max_size=20), st.integers(0, 20), st.integers(1, 20))
def test_places_are_equal_where_positions_are_and_lead_back_to_them(texts, start, size):
    places = Places()
    whole = pa.array([*texts, None], pa.string())
    chunks = [whole.slice(start, size), whole.slice(0, start), whole]
    every = [text or "" for chunk in chunks for text in chunk.to_pylist()]
    at = places.of(pa.chunked_array(chunks, pa.string()))
    assert len(at) == len(every)
    assert (
        len(set(zip(at.tolist(), every, strict=True))) == len(set(every)) == len(set(at.tolist()))
    )
    with_number = [(one, text) for one, text in zip(at, every, strict=True) if one >= 0]
    numbers = at[at >= 0]
    assert places.texts(numbers).to_pylist() == [text for _, text in with_number]
    heads, ends = places.split(numbers)
    back = places.joined(
        pa.chunked_array([heads]), pa.chunked_array([pa.array(ends).cast("string")])
    )
    assert back.tolist() == numbers.tolist()


def test_a_row_less_moves_all_below_it_in_one_run():
    places = Places()
    before = places.of(pa.chunked_array([[f"a.csv|{n}" for n in range(2, 1000) if n != 500]]))
    now = before[0] + np.arange(len(before))
    runs, alone = found(before, now, 32)
    assert (len(runs.first), alone.any()) == (1, False)
    assert (before + runs.shifts(before)).tolist() == now.tolist()
    assert (now + runs.inverse.shifts(now)).tolist() == before.tolist()


@st.composite
def _moves(draw):
    """What becomes of a file: some blocks of its rows, in some order, and rows between them."""
    cuts = draw(st.lists(st.integers(0, 60), max_size=6))
    order = draw(st.sampled_from(["kept", "turned", "mixed"]))
    return cuts, order, draw(st.randoms(use_true_random=False))


@pytest.mark.parametrize("unique", [True, False])
@given(st.data())
def test_runs_and_the_records_beside_them_tell_every_position(unique, data):
    least = data.draw(st.sampled_from([1, 2, 5]))
    rows = [("a.csv", n) for n in range(data.draw(st.integers(0, 60)))]
    rows += [("b.csv", n) for n in range(data.draw(st.integers(0, 9)))]
    stored = dict(enumerate(_texts(rows, unique)))  # record → position as staged_customer has it
    stands, alone, runs, fresh = dict(stored), {}, NONE, len(stored)
    places = Places()
    for _ in range(data.draw(st.integers(1, 4))):
        cuts, order, random = data.draw(_moves())
        ids = [*stands]
        edges = [0, *sorted(min(cut, len(ids)) for cut in cuts), len(ids)]
        blocks = [ids[a:b] for a, b in pairwise(edges)]
        if order == "turned":
            blocks.reverse()
        elif order == "mixed":
            random.shuffle(blocks)
        gone = {one for one in ids if random.random() < 0.1}
        new = range(fresh, fresh + random.randrange(4))
        changed = {one for one in ids if random.random() < 0.1}
        fresh += len(new)
        ids = [one for block in blocks for one in block if one not in gone]
        for one in new:
            ids.insert(random.randrange(len(ids) + 1), one)
        now = dict(zip(ids, _texts([("a.csv", n) for n in range(len(ids))], unique), strict=True))
        stay = [one for one in ids if one in stands and one not in changed]
        touched = [one for one in ids if one not in stay]
        alone = {one: at for one, at in alone.items() if one in set(stay)}
        rest = [one for one in stay if one not in alone]
        then = _places(places, [stands[one] for one in rest])
        later = _places(places, [now[one] for one in rest])
        runs, wrong = found(then + runs.inverse.shifts(then), later, least)
        alone = {one: now[one] for one in alone}
        alone |= {one: now[one] for one, each in zip(rest, wrong, strict=True) if each}
        stored = {one: stored[one] for one in stay} | {one: now[one] for one in touched}
        at = _places(places, [now[one] for one in touched])
        told = (runs.shifts(at) != 0) | (runs.inverse.shifts(at) != 0)
        alone |= {one: now[one] for one, each in zip(touched, told, strict=True) if each}
        stands = now
        at = _places(places, [stored[one] for one in ids])
        shift = runs.shifts(at)
        moved = places.texts((at + shift)[shift != 0]).to_pylist()
        by_run = dict(
            zip([one for one, s in zip(ids, shift, strict=True) if s], moved, strict=True)
        )
        assert {one: alone.get(one, by_run.get(one, stored[one])) for one in ids} == stands


def _texts(rows, unique):
    return [f"{head}|{number if unique else number // 2}" for head, number in rows]


def _places(places, texts):
    return places.of(pa.chunked_array([texts], pa.string()))
