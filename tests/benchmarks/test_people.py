from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import people, slips
from benchmarks.population import populate

SIZE = 4_000


@pytest.fixture(scope="module")
def made() -> people.People:
    return people.make(SIZE, seed=5)


def column(table: pa.Table, name: str) -> list[str | None]:
    return table.column(name).to_pylist()


def test_a_seed_decides_everything(made: people.People) -> None:
    again = people.make(SIZE, seed=5)
    assert again.records.equals(made.records)
    assert again.truth.equals(made.truth)
    assert again.hard_negatives.equals(made.hard_negatives)


def test_another_seed_gives_other_people(made: people.People) -> None:
    other = people.make(SIZE, seed=6)
    shared = set(column(other.records, "email")) & set(column(made.records, "email"))
    assert len(shared - {None}) < SIZE / 20


@pytest.mark.parametrize("records", [1, 2, 50, 333])
def test_a_file_has_exactly_the_records_asked_for(records: int) -> None:
    small = people.make(records, seed=1)
    assert small.records.num_rows == small.truth.num_rows == records
    assert len(set(column(small.records, "record_id"))) == records


def test_every_record_has_a_truth(made: people.People) -> None:
    assert column(made.records, "record_id") == column(made.truth, "record_id")
    assert None not in column(made.truth, "entity_id")


def test_a_person_has_one_and_a_half_records_on_average(made: people.People) -> None:
    sizes = Counter(column(made.truth, "entity_id")).values()
    assert 1.35 < np.mean(list(sizes)) < 1.6
    assert max(sizes) == len(people.RECORDS_PER_PERSON)


def test_records_of_a_person_agree_more_than_those_of_others(made: people.People) -> None:
    birth = dict(
        zip(column(made.truth, "record_id"), column(made.records, "birth_date"), strict=True)
    )
    members: dict[str | None, list[str | None]] = {}
    for record, entity in zip(
        column(made.truth, "record_id"), column(made.truth, "entity_id"), strict=True
    ):
        if birth[record]:
            members.setdefault(entity, []).append(birth[record])
    pairs = [group[:2] for group in members.values() if len(group) > 1]
    same = np.mean([a == b for a, b in pairs])
    mixed = np.mean([a[0] == b[1] for a, b in pairwise(pairs)])
    assert same > 0.85
    assert mixed < 0.02


def test_hard_negatives_are_two_people_of_the_file(made: people.People) -> None:
    known = set(column(made.truth, "entity_id"))
    pairs = list(
        zip(
            column(made.hard_negatives, "entity_a"),
            column(made.hard_negatives, "entity_b"),
            strict=True,
        )
    )
    assert pairs
    assert all(a != b and a in known and b in known for a, b in pairs)
    assert {"father_son", "twins"} <= set(column(made.hard_negatives, "kind"))


def test_twins_share_birth_date_and_parents_but_no_given_name() -> None:
    population = populate(SIZE, np.random.SeedSequence(3))
    twins = population.hard_negatives.query("kind == 'twins'")
    assert len(twins)
    for left, right in zip(twins["left"], twins["right"], strict=True):
        assert population.birth[left] == population.birth[right]
        assert population.household[left] == population.household[right]
        assert population.given[left] != population.given[right]


def test_fathers_and_sons_share_the_name_and_not_the_birth_date() -> None:
    population = populate(SIZE, np.random.SeedSequence(3))
    pairs = population.hard_negatives.query("kind == 'father_son'")
    assert len(pairs)
    for father, son in zip(pairs["left"], pairs["right"], strict=True):
        assert population.given[father] == population.given[son]
        assert population.birth[father] < population.birth[son]
        assert (population.suffix[father], population.suffix[son]) == ("Sr", "Jr")


def test_family_names_are_as_skewed_as_in_the_census() -> None:
    population = populate(30_000, np.random.SeedSequence(3))
    smith = np.mean(population.family == "Smith")
    assert 0.008 < smith < 0.017


def test_gaps_are_as_many_as_asked_for(made: people.People) -> None:
    rates = people.Rates()
    empty = made.records.column("birth_date").null_count / SIZE
    assert abs(empty - rates.no_birth) < 0.03
    none = people.make(500, seed=2, rates=people.Rates(no_birth=0.0))
    assert none.records.column("birth_date").null_count == 0


def test_no_cell_is_an_empty_text(made: people.People) -> None:
    assert not any("" in column(made.records, name) for name in made.records.column_names)


def test_a_slip_changes_the_text_and_keeps_it_filled() -> None:
    rng = np.random.default_rng(4)
    for where, what in rng.random((300, 2)).tolist():
        assert slips.digits("2125550147", where, what).isdigit()
        assert 0 < len(slips.typo("Li", where, what)) <= 3
        assert slips.date("1980-03-05", where, what)


def test_the_tables_are_written(made: people.People, tmp_path: Path) -> None:
    people.write(made, tmp_path / "new")
    assert pq.read_table(tmp_path / "new" / "people.parquet").equals(made.records)
    assert pq.read_table(tmp_path / "new" / "truth.parquet").num_rows == SIZE
