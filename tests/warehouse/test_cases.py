"""The queue: what a publish puts in it, in which order it is read, and what leaves it."""

from datetime import UTC, datetime

import pytest

from dedupe import cases as making
from dedupe.suggestions import SPLITS_RIGHT
from onefold.errors import CaseTaken, DecisionConflict, WarehouseError
from warehouse import case_states, cases
from warehouse.cases import Filter
from warehouse.tables import case_member, review_case


def doubt(left, right, probability=0.4, kind="merge", reason="likely"):
    return {
        "left_id": left,
        "right_id": right,
        "probability": probability,
        "kind": kind,
        "reason": reason,
    }


@pytest.fixture
def queued(world):
    """Four cases: two pairs of customers, one of three customers, one split."""
    world.put("erp", {str(number): f"Ann {number}" for number in range(1, 9)})
    world.put("crm", {"1": "Ann 1", "2": "Ann 7", "3": "Ann 5", "4": "Ann 9"})
    groups = [["erp:1", "crm:1"], ["erp:2"], ["erp:3"], ["erp:4"], ["erp:5"], ["erp:6"]]
    groups += [["erp:7", "erp:8", "crm:2"], ["crm:3"], ["crm:4"]]
    world.publish(
        groups,
        suggestions=[
            doubt("erp:1", "erp:2", 0.45),
            doubt("erp:3", "erp:4", 0.31, reason="birth_date"),
            doubt("erp:5", "erp:6", 0.48),
            doubt("erp:5", "crm:3", 0.33),
            doubt("erp:7", "erp:8", 0.05, kind="split", reason="inside"),
        ],
    )
    return world


def _titles(world, **wanted):
    return [row.title for row in cases.queue(world.wh, Filter(**wanted)).rows]


def test_customers_that_suggestions_connect_are_one_case(queued):
    rows = {row.title: row for row in cases.queue(queued.wh).rows}
    assert len(rows) == 4
    three = rows["Ann 5"]
    assert (three.kind, three.customer_count, three.record_count) == ("merge", 3, 3)
    assert three.probability == 0.33 and three.band == 3  # of the joint that is least sure
    assert three.sources == ["crm", "erp"]
    assert rows["Ann 7"].kind == "split" and rows["Ann 7"].customer_count == 1


def test_the_queue_has_the_highest_expected_cost_first_and_pages_without_gaps(queued):
    everything = cases.queue(queued.wh).rows
    costs = [row.expected_cost for row in everything]
    assert costs == sorted(costs, reverse=True)
    found, after = [], None
    while True:
        page = cases.queue(queued.wh, after=after, limit=1)
        found += page.rows
        after = page.after
        if after is None:
            break
    assert found == everything
    ids = [row.case_id for row in everything]
    assert cases.ids(queued.wh, Filter()) == ids
    assert cases.neighbors(queued.wh, Filter(), everything[1].place) == (ids[0], ids[2])
    assert cases.neighbors(queued.wh, Filter(), everything[0].place) == (None, ids[1])


def test_a_split_is_as_likely_as_its_suggestions_prove_wrong_and_ranks_with_merges(queued):
    rows = {row.title: row for row in cases.queue(queued.wh).rows}
    split, merge = rows["Ann 7"], rows["Ann 3"]
    assert split.probability == pytest.approx(1 - SPLITS_RIGHT), "not that of its weakest pair"
    assert split.expected_cost > merge.expected_cost, "three records in two sources are at stake"


def test_filters_choose_cases(queued):
    assert _titles(queued, kind="split") == ["Ann 7"]
    assert _titles(queued, reason="birth_date") == ["Ann 3"]
    assert set(_titles(queued, source="crm")) == {"Ann 1", "Ann 5", "Ann 7"}
    assert set(_titles(queued, low=0.32, high=0.5)) == {"Ann 1", "Ann 5"}
    assert set(_titles(queued, band=3)) == {"Ann 3", "Ann 5"}
    assert _titles(queued, customer_type="organization") == []
    first = cases.queue(queued.wh).rows[0]
    assert _titles(queued, before=first.since) == []
    assert len(_titles(queued, before=first.since.replace(year=first.since.year + 1))) == 4


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(source="crm"),
        Filter(source="erp", kind="merge"),
        Filter(customer_type="person"),
        Filter(reason="likely", source="crm", band=4),
        Filter(before=datetime(2999, 1, 1, tzinfo=UTC)),
        Filter(before=datetime(1999, 1, 1, tzinfo=UTC)),
    ],
)
def test_many_cases_and_few_are_listed_alike(queued, wanted, monkeypatch):
    few = cases.queue(queued.wh, wanted).rows
    monkeypatch.setattr(cases, "_FEW", -1)
    many = cases.queue(queued.wh, wanted).rows
    assert many == few
    assert cases.count(queued.wh, wanted) == len(few)
    for row in many:
        walked = cases.neighbors(queued.wh, wanted, row.place)
        with monkeypatch.context() as patched:
            patched.setattr(cases, "_FEW", 2000)
            assert cases.neighbors(queued.wh, wanted, row.place) == walked
    if many[1:]:
        assert cases.queue(queued.wh, wanted, after=many[0].place).rows == many[1:]


def test_a_filter_comes_back_from_json():
    wanted = Filter(kind="merge", states=("open", "unsure"), low=0.3)
    assert Filter.of(wanted.plain()) == wanted


def test_bands_count_open_cases_and_tell_what_the_model_expects(queued):
    found = {band.band: band for band in cases.bands(queued.wh)}
    assert {band: one.cases for band, one in found.items()} == {3: 2, 4: 1, 6: 1}
    assert found[3].expected == pytest.approx((0.31 + 0.33) / 2)


def test_skipped_and_unsure_cases_leave_the_open_queue_and_come_by_asking(queued):
    one, two = cases.queue(queued.wh).rows[:2]
    assert case_states.mark(queued.wh, one.case_id, "skipped", "ann", one.version) == 1
    case_states.mark(queued.wh, two.case_id, "unsure", "bob", two.version)
    assert len(cases.queue(queued.wh).rows) == 2
    skipped = cases.queue(queued.wh, Filter(states=("skipped",))).rows
    assert [(row.case_id, row.changed_by, row.version) for row in skipped] == [
        (one.case_id, "ann", 1)
    ]
    assert cases.counts(queued.wh) == {
        "open": 2, "skipped": 1, "unsure": 1, "waiting": 0, "decided": 0
    }  # fmt: skip
    case_states.mark(queued.wh, one.case_id, "open", "ann", 1)
    assert len(cases.queue(queued.wh).rows) == 3


def test_of_two_writers_the_second_is_told_who_was_first(queued):
    row = cases.queue(queued.wh).rows[0]
    case_states.assign(queued.wh, row.case_id, "bob", "ann", 0)
    with pytest.raises(CaseTaken, match="open, by ann") as told:
        case_states.mark(queued.wh, row.case_id, "skipped", "bob", 0)
    assert (told.value.by, told.value.state) == ("ann", "open") and told.value.at is not None


def test_cases_are_found_by_assignee(queued):
    first, second, *_ = cases.queue(queued.wh).rows
    case_states.assign(queued.wh, first.case_id, "bob", "ann", 0)
    case_states.assign(queued.wh, second.case_id, "ann", "ann", 0)
    for assignee, login, expected in (("bob", None, first), ("me", "ann", second)):
        rows = cases.queue(queued.wh, Filter(assignee=assignee), login=login).rows
        assert [row.case_id for row in rows] == [expected.case_id]
    assert len(cases.queue(queued.wh, Filter(assignee="nobody")).rows) == 2


def test_a_case_shows_its_records_in_full_and_what_was_said(queued):
    row = cases.queue(queued.wh, Filter(source="crm", band=4)).rows[0]
    case_states.comment(queued.wh, row.case_id, " looks right ", "ann")
    found = cases.get(queued.wh, row.case_id)
    assert found.groups() == [["crm:1", "erp:1"], ["erp:2"]]
    assert [member["name"] for member in found.members] == ["Ann 1", "Ann 1", "Ann 2"]
    assert found.members[0]["phones"] == ["+8613800138000"]
    assert [(one["said"], one["said_by"]) for one in found.comments] == [("looks right", "ann")]
    assert (found.judgements, found.evidence) == ([], None)
    with pytest.raises(DecisionConflict, match="says nothing"):
        case_states.comment(queued.wh, row.case_id, "  ", "ann")
    with pytest.raises(WarehouseError, match="no such case"):
        cases.get(queued.wh, "C0")


def test_the_same_doubts_keep_their_cases_and_write_no_row(world):
    world.put("erp", {"1": "a", "2": "b", "3": "c"})
    groups, doubts = [["erp:1"], ["erp:2"], ["erp:3"]], [doubt("erp:1", "erp:2")]
    world.publish(groups, suggestions=doubts)
    before = world.rows(review_case), world.rows(case_member)
    again = world.publish(groups, suggestions=doubts)
    assert (world.rows(review_case), world.rows(case_member)) == before
    assert not any(again.counts["review_case"].values())


def test_a_case_that_a_run_settled_disappears_and_its_state_stays(world):
    world.put("erp", {"1": "a", "2": "b"})
    groups = [["erp:1"], ["erp:2"]]
    world.publish(groups, suggestions=[doubt("erp:1", "erp:2")])
    row = cases.queue(world.wh).rows[0]
    case_states.mark(world.wh, row.case_id, "unsure", "ann", 0)
    world.publish(groups)
    assert world.rows(review_case) == world.rows(case_member) == []
    world.publish(groups, suggestions=[doubt("erp:1", "erp:2", 0.44)])
    back = cases.queue(world.wh, Filter(states=("unsure",))).rows[0]
    assert (back.case_id, back.probability) == (row.case_id, 0.44)


def test_a_case_is_another_one_when_its_records_are(world):
    world.put("erp", {"1": "a", "2": "b", "3": "c"})
    world.publish([["erp:1"], ["erp:2"], ["erp:3"]], suggestions=[doubt("erp:1", "erp:2")])
    first = cases.queue(world.wh).rows[0]
    world.publish([["erp:1", "erp:3"], ["erp:2"]], suggestions=[doubt("erp:1", "erp:2")])
    second = cases.queue(world.wh).rows[0]
    assert first.case_id != second.case_id and second.record_count == 3
    assert making.case_id("merge", [["erp:1", "erp:3"], ["erp:2"]]) == second.case_id


def test_bands_count_the_cases_that_the_queue_lists(world):
    world.put("erp", {str(number): f"Ann {number}" for number in range(8)})
    names = ("left_id", "right_id", "probability", "kind", "reason")
    world.publish(
        [[f"erp:{number}"] for number in range(8)],
        suggestions=[
            dict(
                zip(
                    names,
                    (f"erp:{n}", f"erp:{n + 1}", 0.1 * n + 0.1, "merge", "likely"),
                    strict=True,
                )
            )
            for n in range(0, 8, 2)
        ],
    )
    first, second, *_ = [row.case_id for row in cases.queue(world.wh).rows]
    for again in (False, True):  # counts of the publish are kept: the second time they are known
        if again:
            case_states.assign(world.wh, first, "ann", "ann", 0)
            case_states.mark(world.wh, second, "skipped", "ann", 0)
        for assignee in (None, "me", "nobody", "bob"):
            for states in (("open",), ("skipped",), ("open", "skipped"), cases.STATES):
                wanted = cases.Filter(assignee=assignee, states=states)
                counted = sum(one.cases for one in cases.bands(world.wh, wanted, "ann"))
                assert counted == len(cases.ids(world.wh, wanted, "ann"))
