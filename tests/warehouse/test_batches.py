"""One answer for many cases, only after its sample was judged by hand; second reviews."""

import pytest

from onefold.errors import DecisionConflict, WarehouseError
from warehouse import batches, cases, decisions, drawing, judgements, second_reviews
from warehouse.cases import Filter
from warehouse.judgements import Terms
from warehouse.review_tables import judgement

COUNT = 8


@pytest.fixture
def queued(world):
    """Eight cases of two customers each."""
    world.put("erp", {str(number): f"Ann {number}" for number in range(2 * COUNT)})
    pairs = [(f"erp:{2 * n}", f"erp:{2 * n + 1}") for n in range(COUNT)]
    doubts = [
        {"left_id": a, "right_id": b, "probability": 0.4, "kind": "merge", "reason": "likely"}
        for a, b in pairs
    ]
    world.publish([[one] for pair in pairs for one in pair], suggestions=doubts)
    return world


def _judge_sample(world, batch, wrong=0):
    for number, case_id in enumerate(batch.sample):
        kind = "no_link" if number < wrong else "link"
        judgements.judge(world.wh, case_id, kind, "ann", 0)


def test_a_batch_is_applied_only_after_its_sample_was_judged(queued):
    batch = batches.start(queued.wh, Filter(kind="merge"), "link", 3, "ann")
    assert (batch.case_count, len(batch.to_judge), batch.precision) == (COUNT, 3, None)
    with pytest.raises(DecisionConflict, match=r"sample was not judged whole.*3 of 3"):
        batches.apply(queued.wh, batch.batch_id, "ann")
    _judge_sample(queued, batch, wrong=1)
    standing = batches.get(queued.wh, batch.batch_id)
    assert (standing.judged, standing.right, standing.to_judge) == (3, 2, [])
    assert standing.precision == pytest.approx(2 / 3)
    assert 0.2 < standing.low < 2 / 3 < standing.high < 0.95
    done = batches.apply(queued.wh, batch.batch_id, "ann")
    assert (done.judged, done.waiting, done.settled, done.refused) == (COUNT - 3, 0, 3, ())
    assert cases.queue(queued.wh).rows == []
    of_batch = [row for row in queued.rows(judgement) if row["batch_id"] == batch.batch_id]
    assert len(of_batch) == COUNT - 3
    assert len({row["case_id"] for row in queued.rows(judgement)}) == COUNT
    with pytest.raises(DecisionConflict, match="already"):
        batches.apply(queued.wh, batch.batch_id, "ann")


def test_undoing_a_batch_leaves_what_was_judged_by_hand(queued):
    batch = batches.start(queued.wh, Filter(), "link", 2, "ann")
    _judge_sample(queued, batch)
    batches.apply(queued.wh, batch.batch_id, "ann")
    assert decisions.read(queued.wh).num_rows == COUNT
    assert batches.undo(queued.wh, batch.batch_id, "bob", "too hasty") == COUNT - 2
    assert decisions.read(queued.wh).num_rows == 2
    assert len(cases.queue(queued.wh).rows) == COUNT - 2
    assert batches.get(queued.wh, batch.batch_id).state == "undone"
    with pytest.raises(DecisionConflict, match="not applied"):
        batches.undo(queued.wh, batch.batch_id, "bob", "again")


def test_a_case_that_contradicts_decisions_is_left_out_of_a_batch(queued):
    batch = batches.start(queued.wh, Filter(), "link", 1, "ann")
    _judge_sample(queued, batch)
    other = next(
        one for one in batches.case_ids(queued.wh, batch.batch_id) if one not in batch.sample
    )
    left, right = (one["record_id"] for one in cases.get(queued.wh, other).members)
    decisions.add(
        queued.wh, "no_link", left_id=left, right_id=right, reason="paper", decided_by="cy"
    )
    done = batches.apply(queued.wh, batch.batch_id, "ann")
    assert (done.judged, done.refused) == (COUNT - 2, (other,))
    assert [row.case_id for row in cases.queue(queued.wh).rows] == [other]


def test_a_batch_needs_cases_and_a_sample(queued):
    with pytest.raises(DecisionConflict, match="no open case"):
        batches.start(queued.wh, Filter(kind="split"), "link", 3, "ann")
    with pytest.raises(DecisionConflict, match="sample would be empty"):
        batches.start(queued.wh, Filter(), "link", 0, "ann")
    with pytest.raises(WarehouseError, match="no such batch"):
        batches.get(queued.wh, "B9")
    batch = batches.start(queued.wh, Filter(), "link", 2, "ann")
    batches.drop(queued.wh, batch.batch_id, "ann")
    with pytest.raises(DecisionConflict, match="already"):
        batches.drop(queued.wh, batch.batch_id, "ann")


def test_a_second_review_is_blind_by_another_person_and_changes_nothing(queued):
    first, second = (row.case_id for row in cases.queue(queued.wh).rows[:2])
    drawn = Terms(blind_share=1.0)
    one = judgements.judge(queued.wh, first, "link", "ann", 0, terms=drawn)
    two = judgements.judge(queued.wh, second, "no_link", "ann", 0, terms=drawn)
    assert second_reviews.queue(queued.wh, "ann") == []
    waiting = second_reviews.queue(queued.wh, "bob")
    assert [review.judgement_id for review in waiting] == [one.judgement_id, two.judgement_id]
    assert len(waiting[0].customers) == 2 and len(waiting[0].members(queued.wh)) == 2
    with pytest.raises(DecisionConflict, match="another one than the first"):
        second_reviews.answer(queued.wh, one.judgement_id, "link", "ann")
    before = decisions.read(queued.wh)
    assert second_reviews.answer(queued.wh, one.judgement_id, "link", "bob")
    assert not second_reviews.answer(queued.wh, two.judgement_id, "link", "bob")
    with pytest.raises(DecisionConflict, match="answered already"):
        second_reviews.answer(queued.wh, one.judgement_id, "no_link", "cy")
    found = second_reviews.agreement(queued.wh)
    assert (found.answered, found.agreed, found.waiting, found.rate) == (2, 1, 0, 0.5)
    assert found.low < 0.5 < found.high
    assert decisions.read(queued.wh) == before


def test_a_judgement_is_drawn_when_it_comes_in_force_and_not_for_who_approved_it(queued):
    case_id = cases.queue(queued.wh).rows[0].case_id
    terms = Terms(approve_above=0.0, blind_share=1.0)
    made = judgements.judge(queued.wh, case_id, "link", "ann", 0, terms=terms).judgement_id
    assert second_reviews.queue(queued.wh, "cy") == []
    judgements.approve(queued.wh, made, "bob", terms)
    assert [one.judgement_id for one in second_reviews.queue(queued.wh, "cy")] == [made]
    assert second_reviews.queue(queued.wh, "bob") == []
    with pytest.raises(DecisionConflict, match="another one than the first"):
        second_reviews.answer(queued.wh, made, "link", "bob")


def test_the_judgements_of_a_batch_are_not_drawn(queued):
    terms = Terms(blind_share=1.0)
    batch = batches.start(queued.wh, Filter(), "link", 1, "ann")
    (by_hand,) = batch.to_judge
    judged = judgements.judge(queued.wh, by_hand, "link", "ann", 0, terms=terms)
    batches.apply(queued.wh, batch.batch_id, "ann", terms)
    drawn = [one.judgement_id for one in second_reviews.queue(queued.wh, "bob")]
    assert drawn == [judged.judgement_id]


def test_the_share_that_is_drawn_is_the_share_asked_for():
    drawn = sum(drawing.is_drawn(f"J{number:06d}", 0.1) for number in range(5000))
    assert 420 < drawn < 580
