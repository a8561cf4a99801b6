"""Judgements: decisions that bind every later run, taken back as one, never against others."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dedupe.clusters import cluster
from dedupe.model import MatchingSettings
from onefold.errors import CaseTaken, DecisionConflict, WarehouseError
from warehouse import audit, cases, decisions, drawing, judgements, previews, publish
from warehouse.cases import Filter
from warehouse.judgements import Terms
from warehouse.review_tables import case_state, decision, judgement, second_review
from warehouse.tables import crosswalk


def doubt(left, right, probability=0.4, kind="merge"):
    return {
        "left_id": left, "right_id": right, "probability": probability, "kind": kind,
        "reason": "likely",
    }  # fmt: skip


@pytest.fixture
def queued(world):
    """One case of three customers with five records, and one of two customers."""
    world.put("erp", {str(number): f"Ann {number}" for number in range(1, 8)})
    world.publish(
        [["erp:1", "erp:2"], ["erp:3", "erp:4"], ["erp:5"], ["erp:6"], ["erp:7"]],
        suggestions=[
            doubt("erp:1", "erp:3", 0.45), doubt("erp:3", "erp:5", 0.45), doubt("erp:6", "erp:7")
        ],
    )  # fmt: skip
    return world


def _cases(world):
    return [row.case_id for row in cases.queue(world.wh, Filter(states=cases.STATES)).rows]


def _in_force(world):
    rows = decisions.read(world.wh).to_pylist()
    return {(row["kind"], row["left_id"], row["right_id"]) for row in rows}


def _state(world, case_id):
    found = {row["case_id"]: row for row in world.rows(case_state)}
    return found[case_id]["state"]


def _clusters(world, pairs=()):
    """Record → cluster, by clustering scored pairs under the decisions in force."""
    ids = [f"erp:{number}" for number in range(1, 8)]
    scored = pa.table(
        {
            "left_id": pa.array([min(a, b) for a, b, _ in pairs], pa.string()),
            "right_id": pa.array([max(a, b) for a, b, _ in pairs], pa.string()),
            "veto": pa.nulls(len(pairs), pa.string()),
            "weight_bits": pa.array([bits for *_, bits in pairs], pa.float64()),
        }
    )
    found = cluster(ids, scored, decisions.read(world.wh), MatchingSettings()).clusters
    return dict(zip(*(found[name].to_pylist() for name in found.column_names), strict=True))


def test_link_joins_all_records_of_the_case(queued):
    case_id = _cases(queued)[0]
    done = judgements.judge(queued.wh, case_id, "link", "ann", 0, reason="same person")
    assert done.state == "in_force" and len(done.decision_ids) == 4
    assert len({_clusters(queued)[f"erp:{n}"] for n in range(1, 6)}) == 1
    assert _state(queued, case_id) == "decided"
    assert [row.case_id for row in cases.queue(queued.wh).rows] == _cases(queued)[1:]
    (row,) = queued.rows(judgement)
    assert (row["judged_by"], row["reason"], row["kind"]) == ("ann", "same person", "link")
    assert sorted(map(sorted, row["evidence"]["before"].values())) == [
        ["erp:1", "erp:2"], ["erp:3", "erp:4"], ["erp:5"]
    ]  # fmt: skip
    assert {row["judgement_id"] for row in queued.rows(decision)} == {done.judgement_id}


def test_no_link_keeps_every_record_of_one_customer_from_every_record_of_another(queued):
    judgements.judge(queued.wh, _cases(queued)[0], "no_link", "ann", 0)
    customers = [["erp:1", "erp:2"], ["erp:3", "erp:4"], ["erp:5"]]
    expected = {
        ("no_link", a, b)
        for one, other in itertools.combinations(customers, 2)
        for a, b in itertools.product(one, other)
    }
    assert _in_force(queued) == expected


def test_picked_groups_are_linked_inside_and_kept_apart(queued):
    groups = [["erp:1", "erp:3"], ["erp:2", "erp:4", "erp:5"]]
    judgements.judge(queued.wh, _cases(queued)[0], "groups", "ann", 0, groups=groups)
    every = [(f"erp:{a}", f"erp:{b}", 9.0) for a in range(1, 6) for b in range(a + 1, 6)]
    found = _clusters(queued, every)
    assert found["erp:1"] == found["erp:3"] != found["erp:2"] == found["erp:4"] == found["erp:5"]


@pytest.mark.parametrize(
    "groups",
    [None, [["erp:1"]], [["erp:1", "erp:2"], ["erp:2", "erp:3", "erp:4", "erp:5"]],
     [["erp:1", "erp:2", "erp:3", "erp:4", "erp:5", "erp:6"]]],
)  # fmt: skip
def test_groups_that_are_not_the_records_each_once_are_refused(queued, groups):
    with pytest.raises(DecisionConflict, match="not its records, each once"):
        judgements.judge(queued.wh, _cases(queued)[0], "groups", "ann", 0, groups=groups)
    assert queued.rows(judgement) == queued.rows(decision) == queued.rows(case_state) == []


def test_undo_revokes_the_decisions_and_opens_the_case(queued):
    case_id = _cases(queued)[0]
    done = judgements.judge(queued.wh, case_id, "link", "ann", 0)
    assert judgements.undo(queued.wh, done.judgement_id, "bob", "wrong person") == 4
    assert _in_force(queued) == set()
    row = cases.get(queued.wh, case_id).row
    assert (row.state, row.version, row.judgement_id) == ("open", 2, None)
    assert {one["revoked_by"] for one in queued.rows(decision)} == {"bob"}
    with pytest.raises(DecisionConflict, match="undone by bob"):
        judgements.undo(queued.wh, done.judgement_id, "ann", "again")
    judgements.judge(queued.wh, case_id, "no_link", "bob", 2)
    assert {kind for kind, *_ in _in_force(queued)} == {"no_link"}


def test_undoing_one_judgement_leaves_what_another_said(queued):
    decisions.add(
        queued.wh, "link", left_id="erp:1", right_id="erp:2", reason="paper", decided_by="cy"
    )
    done = judgements.judge(queued.wh, _cases(queued)[0], "link", "ann", 0)
    assert len(done.decision_ids) == 4
    judgements.undo(queued.wh, done.judgement_id, "ann", "no")
    assert _in_force(queued) == {("link", "erp:1", "erp:2")}


def test_a_contradiction_is_refused_with_the_chain_of_earlier_decisions(queued):
    said = {"reason": "seen on paper", "decided_by": "cy"}
    one = decisions.add(queued.wh, "link", left_id="erp:2", right_id="erp:9", **said)
    two = decisions.add(queued.wh, "no_link", left_id="erp:9", right_id="erp:4", **said)
    with pytest.raises(DecisionConflict) as told:
        judgements.judge(queued.wh, _cases(queued)[0], "link", "ann", 0)
    chain = told.value.chain
    assert [(step.decision_id, step.kind, step.decided_by) for step in chain] == [
        (one, "link", "cy"), (two, "no_link", "cy")
    ]  # fmt: skip
    assert (chain[0].left_id, chain[0].right_id) == ("erp:2", "erp:9")
    assert chain[0].reason == "seen on paper" and chain[0].decided_at is not None
    assert queued.rows(judgement) == queued.rows(case_state) == []
    assert judgements.judge(queued.wh, _cases(queued)[0], "no_link", "ann", 0).state == "in_force"


def test_of_two_stewards_the_second_is_told_who_was_first(queued):
    case_id = _cases(queued)[0]
    judgements.judge(queued.wh, case_id, "link", "ann", 0)
    for version in (0, 1):
        with pytest.raises(CaseTaken, match="decided, by ann") as told:
            judgements.judge(queued.wh, case_id, "no_link", "bob", version)
        assert (told.value.by, told.value.state) == ("ann", "decided")
    assert len(queued.rows(judgement)) == 1


def test_a_case_that_a_run_settled_cannot_be_judged(queued):
    case_id = _cases(queued)[0]
    queued.publish([[f"erp:{number}"] for number in range(1, 8)])
    with pytest.raises(CaseTaken, match="settled"):
        judgements.judge(queued.wh, case_id, "link", "ann", 0)


def test_a_dear_case_waits_for_a_second_person(queued):
    case_id = _cases(queued)[0]
    done = judgements.judge(queued.wh, case_id, "link", "ann", 0, terms=Terms(0.5))
    assert (done.state, done.decision_ids, _in_force(queued)) == ("waiting", (), set())
    assert _state(queued, case_id) == "waiting"
    with pytest.raises(DecisionConflict, match="another one than the first"):
        judgements.approve(queued.wh, done.judgement_id, "ann")
    approved = judgements.approve(queued.wh, done.judgement_id, "bob")
    assert len(approved.decision_ids) == 4 and _state(queued, case_id) == "decided"
    with pytest.raises(DecisionConflict, match="does not wait"):
        judgements.refuse(queued.wh, done.judgement_id, "bob")
    cheap = judgements.judge(queued.wh, _cases(queued)[1], "link", "ann", 0, terms=Terms(0.5))
    assert cheap.state == "in_force"


def test_a_refused_judgement_decides_nothing_and_opens_the_case(queued):
    case_id = _cases(queued)[0]
    done = judgements.judge(queued.wh, case_id, "link", "ann", 0, terms=Terms(0.5))
    judgements.refuse(queued.wh, done.judgement_id, "bob")
    assert (_in_force(queued), _state(queued, case_id)) == (set(), "open")


def test_unmerge_parts_a_customer_into_groups(queued):
    golden_id = cases.get(queued.wh, _cases(queued)[0]).members[0]["golden_id"]
    with pytest.raises(DecisionConflict, match="one group only"):
        judgements.unmerge(queued.wh, golden_id, [["erp:1", "erp:2"]], "ann", reason="two people")
    done = judgements.unmerge(
        queued.wh, golden_id, [["erp:1"], ["erp:2"]], "ann", reason="two people"
    )
    assert _in_force(queued) == {("no_link", "erp:1", "erp:2")}
    with pytest.raises(DecisionConflict, match=f"already.*{done.judgement_id}"):
        judgements.unmerge(queued.wh, golden_id, [["erp:2"], ["erp:1"]], "bob", reason="twice")
    judgements.undo(queued.wh, done.judgement_id, "ann", "one after all")
    assert _in_force(queued) == set()
    judgements.unmerge(queued.wh, golden_id, [["erp:1"], ["erp:2"]], "bob", reason="two again")
    with pytest.raises(DecisionConflict, match="not live"):
        judgements.unmerge(queued.wh, "G9999999999", [["a"], ["b"]], "ann", reason="x")


def test_unknown_judgements_are_named(queued):
    with pytest.raises(WarehouseError, match="judgement J9: there is no such judgement"):
        judgements.undo(queued.wh, "J9", "ann", "why")


def test_twenty_stewards_at_once_lose_no_decision_and_decide_no_case_twice(world):
    count = 10
    world.put("erp", {str(number): f"Ann {number}" for number in range(2 * count)})
    pairs = [(f"erp:{2 * n}", f"erp:{2 * n + 1}") for n in range(count)]
    world.publish(
        [[one] for pair in pairs for one in pair], suggestions=[doubt(*pair) for pair in pairs]
    )
    queue = cases.queue(world.wh).rows

    def work(steward):
        won = []
        for row in queue[steward % count :] + queue[: steward % count]:
            try:
                done = judgements.judge(
                    world.wh, row.case_id, "link", f"s{steward}", row.version,
                    terms=Terms(blind_share=0.5),
                )  # fmt: skip
            except CaseTaken:
                continue
            won.append((row.case_id, done.judgement_id, *done.decision_ids))
        return won

    with ThreadPoolExecutor(20) as pool:
        won = [one for found in pool.map(work, range(20)) for one in found]
    assert sorted(case_id for case_id, *_ in won) == sorted(row.case_id for row in queue)
    assert {row["judgement_id"] for row in world.rows(judgement)} == {one for _, one, _ in won}
    stored = {row["decision_id"]: row["judgement_id"] for row in world.rows(decision)}
    assert stored == {decision_id: judgement_id for _, judgement_id, decision_id in won}
    drawn = {row["judgement_id"] for row in world.rows(second_review)}
    assert drawn == {one for _, one, _ in won if drawing.is_drawn(one, 0.5)} != set()


def test_an_undone_merge_gives_back_the_former_ids(queued):
    """From click to golden table and back: judged, published, undone, published."""
    six, seven = "erp:6", "erp:7"
    apart = [["erp:1", "erp:2"], ["erp:3", "erp:4"], ["erp:5"], [six], [seven]]
    before = _golden(queued)
    case_id = next(one for one in _cases(queued) if _records(queued, one) == [six, seven])
    expected = previews.of_judgement(queued.wh, case_id, "link")
    assert (expected.joined, expected.created) == ((before[seven],), 0)
    done = judgements.judge(queued.wh, case_id, "link", "ann", 0)
    queued.publish([*apart[:3], [six, seven]])
    assert _golden(queued)[seven] == _golden(queued)[six] == before[six]

    expected = previews.of_undo(queued.wh, done.judgement_id)
    assert (expected.restored, expected.created) == ((before[seven],), 0)
    parting = previews.of_unmerge(queued.wh, before[six], [[six], [seven]])
    assert parting.restored == (before[seven],) and parting.changes
    judgements.undo(queued.wh, done.judgement_id, "ann", "two people")
    queued.publish(apart)
    assert _golden(queued) == before
    assert publish.redirects(queued.wh) == {}


def _golden(world):
    return {row["record_id"]: row["golden_id"] for row in world.rows(crosswalk)}


def _records(world, case_id):
    return sorted(one["record_id"] for one in cases.get(world.wh, case_id).members)


def test_every_act_is_audited_in_its_transaction(queued):
    case_id = _cases(queued)[0]
    done = judgements.judge(queued.wh, case_id, "link", "ann", 0)
    judgements.undo(queued.wh, done.judgement_id, "bob", "no")
    with pytest.raises(CaseTaken):
        judgements.judge(queued.wh, case_id, "link", "ann", 0)
    acts = [(event.login, event.action, event.object_id) for event in audit.show(queued.wh)]
    assert acts == [("bob", "undo", done.judgement_id), ("ann", "judge", done.judgement_id)]
    assert audit.verify(queued.wh).ok


records = [f"erp:{number}" for number in range(1, 8)]
scores = st.lists(
    st.tuples(st.sampled_from(records), st.sampled_from(records), st.floats(-12, 12)),
    max_size=25,
)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_what_was_judged_holds_in_every_later_run(world, data):
    """Whatever the scores of a later run, judged records are together or apart as told."""
    world.clear()
    world.put("erp", {str(number): f"Ann {number}" for number in range(1, 8)})
    labels = data.draw(st.lists(st.integers(0, 2), min_size=7, max_size=7))
    groups = [[r for r, at in zip(records, labels, strict=True) if at == n] for n in range(3)]
    groups = [group for group in groups if group]
    if len(groups) < 2:
        groups = [records[:3], records[3:]]
    doubts = [doubt(one[0], other[0]) for one, other in itertools.pairwise(groups)]
    world.publish(groups, suggestions=doubts)
    row = cases.queue(world.wh).rows[0]
    kind = data.draw(st.sampled_from(["link", "no_link", "groups"]))
    picked = None
    if kind == "groups":
        marks = data.draw(st.lists(st.integers(0, 2), min_size=7, max_size=7))
        picked = [[r for r, at in zip(records, marks, strict=True) if at == n] for n in range(3)]
    done = judgements.judge(world.wh, row.case_id, kind, "ann", 0, groups=picked)
    seen = {}
    for left, right, bits in data.draw(scores):
        if left != right:
            seen[min(left, right), max(left, right)] = bits
    found = _clusters(world, [(*pair, bits) for pair, bits in seen.items()])
    judged = {"link": [records], "no_link": groups, "groups": picked}[kind]
    if kind != "no_link":
        for group in filter(None, judged):
            assert len({found[one] for one in group}) == 1
    for one, other in itertools.combinations(filter(None, judged), 2):
        assert {found[r] for r in one}.isdisjoint(found[r] for r in other)
    judgements.undo(world.wh, done.judgement_id, "ann", "looked again")
    assert decisions.read(world.wh).num_rows == 0
