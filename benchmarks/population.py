"""An invented population: households of people with homes, phones and e-mail addresses.

What belongs here: what is true about each person. What a customer file makes of
it (gaps, slips, old addresses) stands in slips.py.

Names follow the frequencies of a census, towns those of their inhabitants, so
that namesakes are as common as in life. Phone numbers are random digits behind
real area codes (the numbers reserved for fiction are too few for a million
people); e-mail addresses end in reserved domains; postal codes lie in the range
of the state and are drawn at random.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

RESOURCES = Path(__file__).parent / "resources"
PROVIDERS = tuple(
    f"{name}.example.{top}"
    for name, top in (
        ("mail", "com"), ("post", "com"), ("inbox", "com"), ("mail", "net"), ("web", "org"),
        ("home", "net"), ("fastpost", "com"), ("cable", "net"), ("letters", "org"), ("box", "net"),
    )
)  # fmt: skip
PROVIDER_SHARES = np.array([35, 20, 14, 9, 6, 5, 4, 3, 2, 2]) / 100
NEWEST_BIRTH = np.datetime64("2006-12-31")


@dataclass(frozen=True)
class Homes:
    """Addresses, one item each: number, street (index), type (index), unit ('' for a house),
    town, state, postal_code, landline ('' if none)."""

    number: np.ndarray
    street: np.ndarray
    type: np.ndarray
    unit: np.ndarray
    town: np.ndarray
    state: np.ndarray
    postal_code: np.ndarray
    landline: np.ndarray


@dataclass(frozen=True)
class Population:
    """People, one item each; '' or -1 where there is none.

    Attributes:
        household: households share a number.
        role: 0 the head, 1 the partner, 2 and more the children.
        given, middle, family, suffix: the name; former_family before marriage.
        female: sex.
        birth: day of birth.
        home, former_home: index into homes.
        mobile, former_mobile, work: phones, ten digits; work is an employer's switchboard.
        email, other_email: addresses.
        hard_negatives: person, person, kind: people who look alike and differ.
    """

    household: np.ndarray
    role: np.ndarray
    given: np.ndarray
    middle: np.ndarray
    family: np.ndarray
    former_family: np.ndarray
    suffix: np.ndarray
    female: np.ndarray
    birth: np.ndarray
    home: np.ndarray
    former_home: np.ndarray
    mobile: np.ndarray
    former_mobile: np.ndarray
    work: np.ndarray
    email: np.ndarray
    other_email: np.ndarray
    homes: Homes
    hard_negatives: pd.DataFrame


def rows(table: str) -> list[list[str]]:
    """Rows of a table in resources, without its head."""
    lines = (RESOURCES / f"{table}.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


@cache
def names(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Names of a kind (female, male, family) and the probability of each."""
    found = [
        (name, float(share))
        for k, share, group in rows("people_names")
        if k == kind
        for name in group.split("|")
    ]
    shares = np.array([share for _, share in found])
    return np.array([name for name, _ in found], dtype=object), shares / shares.sum()


@cache
def words(kind: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Weight or full form, and words, of one kind."""
    found = [row for row in rows("people_words") if row[0] == kind]
    return tuple((head, tuple(group.split("|"))) for _, head, group in found)


@cache
def streets() -> tuple[np.ndarray, np.ndarray]:
    """What streets are named by, and the probability of each."""
    found = {name: float(weight) for weight, group in words("street") for name in group}
    shares = np.array(list(found.values()))
    return np.array(list(found), dtype=object), shares / shares.sum()


def populate(people: int, seed: np.random.SeedSequence) -> Population:
    """At least ``people`` people, in households; the surplus of the last one is cut off."""
    rng = np.random.default_rng(seed)
    household, role, heads = _households(people, rng)
    total = len(household)
    partner, child = role == 1, role >= 2
    female = rng.random(total) < 0.5
    same_sex = rng.random(total) < 0.04
    female = np.where(partner, female[heads] == same_sex, female)
    birth = _births(role, heads, rng)
    family = _draw("family", total, rng)
    own_name = partner & (rng.random(total) < 0.15)
    family = np.where((role == 0) | own_name, family, family[heads])
    given = np.where(female, _draw("female", total, rng), _draw("male", total, rng))
    share = np.where(female, 0.04, 0.14)
    named_after = (role == 2) & (female == female[heads]) & (rng.random(total) < share)
    given = np.where(named_after, given[heads], given)
    first_twin = np.flatnonzero((role[:-1] == 2) & (role[1:] == 3) & (rng.random(total - 1) < 0.15))
    birth[first_twin + 1] = birth[first_twin]
    same = first_twin[given[first_twin] == given[first_twin + 1]]
    given[same + 1] = np.where(female[same + 1], "Daisy", "Oliver")
    middle = np.where(female, _draw("female", total, rng), _draw("male", total, rng))
    middle[rng.random(total) < 0.25] = ""
    suffix = np.full(total, "", dtype=object)
    juniors = np.flatnonzero(named_after & ~female)
    suffix[juniors], suffix[heads[juniors]] = "Jr", "Sr"
    married = female & (partner | (rng.random(total) < 0.08)) & (rng.random(total) < 0.18)
    former_family = np.where(married, _draw("family", total, rng), "")

    leaves = child & (rng.random(total) < 0.55)
    first = np.flatnonzero((role == 0) | leaves)
    moved = np.flatnonzero(rng.random(total) < 0.12)
    homes = _homes(len(first) + len(moved), rng)
    home = np.full(total, -1)
    home[first] = np.arange(len(first))
    home = np.where(home >= 0, home, home[heads])
    former_home = np.full(total, -1)
    former_home[moved] = len(first) + np.arange(len(moved))

    mobile = np.where(rng.random(total) < 0.85, _phones(homes.state[home], rng), "")
    former = _phones(homes.state[home], rng)
    former_mobile = np.where((mobile != "") & (rng.random(total) < 0.12), former, "")
    email = _emails(given, family, birth, rng)
    family_email = partner & (rng.random(total) < 0.05)
    email = np.where(family_email, email[heads], email)
    other_email = np.where(rng.random(total) < 0.2, _emails(given, family, birth, rng), "")
    made = Population(
        household, role, given, middle, family, former_family, suffix, female, birth, home,
        former_home, mobile, former_mobile, _employers(total, rng), email, other_email, homes,
        pd.DataFrame(),
    )  # fmt: skip
    kinds = {
        "father_son": (heads[juniors], juniors),
        "mother_daughter": (heads[n := np.flatnonzero(named_after & female)], n),
        "twins": (first_twin, first_twin + 1),
        "namesakes_in_town": _namesakes(made),
    }
    negatives = pd.concat(
        pd.DataFrame({"left": left, "right": right, "kind": kind})
        for kind, (left, right) in kinds.items()
    )
    return Population(**{**made.__dict__, "hard_negatives": negatives.reset_index(drop=True)})


def _households(people: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Household and role of each person, and the index of the household's head."""
    count = people // 3 * 2 + 3
    while True:
        children = rng.choice(4, size=count, p=[0.85, 0.07, 0.055, 0.025])
        partner = rng.random(count) < 0.32
        size = 1 + partner + children
        if size.sum() >= people:
            break
        count = int(count * 1.2)
    start = np.cumsum(size) - size
    household = np.repeat(np.arange(count), size)
    position = np.arange(len(household)) - start[household]
    role = np.where(partner[household] | (position == 0), position, position + 1)
    return household[:people], role[:people], start[household][:people]


def _births(role: np.ndarray, heads: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Heads are adults, partners of nearly their age, children a generation younger."""
    total = len(role)
    parent = np.zeros(total, dtype=bool)
    parent[heads[role >= 2]] = True
    age = np.where(parent, 20, 0) + rng.beta(1.6, 2.2, total) * np.where(parent, 55, 75)
    days = NEWEST_BIRTH - (age * 365.25).astype("timedelta64[D]")
    near = days[heads] + rng.normal(700, 1300, total).astype("timedelta64[D]")
    younger = days[heads] + rng.integers(19 * 365, 38 * 365, total).astype("timedelta64[D]")
    days = np.where(role == 0, days, np.where(role == 1, near, younger))
    return np.minimum(days, NEWEST_BIRTH - rng.integers(0, 900, total).astype("timedelta64[D]"))


def _draw(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    values, shares = names(kind)
    return values[rng.choice(len(values), size=count, p=shares)]


def _homes(count: int, rng: np.random.Generator) -> Homes:
    towns = rows("people_towns")
    limits = {state: (int(low), int(high)) for state, low, high, _ in rows("people_states")}
    towns = [row for row in towns if row[0] in limits]
    state = np.array([row[0] for row in towns], dtype=object)
    inhabitants = np.array([int(row[1]) for row in towns])
    low = np.array([limits[s][0] * 100 for s in state])
    room = np.array([(limits[s][1] + 1) * 100 for s in state]) - low
    first = np.random.default_rng(1990).integers(0, room)  # a town's codes, whatever the seed
    town = rng.choice(len(towns), size=count, p=inhabitants / inhabitants.sum())
    codes = np.maximum(inhabitants // 30_000, 1)
    nth = (rng.random(count) * codes[town]).astype(int)
    postal_code = low[town] + (first[town] + nth) % room[town]
    values, shares = streets()
    long = rng.random(count) < 0.5
    number = np.where(long, rng.integers(100, 9999, count), rng.integers(1, 400, count))
    letters = np.array(["", "", "", "A", "B", "C"], dtype=object)
    numbers = np.array([str(n) for n in range(1, 600)], dtype=object)
    unit = numbers[(rng.beta(1, 12, count) * 598).astype(int)] + letters[rng.integers(0, 6, count)]
    types = np.array([24, 18, 14, 14, 9, 6, 3, 3, 3, 3, 2, 1]) / 100
    return Homes(
        number=number,
        street=rng.choice(len(values), size=count, p=shares),
        type=rng.choice(len(types), size=count, p=types),
        unit=np.where(rng.random(count) < 0.25, unit, ""),
        town=np.array([row[2] for row in towns], dtype=object)[town],
        state=state[town],
        postal_code=np.array([f"{code:05d}" for code in postal_code], dtype=object),
        landline=np.where(rng.random(count) < 0.4, _phones(state[town], rng), ""),
    )


def _phones(state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ten digits behind one of the state's area codes."""
    found = {name: codes.split("|") for name, _, _, codes in rows("people_states")}
    pick = rng.random(len(state))
    exchange = rng.integers(200, 999, len(state))
    line = rng.integers(0, 10_000, len(state))
    return np.array(
        [
            f"{found[s][int(p * len(found[s]))]}{e:03d}{n:04d}"
            for s, p, e, n in zip(state, pick, exchange.tolist(), line.tolist(), strict=True)
        ],
        dtype=object,
    )


def _emails(
    given: np.ndarray, family: np.ndarray, birth: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """An address for three of four people; no two people are given one address."""
    total = len(given)
    style = rng.integers(0, 5, total).tolist()
    tail = rng.integers(0, 1000, total).tolist()
    host = rng.choice(len(PROVIDERS), size=total, p=PROVIDER_SHARES).tolist()
    year = (birth.astype("datetime64[Y]").astype(int) + 1970).tolist()
    local = [
        (f"{g}.{f}", f"{g[0]}{f}{n}", f"{g}{f}", f"{f}.{g}{y % 100:02d}", f"{g}{y}")[s].lower()
        for g, f, s, n, y in zip(given, family, style, tail, year, strict=True)
    ]
    frame = pd.DataFrame({"local": local, "host": host})
    repeat = frame.groupby(["local", "host"]).cumcount().tolist()
    has = (rng.random(total) < 0.75).tolist()
    return np.array(
        [
            f"{name}{again or ''}@{PROVIDERS[h]}" if there else ""
            for name, again, h, there in zip(local, repeat, host, has, strict=True)
        ],
        dtype=object,
    )


def _employers(people: int, rng: np.random.Generator) -> np.ndarray:
    """The switchboard of one in twelve; a few are shared by hundreds."""
    count = max(people // 100, 1)
    numbers = _phones(np.full(count, "NY", dtype=object), rng)
    pick = np.minimum((rng.pareto(1.1, people) * count / 40).astype(int), count - 1)
    return np.where(rng.random(people) < 0.08, numbers[pick], "")


def _namesakes(made: Population) -> tuple[np.ndarray, np.ndarray]:
    """The first two people of one name in one town, in different households."""
    name = ["given", "family", "town", "state"]
    frame = pd.DataFrame(
        {"given": made.given, "family": made.family, "town": made.homes.town[made.home],
         "state": made.homes.state[made.home], "household": made.household}
    ).drop_duplicates()  # fmt: skip
    nth = frame.groupby(name, sort=False).cumcount()
    first, second = frame[nth == 0].reset_index(), frame[nth == 1].reset_index()
    pairs = first.merge(second, on=name, suffixes=("", "_second"))
    return pairs["index"].to_numpy(), pairs["index_second"].to_numpy()
