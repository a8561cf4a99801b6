"""Thirty days of changes, merges, splits and unmerges, against copies saved day by day.

Every day records arrive, leave, come back and change, customers merge, split and are unmerged,
and one publish follows. A copy of what it published is kept outside the database; all that the
database later says about the past is compared with these copies.
"""

import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from warehouse import publish, restatement, staged
from warehouse.bi import install
from warehouse.restatement import ALL, CAUSES, GAINS, REGION, SOURCE, TYPE

DAYS = 30
FIRST = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
EVER = datetime(1990, 1, 1, tzinfo=UTC)
SOURCES = ("crm", "erp")
REGIONS = ("上海市", "北京市", None)
PAIRS = 40
"""How many spans of several days are restated."""


class Life:
    """Records and who is whose, changed at random from day to day."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.values = {}
        self.groups = []
        self.gone = {}
        self.merged = []
        self.numbers = itertools.count(1)
        for _ in range(18):
            self.arrive()

    def live(self):
        """One day: every act once, in any order."""
        acts = [
            self.arrive, self.leave, self.come_back, self.change, self.move, self.merge,
            self.merge, self.split, self.unmerge,
        ]  # fmt: skip
        for act in self.dice.sample(acts, len(acts)):
            act()

    def arrive(self):
        record = f"{self.dice.choice(SOURCES)}:{next(self.numbers):03d}"
        self.values[record] = {
            "name": f"N{record}",
            "region": self.dice.choice(REGIONS),
            "customer_type": self.dice.choice(["person", "organization"]),
        }
        self.groups.append({record})

    def leave(self):
        self.groups.sort(key=min)
        record = self.dice.choice(sorted(self.values))
        self.gone[record] = self.values.pop(record)
        for group in self.groups:
            group.discard(record)
        self.groups = [group for group in self.groups if group]

    def come_back(self):
        if self.gone:
            record = self.dice.choice(sorted(self.gone))
            self.values[record] = self.gone.pop(record)
            self.groups.append({record})

    def change(self):
        record = self.dice.choice(sorted(self.values))
        name = self.values[record]["name"]
        # Half of the time back to what it was: a span over both days then shows no change.
        self.values[record]["name"] = name[:-1] if name.endswith("'") else f"{name}'"

    def move(self):
        record = self.dice.choice(sorted(self.values))
        self.values[record]["region"] = self.dice.choice(REGIONS)

    def merge(self):
        self.groups.sort(key=min)
        one, other = self.dice.sample(range(len(self.groups)), 2)
        self.merged.append((set(self.groups[one]), set(self.groups[other])))
        self.groups[one] |= self.groups[other]
        del self.groups[other]

    def split(self):
        large = [group for group in sorted(self.groups, key=min) if len(group) > 1]
        if large:
            group = self.dice.choice(large)
            leaving = self.dice.choice(sorted(group))
            group.remove(leaving)
            self.groups.append({leaving})

    def unmerge(self):
        """The latest merge whose records are still together is taken back."""
        for left, right in reversed(self.merged):
            alive = left & self.values.keys(), right & self.values.keys()
            for group in self.groups:
                if all(alive) and group == alive[0] | alive[1]:
                    self.groups.remove(group)
                    self.groups += [set(alive[0]), set(alive[1])]
                    self.merged.remove((left, right))
                    return


class Days:
    """What was published on each day, as saved then."""

    def __init__(self):
        self.moments = [EVER]
        self.copies = [{}]
        self.seen = set()

    def save(self, world, moment):
        rows = read(world, "SELECT * FROM {dim_customer_pii}")
        for row in rows:
            del row["first_published_at"], row["published_at"]
        self.copies.append({row["golden_id"]: row for row in rows})
        self.moments.append(moment)
        self.seen |= self.copies[-1].keys()


def read(world, statement, **values):
    """Rows as dictionaries; {view} becomes the view's name in this database."""
    with world.wh.read() as connection:
        names = {
            name: install.sql_name(connection, name)
            for name in ("dim_customer_pii", "dim_customer_history_pii", "id_map")
        }
        found = connection.execute(sa.text(statement.format(**names)), values)
        return [dict(row._mapping) for row in found]


def put(world, life):
    """Sync both sources with the records as they are today."""
    for source in SOURCES:
        alive = {one: life.values[one] for one in sorted(life.values) if one.startswith(source)}
        table = world.records(source, {one.split(":")[1]: one for one in alive})
        for column in ("name", "region", "customer_type"):
            place = table.column_names.index(column)
            values = pa.array([each[column] for each in alive.values()], pa.string())
            table = table.set_column(place, table.schema.field(column), values)
        staged.replace(world.wh, source, table, world.findings(source), world.sync(len(alive)))


@pytest.fixture
def month(world, monkeypatch):
    """A published month and its saved copies."""
    days, life = Days(), Life(20261122)

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return FIRST + timedelta(days=len(days.copies) - 1)

    monkeypatch.setattr(publish, "datetime", Clock)
    for _ in range(DAYS):
        put(world, life)
        world.publish([sorted(group) for group in life.groups])
        days.save(world, Clock.now() + timedelta(hours=8))
        _every_id_resolves(world, days)
        life.live()
    return days


def _every_id_resolves(world, days):
    """Each id ever seen is in id_map once, and leads to a live customer or to its end."""
    rows = read(world, "SELECT * FROM {id_map}")
    assert Counter(row["golden_id"] for row in rows) == Counter(days.seen)
    live = days.copies[-1].keys()
    for row in rows:
        name, now, state = row["golden_id"], row["current_golden_id"], row["state"]
        expected = {"live": name, "ended": None}.get(state, now)
        assert now == expected
        assert (state == "live") == (name in live)
        assert state != "merged" or now in live
        assert (row["retired_at"] is None) == (state == "live")
        assert row["first_published_at"] is not None
        assert state == "live" or row["reason"]


def test_a_month_later_everything_is_as_it_was_published(world, month):
    _history_is_what_was_published(world, month)
    spans = [*itertools.pairwise(range(DAYS + 1)), (0, DAYS)]
    spans += random.Random(7).sample(list(itertools.combinations(range(DAYS + 1), 2)), PAIRS)
    met = set()
    for since, until in spans:
        made = restatement.between(world.wh, month.moments[since], month.moments[until])
        _adds_up(made, month.copies[since], month.copies[until])
        met |= {name for one in made.lines for name in CAUSES if one.causes[name]}
    assert met == set(CAUSES)


def _history_is_what_was_published(world, month):
    as_of = "SELECT * FROM {dim_customer_history_pii} WHERE valid_from <= :at AND :at < valid_to"
    for moment, copy in zip(month.moments, month.copies, strict=True):
        at = moment if world.wh.is_postgresql else f"{moment:%Y-%m-%d %H:%M:%S.%f}"
        found = read(world, as_of, at=at)
        for row in found:
            for name in ("valid_from", "valid_to", "is_current", "change"):
                del row[name]
        assert len(found) == len(copy)
        assert {row["golden_id"]: row for row in found} == copy


def _segments(copy):
    """Customers of a saved copy, counted by themselves: (dimension, segment) → how many."""
    found = Counter()
    for row in copy.values():
        found[ALL, ""] += 1
        found[TYPE, row["customer_type"]] += 1
        found[REGION, row["region"] or ""] += 1
        found.update((SOURCE, name) for name in row["sources"].split("; "))
    return found


def _adds_up(made, before, after):
    counted = _segments(before), _segments(after)
    for line in made.lines:
        key = (line.dimension, line.segment)
        gained = sum(line.causes[name] for name in GAINS)
        lost = sum(line.causes[name] for name in CAUSES if name not in GAINS)
        assert line.before == counted[0][key]
        assert line.after == counted[1][key] == line.before + gained - lost
    assert counted[0].keys() | counted[1].keys() <= {
        (line.dimension, line.segment) for line in made.lines
    }
    assert {one.golden_id for one in made.moved} == before.keys() ^ after.keys()
    assert {one.golden_id for one in made.moved if one.cause in GAINS} == (
        after.keys() - before.keys()
    )
    both = before.keys() & after.keys()
    assert made.changed == sum(before[name] != after[name] for name in both)
    total = made.total
    assert total.causes["moved_in"] == total.causes["moved_out"] == 0
