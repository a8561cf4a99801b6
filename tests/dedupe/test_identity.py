"""Golden ids last: what keeps an id, what redirects, what ends."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dedupe import identity


def table(**members: str) -> pa.Table:
    """One record per keyword: record_id=cluster_id."""
    return pa.table({"record_id": list(members), "cluster_id": list(members.values())})


def ids(outcome: identity.Identity) -> dict[str, str]:
    rows = outcome.crosswalk.to_pylist()
    return {row["record_id"]: row["golden_id"] for row in rows}


def first(**members: str) -> identity.Identity:
    return identity.assign(table(**members), identity.empty_crosswalk(), [], 1)


def test_new_clusters_are_numbered_in_order_of_cluster_id() -> None:
    outcome = first(c="c", a="a", b="a")
    assert ids(outcome) == {"a": "G0000000001", "b": "G0000000001", "c": "G0000000002"}
    assert outcome.next_number == 3
    assert {row["event"] for row in outcome.events.to_pylist()} == {"created"}


def test_merge_keeps_the_id_of_the_larger_part_and_redirects_the_other() -> None:
    before = first(a="a", b="b", c="b")
    after = identity.assign(
        table(a="a", b="a", c="a"), before.crosswalk, ["G0000000001", "G0000000002"], 3
    )
    assert set(ids(after).values()) == {"G0000000002"}
    assert after.redirects.to_pylist() == [{"golden_id": "G0000000001", "successor": "G0000000002"}]
    assert [row["event"] for row in after.events.to_pylist()] == ["absorbed"]


def test_split_keeps_the_id_with_most_records_and_numbers_the_rest() -> None:
    before = first(a="a", b="a", c="a")
    after = identity.assign(table(a="a", b="b", c="b"), before.crosswalk, ["G0000000001"], 2)
    assert ids(after) == {"a": "G0000000002", "b": "G0000000001", "c": "G0000000001"}
    event = after.events.to_pylist()[0]
    assert (event["event"], event["golden_id"], event["other_golden_id"]) == (
        "split",
        "G0000000002",
        "G0000000001",
    )


def test_customer_whose_records_are_gone_is_retired_without_successor() -> None:
    before = first(a="a", b="b")
    after = identity.assign(
        table(b="b"), before.crosswalk, ["G0000000001", "G0000000002"], before.next_number
    )
    assert after.redirects.to_pylist() == [{"golden_id": "G0000000001", "successor": None}]
    assert [row["event"] for row in after.events.to_pylist()] == ["retired"]


memberships = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 4), min_size=1)


def clusters_of(members: dict[str, int]) -> pa.Table:
    smallest: dict[int, str] = {}
    for record, number in sorted(members.items()):
        smallest.setdefault(number, record)
    return pa.table(
        {
            "record_id": pa.array(members, pa.string()),
            "cluster_id": pa.array([smallest[n] for n in members.values()], pa.string()),
        }
    )


@given(st.lists(memberships, min_size=1, max_size=6))
def test_every_id_ever_given_out_resolves_and_none_is_given_out_twice(
    runs: list[dict[str, int]],
) -> None:
    crosswalk, live, number = identity.empty_crosswalk(), [], 1
    redirects: dict[str, str | None] = {}
    ever: set[str] = set()
    for members in runs:
        outcome = identity.assign(clusters_of(members), crosswalk, live, number)
        new = {
            row["golden_id"]
            for row in outcome.events.to_pylist()
            if row["event"] in ("created", "split")
        }
        assert not new & ever
        ever |= new
        redirects |= {r["golden_id"]: r["successor"] for r in outcome.redirects.to_pylist()}
        crosswalk, number = outcome.crosswalk, outcome.next_number
        live = sorted(set(ids(outcome).values()))
        assert not set(live) & set(redirects)
        groups = {frozenset(r for r, g in ids(outcome).items() if g == golden) for golden in live}
        assert groups == {
            frozenset(r for r, n in members.items() if n == number_)
            for number_ in set(members.values())
        }
        for golden in ever:
            assert identity.resolve(golden, redirects) in {None, *live}


@given(memberships, memberships, st.randoms())
def test_row_order_changes_nothing(before: dict, after: dict, random) -> None:
    start = identity.assign(clusters_of(before), identity.empty_crosswalk(), [], 1)
    live = sorted(set(ids(start).values()))
    plain = identity.assign(clusters_of(after), start.crosswalk, live, start.next_number)
    other = identity.assign(
        clusters_of(after).take(random.sample(range(len(after)), len(after))),
        start.crosswalk.take(random.sample(range(len(before)), len(before))),
        live,
        start.next_number,
    )
    assert plain == other


def test_what_names_a_retired_id_follows_it_to_the_live_one() -> None:
    table = pa.table({"golden_id": ["G1", "G2", "G9", None], "value": ["a", "b", "c", "d"]})
    followed = identity.follow(table, {"G1": "G2", "G2": "G3", "G9": None})
    assert followed["golden_id"].to_pylist() == ["G3", "G3", None, None]
    assert followed["value"].to_pylist() == ["a", "b", "c", "d"]


def former(**records: str) -> pa.Table:
    """Records of retired ids: id=records in one word."""
    rows = [(golden_id, one) for golden_id, held in records.items() for one in held]
    return pa.Table.from_pylist(
        [{"golden_id": a, "record_id": b} for a, b in rows], identity.FORMER_SCHEMA
    )


def test_an_undone_merge_gives_the_former_id_back() -> None:
    merged = identity.assign(
        table(a="a", b="a", c="a"), first(a="a", b="a", c="c").crosswalk,
        ["G0000000001", "G0000000002"], 3,
    )  # fmt: skip
    assert set(ids(merged).values()) == {"G0000000001"}
    after = identity.assign(
        table(a="a", b="a", c="c"), merged.crosswalk, ["G0000000001"], 3, former(G0000000002="c")
    )
    assert ids(after) == {"a": "G0000000001", "b": "G0000000001", "c": "G0000000002"}
    assert after.next_number == 3 and after.redirects.num_rows == 0
    (event,) = after.events.to_pylist()
    assert (event["event"], event["golden_id"], event["other_golden_id"]) == (
        "restored", "G0000000002", "G0000000001"
    )  # fmt: skip


def test_a_former_id_comes_back_only_with_more_than_half_of_its_records() -> None:
    together = first(a="a", b="a", c="a", d="a").crosswalk
    after = identity.assign(
        table(a="a", b="a", c="c", d="d"), together, ["G0000000001"], 2, former(G9="cd")
    )
    assert ids(after)["c"] == "G0000000002" and ids(after)["d"] == "G0000000003"
    assert after.redirects.num_rows == 0


def test_a_retired_id_leads_to_where_most_of_its_records_went_since() -> None:
    together = first(a="a", b="a", c="a").crosswalk
    after = identity.assign(
        table(a="a", b="b", c="b"), together, ["G0000000001"], 2, former(G8="a", G9="bc")
    )
    # b and c keep the live id, so the id they had before stays retired and leads there
    assert ids(after) == {"a": "G8", "b": "G0000000001", "c": "G0000000001"}
    assert after.redirects.to_pylist() == [{"golden_id": "G9", "successor": "G0000000001"}]


def test_touched_are_the_whole_clusters_of_what_moved_came_or_went() -> None:
    before, now = table(a="a", b="a", c="c", d="d", f="f"), table(a="a", b="b", c="c", e="d", f="f")
    others = pa.array(["d", "e"])
    assert sorted(identity.touched_records(before, now, others).to_pylist()) == ["a", "b", "d", "e"]
    assert {*identity.touched_records(before, now, others[:1]).to_pylist()} == {*"abcdef"}


def test_ids_of_touched_records_alone_are_those_of_all() -> None:
    before = first(a="a", b="a", c="c", d="d", f="f", g="g")
    now = table(a="a", b="b", c="c", e="e", f="f", g="f")
    touched = identity.touched_records(
        table(a="a", b="a", c="c", d="d", f="f", g="g"), now, pa.array(["d", "e"])
    )
    live = sorted({*ids(before).values()})
    former = identity.FORMER_SCHEMA.empty_table()
    whole = identity.assign(now, before.crosswalk, live, before.next_number, former)
    part = identity.reassign(now, before.crosswalk, before.next_number, former, touched)
    assert part.crosswalk.equals(whole.crosswalk)
    assert part.events.equals(whole.events)
    assert part.redirects.equals(whole.redirects)
    was, is_now = part.looked_at
    assert {"c"}.isdisjoint([*was["record_id"].to_pylist(), *is_now["record_id"].to_pylist()])
