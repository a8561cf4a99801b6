"""A customer file of people with addresses, of any size, whose truth is known.

    python -m benchmarks.people --records 100000 --seed 7 --out DIR

Writes DIR/people.parquet (what a matcher may see), DIR/truth.parquet (record_id,
entity_id) and DIR/hard_negatives.parquet (entity_a, entity_b, kind: people who
look alike and differ). The same seed and size give the same file. Everybody in
it is invented; see population.py. A million records take about half a minute.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import slips
from benchmarks.population import Population, populate, streets

RECORDS_PER_PERSON = np.array([0.70, 0.20, 0.06, 0.025, 0.015])
"""Share of people with 1, 2, ... records; the mean is 1.46."""


@dataclass(frozen=True)
class Rates:
    """Share of records, 0..1, with each gap or slip.

    Attributes:
        no_*: the field is empty.
        middle_initial, middle_full: how a middle name is written; else it is left out.
        short_name, given_initial: "Bill", "W.".
        given_typo, family_typo, misread: slips in names.
        swapped: given and family name in each other's column.
        suffix: share of fathers and sons written with Sr or Jr.
        former: share of records of a person who moved, married or has a new phone that
            still say the former.
        landline, work: share of records with the home's or employer's number, where there is one.
        upper, lower: records all in one case.
    """

    no_given: float = 0.005
    no_birth: float = 0.15
    no_phone: float = 0.22
    no_email: float = 0.25
    no_address: float = 0.05
    no_town: float = 0.02
    no_postal_code: float = 0.05
    middle_initial: float = 0.3
    middle_full: float = 0.2
    short_name: float = 0.08
    given_initial: float = 0.02
    given_typo: float = 0.03
    family_typo: float = 0.03
    misread: float = 0.01
    swapped: float = 0.01
    suffix: float = 0.35
    former: float = 0.4
    landline: float = 0.25
    work: float = 0.3
    birth_slip: float = 0.035
    phone_slip: float = 0.015
    email_slip: float = 0.01
    street_slip: float = 0.03
    postal_code_slip: float = 0.02
    upper: float = 0.06
    lower: float = 0.02


@dataclass(frozen=True)
class People:
    """A file and its truth.

    Attributes:
        records: record_id, first_name, middle_name, last_name, birth_date (ISO), street_address,
            city, state, postcode, phone, email; text, null where missing.
        truth: record_id, entity_id.
        hard_negatives: entity_a, entity_b, kind.
    """

    records: pa.Table
    truth: pa.Table
    hard_negatives: pa.Table


def make(records: int, seed: int, rates: Rates | None = None) -> People:
    """Exactly ``records`` records, in random order."""
    population_seed, record_seed = np.random.SeedSequence(seed).spawn(2)
    rng = np.random.default_rng(record_seed)
    mean = float(RECORDS_PER_PERSON @ np.arange(1, len(RECORDS_PER_PERSON) + 1))
    people = int(records / mean * 1.05) + 10
    made = populate(people, population_seed)
    count = 1 + rng.choice(len(RECORDS_PER_PERSON), size=people, p=RECORDS_PER_PERSON)
    person = np.repeat(np.arange(people), count)[:records]
    if len(person) < records:
        person = np.append(person, rng.integers(0, people, records - len(person)))
    rng.shuffle(person)
    columns = _columns(made, person, rates or Rates(), rng)
    ids = np.array([f"R{n:08d}" for n in range(records)], dtype=object)
    entity = np.array([f"P{n:08d}" for n in range(people)], dtype=object)
    table = {name: pa.array(v, pa.string(), mask=v == "") for name, v in columns.items()}
    here = np.zeros(people, dtype=bool)
    here[person] = True
    negatives = made.hard_negatives
    left, right = negatives["left"].to_numpy(), negatives["right"].to_numpy()
    both = here[left] & here[right]
    return People(
        records=pa.table({"record_id": pa.array(ids, pa.string()), **table}),
        truth=pa.table({"record_id": ids, "entity_id": entity[person]}),
        hard_negatives=pa.table(
            {
                "entity_a": pa.array(entity[left[both]], pa.string()),
                "entity_b": pa.array(entity[right[both]], pa.string()),
                "kind": pa.array(negatives["kind"].to_numpy()[both], pa.string()),
            }
        ),
    )


def _columns(
    made: Population, person: np.ndarray, rates: Rates, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Column name → one text per record, '' for missing."""
    total = len(person)

    def hit(share: float) -> np.ndarray:
        return rng.random(total) < share

    family, former = made.family[person], made.former_family[person]
    family = np.where((former != "") & hit(rates.former), former, family)
    given = slips.change(made.given[person], rates.short_name, rng, slips.short)
    given = slips.change(given, rates.given_typo, rng, slips.typo)
    given = slips.change(given, rates.misread, rng, slips.misread)
    given = slips.change(given, rates.given_initial, rng, slips.initial)
    given = slips.blank(given, rates.no_given, rng)
    family = slips.change(family, rates.family_typo, rng, slips.typo)
    family = slips.change(family, rates.misread, rng, slips.misread)
    suffix = made.suffix[person]
    family = np.where((suffix != "") & hit(rates.suffix), family + " " + suffix, family)
    swapped = hit(rates.swapped)
    given, family = np.where(swapped, family, given), np.where(swapped, given, family)
    middle = slips.change(made.middle[person], 1.0, rng, _middle(rates))

    birth = np.datetime_as_string(made.birth[person]).astype(object)
    birth = slips.change(birth, rates.birth_slip, rng, slips.date)
    birth = slips.blank(birth, rates.no_birth, rng)

    old = made.former_home[person]
    home = np.where((old >= 0) & hit(rates.former), old, made.home[person])
    address = _addresses(made, home, rates, rng)

    mobile, before = made.mobile[person], made.former_mobile[person]
    phone = np.where((before != "") & hit(rates.former), before, mobile)
    landline, work = made.homes.landline[home], made.work[person]
    phone = np.where((landline != "") & (hit(rates.landline) | (phone == "")), landline, phone)
    phone = np.where((work != "") & hit(rates.work), work, phone)
    phone = slips.change(phone, rates.phone_slip, rng, slips.digits)
    phone = slips.change(phone, 1.0, rng, slips.phone)

    email, other = made.email[person], made.other_email[person]
    email = np.where((other != "") & hit(0.4), other, email)
    email = slips.change(email, rates.email_slip, rng, slips.typo)
    columns = {
        "first_name": given,
        "middle_name": middle,
        "last_name": family,
        "birth_date": birth,
        **address,
        "phone": slips.blank(phone, rates.no_phone, rng),
        "email": slips.blank(email, rates.no_email, rng),
    }
    upper, lower = hit(rates.upper), hit(rates.lower)
    for name in ("first_name", "middle_name", "last_name", "street_address", "city"):
        values = columns[name].copy()
        values[upper] = [value.upper() for value in values[upper]]
        values[lower] = [value.lower() for value in values[lower]]
        columns[name] = values
    return columns


def _middle(rates: Rates) -> Callable[[str, float, float], str]:
    def written(value: str, where: float, what: float) -> str:
        if where < rates.middle_initial:
            return slips.initial(value, where, what)
        return value if where < rates.middle_initial + rates.middle_full else ""

    return written


def _addresses(
    made: Population, home: np.ndarray, rates: Rates, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    homes = made.homes
    total = len(home)
    names = streets()[0]
    lines = np.array(
        [
            slips.street(*parts)
            for parts in zip(
                homes.number[home].tolist(),
                names[homes.street[home]],
                homes.type[home].tolist(),
                homes.unit[home],
                rng.random(total).tolist(),
                rng.random(total).tolist(),
                strict=True,
            )
        ],
        dtype=object,
    )
    lines = slips.change(lines, rates.street_slip, rng, slips.typo)
    code = slips.change(homes.postal_code[home], rates.postal_code_slip, rng, slips.digits)
    columns = {
        "street_address": lines,
        "city": slips.blank(homes.town[home], rates.no_town, rng),
        "state": homes.state[home],
        "postcode": slips.blank(code, rates.no_postal_code, rng),
    }
    without = rng.random(total) < rates.no_address
    return {name: np.where(without, "", values) for name, values in columns.items()}


def write(people: People, folder: Path) -> None:
    """Write the three tables into a folder, making it."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(people.records, folder / "people.parquet")
    pq.write_table(people.truth, folder / "truth.parquet")
    pq.write_table(people.hard_negatives, folder / "hard_negatives.parquet")


def main() -> None:
    """Make the file that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    people = make(arguments.records, arguments.seed)
    write(people, arguments.out)
    persons = len(pd.unique(people.truth.column("entity_id").to_numpy(zero_copy_only=False)))
    print(f"{people.records.num_rows:,} records of {persons:,} people in {arguments.out}")


if __name__ == "__main__":
    main()
