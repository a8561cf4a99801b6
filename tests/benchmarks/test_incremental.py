"""The changes that an incremental refresh is measured with."""

from benchmarks import incremental, measure, people


def test_a_third_of_the_changes_each_is_updated_deleted_and_new() -> None:
    before = people.make(3000, seed=3).records
    after = incremental.changed(before, share=0.03, seed=1)
    was, now = ({row["record_id"]: row for row in one.to_pylist()} for one in (before, after))
    assert len(was.keys() - now.keys()) == len(now.keys() - was.keys()) == 30
    other = sum(was[one] != now[one] for one in was.keys() & now.keys())
    assert 20 <= other <= 30  # some get the value that they had
    assert after.equals(incremental.changed(before, share=0.03, seed=1))


def test_every_cpu_second_is_a_stages_or_no_stages() -> None:
    spent = [measure.Spent(float(moment), 2.0 * moment) for moment in range(11)]
    steps = {"match": (5.0, 9.0), "read": (1.0, 4.0)}
    found = incremental.parts(steps, spent, total=25)
    assert found == {"read": 6.0, "match": 8.0, "other": 11.0}
    assert [*found] == ["read", "match", "other"]
