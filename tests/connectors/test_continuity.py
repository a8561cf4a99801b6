"""Records of sources without a key: an edited row stays the record that it was."""

import random
from pathlib import Path

import pytest

from connectors import continuity, snapshot
from connectors.config import SourceConfig
from connectors.source import extract

HEAD = "name,phone,email,city,street,note"
PEOPLE = [
    f"Person {chr(65 + n)},1390000{n:04d},p{n}@example.com,{('Graz', 'Wien')[n % 2]},Ring {n},ok"
    for n in range(12)
]


@pytest.fixture
def sync(tmp_path: Path):
    """Sync a CSV file of these lines; gives name → key of the newest snapshot."""
    file = tmp_path / "people.csv"
    config = SourceConfig(
        name="people", connector="delimited", path=str(file), headings="auto", hold_if_shrinks_by=1
    )

    def synced(lines: list[str]) -> dict[str, str]:
        file.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
        previous = snapshot.latest(tmp_path / "lake", "people")
        found = extract(config, tmp_path / "lake", previous)
        rows = snapshot.read(found.path).to_pylist()
        keys = [row["_source_key"] for row in rows]
        assert len(set(keys)) == len(rows) == len(lines)
        return {row["name"]: row["_source_key"] for row in rows}

    return synced


def edited(line: str, **cells: str) -> str:
    values = dict(zip(HEAD.split(","), line.split(","), strict=True)) | cells
    return ",".join(values.values())


def test_a_corrected_cell_keeps_the_key_and_so_do_all_later_syncs(sync):
    before = sync(PEOPLE)
    lines = [edited(PEOPLE[0], phone="13911112222"), *PEOPLE[1:]]
    assert sync(lines) == before
    assert sync(lines[::-1]) == before
    lines = [edited(lines[0], city="Linz"), *lines[1:]]
    assert sync(lines) == before
    assert (
        sync([*lines, "Newcomer,13988887777,new@example.com,Wien,Weg 1,ok"]).items()
        >= before.items()
    )


def test_a_row_that_is_replaced_by_another_customer_is_a_new_record(sync):
    before = sync(PEOPLE)
    stranger = "Zoe,13977776666,zoe@example.com,Wien,Gasse 9,ok"
    after = sync([stranger, *PEOPLE[1:]])
    assert after.pop("Zoe") not in before.values()
    assert after.items() <= before.items()


def test_what_two_edited_rows_could_both_be_is_neither(sync):
    twins = ["A,1,x@example.com,Wien,Ring 1,s", "A,2,x@example.com,Wien,Ring 1,t"]
    before = sync([*twins, *PEOPLE])
    after = sync([edited(twins[0], phone="3", note="u"), *PEOPLE])
    assert after["A"] not in {key for name, key in before.items() if name != "A"}


def test_an_old_text_that_comes_back_beside_its_edited_row_gets_a_key_of_its_own(sync):
    before = sync(PEOPLE)
    changed = edited(PEOPLE[0], name="Person Z", phone="13911112222")
    assert sync([changed, *PEOPLE[1:]])["Person Z"] == before["Person A"]
    rows = [changed, *PEOPLE]
    after = sync(rows)
    assert after["Person Z"] == before["Person A"] != after["Person A"]
    assert sync(rows) == after


def test_exact_copies_keep_their_keys_when_one_of_them_is_edited(sync):
    before = sync([PEOPLE[0], PEOPLE[0], *PEOPLE[1:]])
    copies = before.pop("Person A")
    assert copies.endswith("-2")
    after = sync([PEOPLE[0], edited(PEOPLE[0], name="Other"), *PEOPLE[1:]])
    assert after["Person A"] == copies.removesuffix("-2")
    assert before.items() <= after.items()


def test_a_whole_new_file_is_no_edit(sync, monkeypatch):
    monkeypatch.setattr(continuity, "MOST", 5)
    before = sync(PEOPLE)
    after = sync([edited(line, phone=f"1380000{n:04d}") for n, line in enumerate(PEOPLE)])
    assert not set(after.values()) & set(before.values())


def test_keys_do_not_depend_on_the_order_of_rows(tmp_path):
    def run(order: random.Random, place: Path) -> set[tuple[str, str]]:
        place.mkdir()
        file = place / "p.csv"
        config = SourceConfig(name="p", connector="delimited", path=str(file), headings="auto")
        dice, lines = random.Random(3), list(PEOPLE)
        found = None
        for step in range(8):
            at = dice.randrange(len(lines))
            lines[at] = edited(lines[at], phone=f"1370000{step:04d}", note=str(step))
            if step % 3 == 2:
                lines[dice.randrange(len(lines))] = PEOPLE[dice.randrange(len(PEOPLE))]
            shuffled = sorted(lines)
            order.shuffle(shuffled)
            file.write_text("\n".join([HEAD, *shuffled]) + "\n", encoding="utf-8")
            found = extract(config, place / "lake", snapshot.latest(place / "lake", "p"))
        rows = snapshot.read(found.path).to_pylist()
        return {(row["_source_key"], row["_row_hash"]) for row in rows}

    assert run(random.Random(1), tmp_path / "a") == run(random.Random(2), tmp_path / "b")
