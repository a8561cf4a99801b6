"""A publish: whole or not at all, only what differs, and ids that last."""

import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedupe.identity import assign
from dedupe.survivorship import Consolidated, Policy, consolidate
from onefold.errors import PublishError
from warehouse import golden_tables, publish, staged_records
from warehouse.tables import (
    crosswalk,
    customer_relation,
    golden_customer,
    golden_customer_history,
    golden_field,
    lineage_event,
    merge_suggestion,
    publish_run,
    redirect,
)

ONE, TWO, THREE, FOUR = (f"G{number:010d}" for number in (1, 2, 3, 4))


def _golden(world):
    return {row["golden_id"]: row for row in world.rows(golden_customer)}


def _crosswalk(world):
    return {row["record_id"]: row["golden_id"] for row in world.rows(crosswalk)}


def _events(world, publish_id):
    return {
        (row["event"], row["golden_id"], row["other_golden_id"])
        for row in world.rows(lineage_event)
        if row["publish_id"] == publish_id
    }


def test_first_publish_has_every_record_in_one_customer(world):
    world.put("erp", {"1": "张伟", "2": "Ann Lee"})
    world.put("crm", {"a:b": "张伟"})
    done = world.publish([["erp:1", "crm:a:b"], ["erp:2"]])
    assert (done.written, done.golden) == (True, 2)
    assert done.count("golden_customer", "added") == 2
    found = _crosswalk(world)
    assert found["erp:1"] == found["crm:a:b"] != found["erp:2"]
    customer = _golden(world)[found["erp:1"]]
    assert customer["name"] == "张伟"
    assert (customer["record_count"], customer["source_count"]) == (2, 2)
    assert customer["sources"] == ["crm", "erp"]
    assert customer["phones"] == ["+8613800138000"]
    keys = {(row["source"], row["source_key"]) for row in world.rows(crosswalk)}
    assert keys == {("erp", "1"), ("erp", "2"), ("crm", "a:b")}


def test_golden_customers_can_be_compared_whole(world):
    """BI tools group by every column; PostgreSQL's json type has no equality."""
    world.put("erp", {"1": "a"})
    world.publish([["erp:1"]])
    with world.wh.read() as connection:
        found = connection.execute(sa.select(golden_customer).distinct()).one()
    assert found.attributes == {"tier": "gold"}


def test_every_golden_value_names_its_record_and_rule(world):
    world.put("erp", {"1": "张伟", "2": "Ann Lee"}, city="杭州市")
    world.publish([["erp:1"], ["erp:2"]])
    fields = {}
    for row in world.rows(golden_field):
        fields.setdefault(row["golden_id"], set()).add(row["field"])
        assert row["rule"]
        assert f"{row['source']}:{row['source_key']}" in _crosswalk(world)
    counted = {*golden_tables.GOLDEN} - {"record_count", "source_count", "sources"}
    for golden_id, customer in _golden(world).items():
        shown = {name for name in counted if customer[name] not in (None, [])}
        assert shown == fields[golden_id]


def test_the_same_fingerprint_writes_nothing(world):
    world.put("erp", {"1": "a"})
    first = world.publish([["erp:1"]], "same")
    before = world.dump()
    again = world.publish([["erp:1"]], "same")
    assert (again.written, again.publish_id, again.golden) == (False, first.publish_id, 1)
    assert world.dump() == before
    assert publish.standing(world.wh, "same") == again
    assert publish.standing(world.wh, "other") is None


def test_equal_content_under_another_fingerprint_writes_the_run_only(world):
    world.put("erp", {"1": "a", "2": "b"})
    suggestion = {
        "left_id": "erp:1",
        "right_id": "erp:2",
        "probability": 0.7,
        "kind": "merge",
        "reason": "likely",
    }
    world.publish([["erp:1"], ["erp:2"]], suggestions=[suggestion])
    before = world.dump()
    done = world.publish([["erp:1"], ["erp:2"]], suggestions=[suggestion])
    assert done.written
    assert all(not any(counts.values()) for counts in done.counts.values())
    after = world.dump()
    assert len(after.pop("publish_run")) == len(before.pop("publish_run")) + 1
    assert after == before


def test_only_rows_that_differ_are_written(world):
    world.put("erp", {"1": "a", "2": "b", "3": "c"})
    world.publish([["erp:1"], ["erp:2"], ["erp:3"]])
    world.put("erp", {"1": "a", "2": "B", "3": "c"})
    done = world.publish([["erp:1"], ["erp:2"], ["erp:3"]])
    assert done.counts["golden_customer"] == {"added": 0, "changed": 1, "deleted": 0}
    assert not any(done.counts["golden_field"].values())
    assert not any(done.counts["crosswalk"].values())
    written = {row["golden_id"]: row["publish_id"] for row in world.rows(golden_customer)}
    assert sorted(written.values()) == ["P000001", "P000001", "P000002"]
    first, second = _golden(world)[ONE], _golden(world)[TWO]
    assert first["published_at"] == first["first_published_at"] == second["first_published_at"]
    assert second["published_at"] > second["first_published_at"]


def test_provenance_that_alone_changed_is_no_new_version(world):
    """Two records say the same; the one that gives the value goes."""
    world.put("erp", {"1": "a"}, position="x")
    world.put("crm", {"1": "a"}, position="x")
    world.publish([["erp:1", "crm:1"]])
    chosen = {row["source"] for row in world.rows(golden_field) if row["field"] == "name"}
    (gone,) = chosen
    stays = "erp" if gone == "crm" else "crm"
    world.put(stays, {"1": "a"}, position="x", updated_at=datetime(2026, 1, 1, tzinfo=UTC))
    done = world.publish([["erp:1", "crm:1"]])
    assert done.count("golden_field", "changed") > 0
    assert {row["source"] for row in world.rows(golden_field) if row["field"] == "name"} == {stays}


def test_history_keeps_every_version_without_gap(world):
    for name in ("a", "b", "c"):
        world.put("erp", {"1": name})
        world.publish([["erp:1"]])
    versions = sorted(world.rows(golden_customer_history), key=lambda row: row["valid_from"])
    assert [row["name"] for row in versions] == ["a", "b", "c"]
    assert [row["change"] for row in versions] == ["created", "changed", "changed"]
    assert [row["is_current"] for row in versions] == [False, False, True]
    assert [row["valid_to"] for row in versions] == [
        versions[1]["valid_from"],
        versions[2]["valid_from"],
        None,
    ]


def test_a_column_that_the_model_got_makes_versions_only_of_customers_with_a_value_in_it(world):
    """An older program's hashes are of fewer columns: all differ, and hardly a value does."""
    world.put(
        "erp", {"1": "张伟", "2": "b"}, attributes='{"tier": "gold", "a": "1"}', city="杭州市"
    )
    world.publish([["erp:1"], ["erp:2"]])
    before = {name: world.rows(table) for name, table in _VERSIONS.items()}
    with world.wh.write() as connection:
        connection.execute(golden_customer.update().values(content_hash="of an older model"))
        if world.wh.is_postgresql:
            connection.execute(
                golden_customer.update().values(attributes={"a": "1", "tier": "gold"})
            )
    done = world.publish([["erp:1"], ["erp:2"]])
    assert done.counts["golden_customer"] == {"added": 0, "changed": 0, "deleted": 0}
    assert {name: world.rows(table) for name, table in _VERSIONS.items()} == before
    with world.wh.write() as connection:
        connection.execute(golden_customer.update().values(content_hash="of an older model"))
        this = golden_customer.c.golden_id == TWO
        connection.execute(golden_customer.update().where(this).values(city=None))
    done = world.publish([["erp:1"], ["erp:2"]])
    assert done.counts["golden_customer"] == {"added": 0, "changed": 1, "deleted": 0}
    changed = [row for row in world.rows(golden_customer_history) if row["change"] == "changed"]
    assert [(row["golden_id"], row["publish_id"]) for row in changed] == [(TWO, done.publish_id)]


_VERSIONS = {one.name: one for one in (golden_customer, golden_customer_history, golden_field)}


def test_no_more_than_two_parts_are_held_while_customers_are_written(world):
    world.put("erp", {f"{number}": "a" for number in range(5)})
    _, identity, golden = _parts(world, [(f"erp:{number}",) for number in range(5)])
    made = []

    def parts():
        for row in range(5):
            held = golden.provenance["golden_id"]
            own = golden.provenance.filter(pc.equal(held, golden.golden["golden_id"][row]))
            made.append(weakref.ref(part := Consolidated(golden.golden.slice(row, 1), own)))
            yield part
            del part
            assert sum(one() is not None for one in made) <= 1

    assert publish.publish(world.wh, identity, parts(), _none(), "f").golden == 5
    assert len(_golden(world)) == 5


def test_merged_customers_redirect_and_chains_are_one_step(world):
    world.put("erp", {"1": "a", "2": "b", "3": "c"})
    world.publish([["erp:1"], ["erp:2"], ["erp:3"]])
    second = world.publish([["erp:1"], ["erp:2", "erp:3"]])
    assert publish.redirects(world.wh) == {THREE: TWO}
    assert _events(world, second.publish_id) == {("absorbed", THREE, TWO)}
    world.put("crm", {"1": "a", "2": "a"})
    world.publish([["erp:1", "crm:1", "crm:2"], ["erp:2", "erp:3"]])
    world.publish([["erp:1", "crm:1", "crm:2", "erp:2", "erp:3"]])
    assert publish.redirects(world.wh) == {THREE: ONE, TWO: ONE}
    assert {row["golden_id"]: row["publish_id"] for row in world.rows(redirect)} == {
        THREE: "P000002",
        TWO: "P000004",
    }


def test_a_customer_whose_records_are_gone_ends(world):
    world.put("erp", {"1": "a", "2": "b"})
    world.publish([["erp:1"], ["erp:2"]])
    world.put("erp", {"1": "a"})
    done = world.publish([["erp:1"]])
    assert publish.redirects(world.wh) == {TWO: None}
    assert _events(world, done.publish_id) == {("retired", TWO, None)}
    assert _golden(world).keys() == {ONE}
    assert _crosswalk(world) == {"erp:1": ONE}
    assert all(row["golden_id"] == ONE for row in world.rows(golden_field))
    (ended,) = [row for row in world.rows(golden_customer_history) if row["golden_id"] == TWO]
    assert not ended["is_current"]
    assert ended["valid_to"] is not None
    world.put("erp", {"1": "a", "2": "b"})
    world.publish([["erp:1"], ["erp:2"]])
    assert _golden(world).keys() == {ONE, TWO}
    assert publish.redirects(world.wh) == {}


def test_an_id_may_come_back_only_where_an_event_says_so(world):
    world.put("erp", {"1": "a", "2": "b"})
    world.publish([["erp:1"], ["erp:2"]])
    first_published = _golden(world)[TWO]["first_published_at"]
    world.publish([["erp:1", "erp:2"]])
    base = publish.read_identity(world.wh)
    pairs = pa.table({"record_id": ["erp:1", "erp:2"], "golden_id": [ONE, TWO]})
    identity = replace(
        assign(_clusters(["erp:1", "erp:2"]), base.crosswalk, base.live, base.next_number),
        crosswalk=pairs,
        redirects=pa.table(
            {"golden_id": pa.array([], pa.string()), "successor": pa.array([], pa.string())}
        ),
    )
    golden = consolidate(staged_records.read(world.wh), pairs, Policy())
    with pytest.raises(PublishError, match=f"a retired id would be used again .found {TWO}"):
        publish.publish(world.wh, identity, [golden], _none(), "f")
    told = {
        "event": "restored",
        "golden_id": TWO,
        "other_golden_id": ONE,
        "record_count": 1,
        "reason": "the merge was undone",
    }
    events = pa.Table.from_pylist([told], schema=identity.events.schema)
    publish.publish(world.wh, replace(identity, events=events), [golden], _none(), "f")
    assert publish.redirects(world.wh) == {}
    assert _golden(world)[TWO]["first_published_at"] == first_published
    changes = [
        row["change"]
        for row in sorted(world.rows(golden_customer_history), key=lambda row: row["valid_from"])
        if row["golden_id"] == TWO
    ]
    assert changes == ["created", "restored"]


def _clusters(records):
    return pa.table({"record_id": records, "cluster_id": [records[0]] * len(records)})


def _none():
    names = ["left_id", "right_id", "kind", "reason"]
    return pa.table(
        {
            **{name: pa.array([], pa.string()) for name in names},
            "probability": pa.array([], pa.float64()),
        }
    )


def _parts(world, groups=(("erp:1",), ("erp:2",))):
    base = publish.read_identity(world.wh)
    clusters = pa.table(
        {
            "record_id": [record for group in groups for record in group],
            "cluster_id": [group[0] for group in groups for _ in group],
        }
    )
    identity = assign(clusters, base.crosswalk, base.live, base.next_number)
    return base, identity, consolidate(staged_records.read(world.wh), identity.crosswalk, Policy())


def _refused(world, said, identity, golden, **more):
    before = world.dump()
    with pytest.raises(PublishError, match=said):
        publish.publish(world.wh, identity, [golden], _none(), "f", **more)
    assert world.dump() == before


def test_a_publish_in_between_is_noticed(world):
    world.put("erp", {"1": "a", "2": "b"})
    base, identity, golden = _parts(world)
    world.publish([["erp:1", "erp:2"]])
    _refused(world, "another run published meanwhile", identity, golden, base=base)


def test_records_without_a_customer_are_counted_also_where_some_are_looked_for(world):
    world.put("erp", {"1": "a", "2": "b", "3": "c"})
    world.publish([["erp:1"], ["erp:2"], ["erp:3"]])
    for among in (None, ["erp:3"], ["erp:1", "crm:9"]):
        assert publish.unlike_staged(world.wh, among and pa.array(among)) == (3, 0)
    with world.wh.write() as connection:
        connection.execute(sa.delete(crosswalk).where(crosswalk.c.source_key == "3"))
    for among in (None, ["erp:3"], ["erp:1", "erp:3"], ["erp:1"]):
        assert publish.unlike_staged(world.wh, among and pa.array(among)) == (3, 1)
    world.put("erp", {"1": "a", "2": "b"})
    world.put("crm", {"3": "c"})
    with world.wh.write() as connection:
        connection.execute(sa.delete(crosswalk).where(crosswalk.c.source_key == "2"))
    gone_and_new = pa.array(["erp:2", "erp:3", "crm:3"])
    assert publish.unlike_staged(world.wh, gone_and_new) == publish.unlike_staged(world.wh)


def test_numbers_are_never_given_out_twice(world):
    world.put("erp", {"1": "a", "2": "b"})
    world.publish([["erp:1"], ["erp:2"]])
    _, identity, golden = _parts(world)
    _refused(world, "ids would be given out twice", replace(identity, next_number=2), golden)


def test_contradictory_arguments_are_refused(world):
    world.put("erp", {"1": "a", "2": "b"})
    _, identity, golden = _parts(world)
    fewer = replace(identity, crosswalk=identity.crosswalk.slice(1))
    _refused(world, "do not name the same ids", fewer, golden)
    missing = replace(golden, golden=golden.golden.slice(1))
    _refused(world, "1 without a customer, 0 without a record", identity, missing)
    doubled = replace(golden, golden=pa.concat_tables([golden.golden, golden.golden.slice(1)]))
    _refused(world, "stands twice", identity, doubled)
    twice = pa.table({"record_id": ["erp:1", "erp:1"], "golden_id": [ONE, TWO]})
    _refused(world, "in more than one", replace(identity, crosswalk=twice), golden)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([(ONE, TWO)], "redirected that was not retired"),
        ([("G9", ONE)], "redirected that was not retired"),
        ([(TWO, FOUR)], "leads to an id that is not published"),
        ([(TWO, THREE), (THREE, TWO)], "in a circle"),
    ],
)
def test_redirects_that_lead_nowhere_are_refused(world, pairs, said):
    world.put("erp", {"1": "a", "2": "b", "3": "c"})
    world.publish([["erp:1"], ["erp:2"], ["erp:3"]])
    _, identity, golden = _parts(world, (("erp:1", "erp:2", "erp:3"),))
    table = pa.table({"golden_id": [a for a, _ in pairs], "successor": [b for _, b in pairs]})
    _refused(world, said, replace(identity, redirects=table), golden)


def test_a_live_record_cannot_drop_out(world):
    world.put("erp", {"1": "a", "2": "b"})
    world.publish([["erp:1"], ["erp:2"]])
    _, identity, golden = _parts(world, (("erp:1",),))
    _refused(world, "live records would have no golden customer .found 1 records", identity, golden)


def test_a_record_that_a_sync_brought_meanwhile_waits_for_the_next_publish(world):
    world.put("erp", {"1": "a", "2": "b"})
    base, identity, golden = _parts(world)
    world.put("erp", {"1": "a", "2": "b", "3": "c"})
    publish.publish(world.wh, identity, [golden], _none(), "f", base=base)
    assert _crosswalk(world).keys() == {"erp:1", "erp:2"}


def test_moments_rise_even_if_the_clock_was_set_back(world):
    world.put("erp", {"1": "a"})
    world.publish([["erp:1"]])
    future = datetime.now(UTC) + timedelta(days=400)
    with world.wh.write() as connection:
        connection.execute(publish_run.update().values(at=future))
        connection.execute(golden_customer_history.update().values(valid_from=future))
    world.put("erp", {"1": "b"})
    world.publish([["erp:1"]])
    before, after = sorted(world.rows(golden_customer_history), key=lambda row: row["valid_from"])
    assert before["valid_to"] == after["valid_from"] > before["valid_from"]


def _suggest(left, right, probability=0.7, kind="merge", reason="same phone"):
    return {
        "left_id": left,
        "right_id": right,
        "probability": probability,
        "kind": kind,
        "reason": reason,
    }


def test_suggestions_name_customers_and_keep_their_id(world):
    world.put("erp", {"1": "a", "2": "b", "3": "c"})
    groups = [["erp:1"], ["erp:2", "erp:3"]]
    world.publish(groups, suggestions=[_suggest("erp:1", "erp:2")])
    (first,) = world.rows(merge_suggestion)
    assert (first["left_golden_id"], first["right_golden_id"]) == (ONE, TWO)
    assert first["probability"] == 0.7
    done = world.publish(
        groups,
        suggestions=[_suggest("erp:1", "erp:2", 0.8), _suggest("erp:2", "erp:3", kind="split")],
    )
    assert done.suggestions == 2
    found = {row["kind"]: row for row in world.rows(merge_suggestion)}
    assert found["merge"]["suggestion_id"] == first["suggestion_id"]
    assert found["merge"]["since"] == first["since"] < found["split"]["since"]
    assert found["merge"]["probability"] == 0.8
    assert found["split"]["left_golden_id"] == found["split"]["right_golden_id"] == TWO
    world.publish(groups)
    assert world.rows(merge_suggestion) == []


def test_of_two_suggestions_on_one_pair_the_stronger_stands(world):
    world.put("erp", {"1": "a", "2": "b"})
    pairs = [_suggest("erp:1", "erp:2", value) for value in (0.6, 0.9, 0.7)]
    world.publish([["erp:1"], ["erp:2"]], suggestions=pairs)
    assert [row["probability"] for row in world.rows(merge_suggestion)] == [0.9]


def test_a_thousand_changed_customers_are_written_like_one(world, monkeypatch):
    """More than are read by name, were that a thousand and not fifty times as many."""
    monkeypatch.setattr("warehouse.rows.NAMED", 1000)
    count = 1005
    groups = [[f"erp:{number}"] for number in range(count)]
    world.put("erp", {str(number): "a" for number in range(count)})
    world.publish(groups)
    world.put("erp", {str(number): "b" for number in range(count)}, city="杭州市")
    done = world.publish(groups)
    assert done.counts["golden_customer"] == {"added": 0, "changed": count, "deleted": 0}
    assert done.counts["golden_field"] == {"added": count, "changed": 0, "deleted": 0}
    assert {row["city"] for row in world.rows(golden_customer)} == {"杭州市"}


NAMES = st.dictionaries(st.sampled_from("12345"), st.sampled_from(["a", "b", None]), max_size=5)
STEPS = st.lists(
    st.tuples(NAMES, st.lists(st.integers(0, 3), min_size=5, max_size=5), st.booleans()),
    min_size=1,
    max_size=4,
)


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_what_always_holds_after_any_publishes(world, steps):
    """Random syncs and random clusters, published one after another."""
    world.clear()
    ever: set[str] = set()
    for names, groups_of, repeat in steps:
        world.put("erp", names)
        groups: dict[int, list[str]] = {}
        for key in names:
            groups.setdefault(groups_of[int(key) - 1], []).append(f"erp:{key}")
        given_out = publish.read_identity(world.wh).next_number
        done = world.publish(list(groups.values()))
        current, retired = _golden(world), publish.redirects(world.wh)

        assert _crosswalk(world).keys() == {f"erp:{key}" for key in names}
        assert set(_crosswalk(world).values()) == current.keys()
        new = current.keys() - ever
        assert all(int(golden_id[1:]) >= given_out for golden_id in new)
        ever |= new
        assert ever == current.keys() | retired.keys()
        assert not current.keys() & retired.keys()
        assert all(successor is None or successor in current for successor in retired.values())

        _check_history(world, current)
        trail = {row["golden_id"] for row in world.rows(golden_field)}
        assert trail == current.keys()
        if repeat:
            before = world.dump()
            again = world.publish(list(groups.values()), _fingerprint(world, done))
            assert not again.written
            assert world.dump() == before


def _fingerprint(world, done):
    return next(
        row["fingerprint"]
        for row in world.rows(publish_run)
        if row["publish_id"] == done.publish_id
    )


def _check_history(world, current):
    versions: dict[str, list[dict]] = {}
    for row in world.rows(golden_customer_history):
        versions.setdefault(row["golden_id"], []).append(row)
    for golden_id, rows in versions.items():
        rows.sort(key=lambda row: row["valid_from"])
        for before, after in pairwise(rows):
            assert before["valid_to"] is not None
            assert before["valid_from"] < before["valid_to"] <= after["valid_from"]
        open_ones = [row for row in rows if row["valid_to"] is None]
        assert [row for row in rows if row["is_current"]] == open_ones
        assert len(open_ones) == (golden_id in current)
        for row in open_ones:
            shown = {name: row[name] for name in golden_tables.GOLDEN}
            assert shown == {name: current[golden_id][name] for name in golden_tables.GOLDEN}
    assert current.keys() <= versions.keys()


def _works_at(person: str, organization: str, record: str) -> dict[str, str]:
    return {
        "person_id": person,
        "organization_id": organization,
        "kind": "works_at",
        "basis": "employer",
        "person_record_id": record,
        "organization_record_id": "erp:2",
    }


def test_relations_are_written_where_they_differ_and_go_when_they_end(world):
    world.put("erp", {"1": "张伟", "2": "星辰科技"})
    groups = [["erp:1"], ["erp:2"]]
    world.publish(groups)
    ids = _crosswalk(world)
    link = _works_at(ids["erp:1"], ids["erp:2"], "erp:1")
    added = world.publish(groups, relations=[link])
    again = world.publish(groups, relations=[link])
    assert added.counts["customer_relation"] == {"added": 1, "changed": 0, "deleted": 0}
    assert again.counts["customer_relation"] == {"added": 0, "changed": 0, "deleted": 0}
    assert [row["basis"] for row in world.rows(customer_relation)] == ["employer"]
    world.publish(groups)
    assert world.rows(customer_relation) == []


def test_a_relation_to_an_unpublished_id_is_refused(world):
    world.put("erp", {"1": "张伟", "2": "星辰科技"})
    world.publish([["erp:1"], ["erp:2"]])
    before = world.dump()
    with pytest.raises(PublishError, match="not published"):
        world.publish([["erp:1"], ["erp:2"]], relations=[_works_at("G9999999999", "G1", "erp:1")])
    assert world.dump() == before


def test_records_that_come_back_bring_their_customers_id_back(world):
    world.put("crm", {"1": "Anna", "2": "Zoe"})
    world.publish([["crm:1"], ["crm:2"]])
    before = _live(world)
    world.put("crm", {"1": "Anna"})
    world.publish([["crm:1"]])
    assert len(_live(world)) == 1
    world.put("crm", {"1": "Anna", "2": "Zoe", "3": "Ina"})
    again = world.publish([["crm:1"], ["crm:2"], ["crm:3"]])
    assert before < _live(world)
    assert _events(world, again.publish_id) == {
        ("restored", max(before), None),
        ("created", max(_live(world)), None),
    }
    world.put("crm", {"1": "Anna"})
    world.publish([["crm:1"]])
    world.put("crm", {"1": "Anna", "2": "Zoe"})
    world.publish([["crm:1", "crm:2"]])
    assert publish.redirects(world.wh)[max(before)] == min(before)


def _live(world):
    return {row["golden_id"] for row in world.rows(golden_customer)}
