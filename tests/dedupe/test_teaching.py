"""Asking for the labels that teach most."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dedupe.labels import SCHEMA
from dedupe.teaching import teaching


def pairs(*rows: tuple[str, str, bool]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table(dict(zip(SCHEMA.names, columns, strict=True)), schema=SCHEMA)


def scored(levels: list[list[int]], probability: list[float], veto: list | None = None) -> pa.Table:
    count = len(levels)
    return pa.table(
        {
            "left_id": [f"a:{i}" for i in range(count)],
            "right_id": [f"b:{i}" for i in range(count)],
            "veto": pa.array(veto or [None] * count, pa.string()),
            "name_level": pa.array([row[0] for row in levels], pa.int8()),
            "phone_level": pa.array([row[1] for row in levels], pa.int8()),
            "probability": probability,
        }
    )


def test_uncertain_common_patterns_are_asked_first_and_each_once() -> None:
    table = scored(
        [[3, 3]] * 40 + [[1, 1]] * 30 + [[2, 0]] * 2, [0.99] * 40 + [0.5] * 30 + [0.5] * 2
    )
    chosen = teaching(table, pairs(), 3)
    found = [(row["name_level"], row["phone_level"]) for row in chosen.to_pylist()]
    assert found == [(1, 1), (3, 3), (2, 0)] or found == [(1, 1), (2, 0), (3, 3)]


def test_what_was_labeled_is_not_asked_again_and_its_likes_wait() -> None:
    table = scored([[1, 1], [1, 1], [1, 2], [0, 3]], [0.5, 0.5, 0.5, 0.5])
    known = pairs(("a:0", "b:0", True))
    chosen = teaching(table, known, 4)["left_id"].to_pylist()
    assert "a:0" not in chosen
    assert chosen[0] == "a:3"
    assert set(chosen) == {"a:1", "a:2", "a:3"}


def test_vetoed_pairs_are_never_asked() -> None:
    table = scored([[1, 1], [1, 2]], [0.5, 0.5], ["branch", None])
    assert teaching(table, pairs(), 5)["left_id"].to_pylist() == ["a:1"]


def test_nothing_to_ask_gives_no_pairs() -> None:
    assert teaching(scored([], []), pairs(), 5).num_rows == 0


@given(st.permutations(range(12)))
def test_the_order_of_the_pairs_does_not_change_which_patterns_are_asked(order: list[int]) -> None:
    generator = np.random.default_rng(3)
    levels = generator.integers(-1, 3, size=(12, 2)).tolist()
    table = scored(levels, generator.random(12).tolist())

    def asked(rows: pa.Table) -> list[tuple[int, int]]:
        chosen = teaching(rows, pairs(), 4)
        return [(r["name_level"], r["phone_level"]) for r in chosen.to_pylist()]

    assert asked(table) == asked(table.take(pa.array(order)))
