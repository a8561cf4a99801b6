"""Pictures are well-formed, hold what they show, and fit what they draw."""

from xml.etree import ElementTree

import pytest

from dedupe import explain
from dedupe.explain import Evidence
from dedupe.explaining.graph_svg import graph
from dedupe.explaining.messages import say
from dedupe.explaining.svg import WIDTH, text_width, waterfall, wrapped

SVG = "{http://www.w3.org/2000/svg}"
IDS = [f"crm:same-{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_bars_stay_in_the_picture_and_follow_the_sums(world: Evidence, language: str) -> None:
    pair = explain.pair(world, "crm:low-1", "crm:low-2")
    root = ElementTree.fromstring(waterfall(pair, language))
    bars = [one for one in root.iter(f"{SVG}rect") if one.get("rx")]
    ends = [(float(b.get("x", "")), float(b.get("width", ""))) for b in bars]
    assert all(x > 0 and x + width < WIDTH for x, width in ends)
    widths = [width for _, width in ends[:-1]]
    order = sorted(range(len(widths)), key=lambda n: widths[n])
    assert order == sorted(range(len(widths)), key=lambda n: abs(pair.steps[n].bits))
    texts = " ".join(one.text or "" for one in root.iter(f"{SVG}text"))
    assert say(pair.verdict, language) in texts


def test_values_cannot_break_the_picture(matched, records) -> None:
    name = "<b>&\"'</b>"
    rows = [dict(records[0]) | {"name": name}, dict(records[1]) | {"name": name}]
    evidence = matched(rows)
    root = ElementTree.fromstring(waterfall(explain.pair(evidence, *IDS[:2])))
    assert name in (root.findtext(f"{SVG}title") or "")
    drawn = graph(explain.graph(evidence, IDS[:2]), 0.0)
    assert name in [one.text for one in ElementTree.fromstring(drawn).iter(f"{SVG}text")]


def test_a_graph_draws_every_record_and_every_edge(matched, records) -> None:
    evidence = matched(records, ("no_link", "crm:alone", "crm:same-1"))
    found = explain.graph(evidence, ["crm:alone", *IDS])
    root = ElementTree.fromstring(graph(found, -0.58, "zh"))
    assert len(list(root.iter(f"{SVG}circle"))) == len(found.nodes) == 4
    lines = [one for one in root.iter(f"{SVG}line") if one.find(f"{SVG}title") is not None]
    assert len(lines) == len(found.edges)
    fills = {one.get("fill") for one in root.iter(f"{SVG}circle")}
    assert len(fills) == len({node.cluster_id for node in found.nodes}) == 2


def test_a_graph_of_many_records_keeps_them_apart(world: Evidence) -> None:
    ids = [f"crm:desk-{n:02}" for n in range(14)]
    root = ElementTree.fromstring(graph(explain.graph(world, ids), -0.58))
    places = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.iter(f"{SVG}circle")]
    apart = [(a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 for a in places for b in places if a is not b]
    assert min(apart) > 30**2


def test_lines_break_at_blanks_and_between_wide_characters() -> None:
    for text in ("one two three four five six seven", "电话号码由十四个客户共用，证据弱。" * 3):
        lines = wrapped(text, 120, 14)
        assert len(lines) > 1
        assert all(text_width(line, 14) <= 120 + 14 for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert not [line for line in lines if line[0] in "，。"]
