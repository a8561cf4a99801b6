"""Thirty days of changes, merges, splits, unmerges and erasures, against copies saved then.

Every day records arrive, leave, come back and change, customers merge, split and are unmerged,
and one publish follows; on some days a customer is erased, and its source keeps sending it. A
copy of what each of them left is kept outside the database; all that the database later says
about the past is compared with these copies.
"""

import itertools
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pyarrow as pa
import pytest
import sqlalchemy as sa

from onefold import keys
from rules import recognizing
from rules.customer import STAGED_SCHEMA
from warehouse import customers, erasing, erasures, publish, restatement, staged, staged_records
from warehouse.bi import install
from warehouse.moments import utc
from warehouse.restatement import ALL, CAUSES, GAINS, REGION, SOURCE, TYPE

DAYS = 30
FIRST = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
EVER = datetime(1990, 1, 1, tzinfo=UTC)
SOURCES = ("crm", "erp")
REGIONS = ("上海市", "北京市", None)
PAIRS = 40
"""How many spans of several days are restated."""
KEPT = {"golden_id", "customer_type", "region", "sources", "record_count", "source_count"}
"""What stays of the versions of an erased customer."""
COUNTED = {"email_count", "phone_count"}
"""What counts values: none, where they were erased."""


class Life:
    """Records and who is whose, changed at random from day to day."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.values = {}
        self.groups = []
        self.gone = {}
        self.merged = []
        self.asking = None
        self.erased = set()
        self.numbers = itertools.count(1)
        for _ in range(18):
            self.arrive()

    def live(self):
        """One day: every act once, in any order."""
        acts = [
            self.arrive, self.leave, self.come_back, self.change, self.move, self.merge,
            self.merge, self.split, self.unmerge, self.ask,
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

    def ask(self):
        """Now and then somebody wants to be erased, by a record that may be gone already."""
        if self.dice.random() < 0.3:
            several = [self.values.keys(), self.gone.keys(), max(self.groups, key=len)]
            known = [left for some in several if (left := some - self.erased)]
            self.asking = self.dice.choice(sorted(self.dice.choice(known)))

    def forget(self, records):
        """Erased records stay in their sources, and belong to nobody."""
        self.asking = None
        self.erased |= set(records)
        self.groups = [left for group in self.groups if (left := group - self.erased)]


class Days:
    """What stood after each publish and each erasure, as saved then."""

    def __init__(self):
        self.moments = [EVER]
        self.copies = [{}]
        self.seen = set()
        self.erased = {}
        self.names = set()
        self.were = set()

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


def put(world, life, hashed):
    """Sync both sources with the records as they are today; those that were let in."""
    known = recognizing.Suppressed(erasures.suppressions(world.wh), hashed)
    landed = set()
    for source in SOURCES:
        every = [one for one in sorted(life.values) if one.startswith(source)]
        texts = pa.array([recognizing.of_key(*one.split(":")) for one in every], pa.string())
        held = known.exact(recognizing.KEY, source).to_pylist()
        coming = zip(every, hashed(texts).to_pylist(), strict=True)
        alive = {one: life.values[one] for one, value in coming if value not in held}
        landed |= alive.keys()
        table = world.records(source, {one.split(":")[1]: one for one in alive})
        for column in ("name", "region", "customer_type"):
            place = table.column_names.index(column)
            values = pa.array([each[column] for each in alive.values()], pa.string())
            table = table.set_column(place, table.schema.field(column), values)
        staged.replace(world.wh, source, table, world.findings(source), world.sync(len(alive)))
    return landed


def erase(world, life, days, hashed):
    """Erase whoever asked, as pipelines/stages/erasing.py does."""
    states = {row["golden_id"]: row["state"] for row in read(world, "SELECT * FROM {id_map}")}
    source, key = life.asking.split(":")
    target = erasing.record(world.wh, source, key)
    names = {name for one in target.record_ids for name in (f"N{one}", f"N{one}'")}
    nothing = dict.fromkeys(STAGED_SCHEMA.names)
    said = erasing.said(world.wh, target, [nothing | {"name": name} for name in names])
    target = replace(target, said=said)
    days.names |= names
    named = erasures.named(erasures.next_id(world.wh))
    records = [tuple(one.split(":")) for one in target.record_ids]
    stored = recognizing.stored_of(named, staged_records.read(world.wh, []), records, [], hashed)
    erasures.begin(world.wh, {named: target}, {named: {}}, stored, "dpo", "asked by mail")
    erasing.from_review(world.wh, {named: target})
    erasing.from_warehouse(world.wh, {named: target}, lambda source: {})
    erasing.from_review(world.wh, {named: target})
    erasures.finish(world.wh, [named])
    life.forget(target.record_ids)
    days.were |= {states[one] for one in target.golden_ids}
    days.erased |= dict.fromkeys(target.golden_ids, erasing.warehouse_store.now())


@pytest.fixture
def month(world, monkeypatch, tmp_path):
    """A published month and its saved copies."""
    days, life = Days(), Life(20261122)
    secret = keys.Keys(keys.PrivacyPolicy.read({"key": keys.new()}), tmp_path)
    hashed = partial(secret.hash_column, purpose=recognizing.PURPOSE)
    at = FIRST

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return at

    monkeypatch.setattr(publish, "datetime", Clock)
    monkeypatch.setattr(erasing.warehouse_store, "now", Clock.now)
    for day in range(DAYS):
        at = FIRST + timedelta(days=day)
        landed = put(world, life, hashed)
        assert not landed & life.erased
        world.publish([sorted(left) for group in life.groups if (left := group & landed)])
        days.save(world, at + timedelta(hours=8))
        _every_id_resolves(world, days)
        life.live()
        if life.asking:
            at += timedelta(hours=12)
            erase(world, life, days, hashed)
            days.save(world, at + timedelta(hours=2))
            _every_id_resolves(world, days)
    assert life.erased & life.values.keys()  # their sources send them still
    return days


def _every_id_resolves(world, days):
    """Each id ever seen is in id_map once, and leads to a live customer or to its end."""
    rows = read(world, "SELECT * FROM {id_map}")
    assert Counter(row["golden_id"] for row in rows) == Counter(days.seen)
    live = days.copies[-1].keys()
    for row in rows:
        name, now, state = row["golden_id"], row["current_golden_id"], row["state"]
        expected = {"live": name, "ended": None, "erased": None}.get(state, now)
        assert now == expected
        assert (state == "erased") == (name in days.erased)
        assert (state == "live") == (name in live)
        assert state != "merged" or now in live
        assert (row["retired_at"] is None) == (state == "live")
        assert row["first_published_at"] is not None
        assert state == "live" or row["reason"]
        if state == "erased":
            assert row["reason"] == "erased on request"
            at = row["retired_at"]  # SQLite's views give text
            at = utc(datetime.fromisoformat(at) if isinstance(at, str) else at)
            assert at == days.erased[name]
            ended = customers.get(world.wh, name)
            assert ended.erased and ended.retired_at == days.erased[name]


def test_a_month_later_everything_is_as_it_was_published(world, month):
    _history_is_what_was_published(world, month)
    last = len(month.moments) - 1
    spans = [*itertools.pairwise(range(last + 1)), (0, last)]
    spans += random.Random(7).sample(list(itertools.combinations(range(last + 1), 2)), PAIRS)
    met = set()
    for since, until in spans:
        made = restatement.between(world.wh, month.moments[since], month.moments[until])
        _adds_up(made, month.copies[since], month.copies[until])
        met |= {name for one in made.lines for name in CAUSES if one.causes[name]}
    assert month.were == {"live", "merged", "ended"}
    assert met == set(CAUSES)


def _history_is_what_was_published(world, month):
    blanked = 0
    as_of = "SELECT * FROM {dim_customer_history_pii} WHERE valid_from <= :at AND :at < valid_to"
    for moment, copy in zip(month.moments, month.copies, strict=True):
        at = moment if world.wh.is_postgresql else f"{moment:%Y-%m-%d %H:%M:%S.%f}"
        found = read(world, as_of, at=at)
        for row in found:
            for name in ("valid_from", "valid_to", "is_current", "change"):
                del row[name]
        assert len(found) == len(copy)
        expected = {
            name: _blank(row)
            if name in month.erased
            # Another customer once showed the name of a record that was later taken from it.
            else {**row, "name": None if row["name"] in month.names else row["name"]}
            for name, row in copy.items()
        }
        others = [name for name, row in copy.items() if row["name"] != expected[name]["name"]]
        blanked += len(set(others) - month.erased.keys())
        assert {row["golden_id"]: row for row in found} == expected
    assert blanked


def _blank(row):
    """What stays of a customer's version once it was erased."""
    return {
        name: value if name in KEPT else 0 if name in COUNTED else None
        for name, value in row.items()
    }


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
    # Also where versions have no values any more: which were equal stays known.
    assert made.changed == sum(before[name] != after[name] for name in both)
    total = made.total
    assert total.causes["moved_in"] == total.causes["moved_out"] == 0
