"""Records and what was found between them as an SVG picture: records on a ring, pairs as lines."""

import math
from xml.sax.saxutils import escape

from dedupe.explaining.facts import Edge, Graph, Record
from dedupe.explaining.messages import message, say
from dedupe.explaining.svg import (
    CUT,
    DOWN,
    FONTS,
    INK,
    PALE,
    SIZE,
    SMALL,
    TOTAL,
    UP,
    fitted,
    text_element,
)
from dedupe.explaining.words import signed

WIDTH, LABEL = 960, 200
CLUSTERS = (TOTAL, "#8a5aa8", "#2b7a9b", "#a3631d", "#6b7a1e")
"""Colors of the records of one cluster each; they come again from the sixth on."""
LEAST_RADIUS, ROOM = 120, 62
"""Pixels of the ring at least, and along it per record."""


def graph(found: Graph, match_bits: float, language: str = "en") -> str:
    """The picture of a graph, as SVG text.

    Args:
        found: records and edges.
        match_bits: weight from which two records count as one customer.
        language: of the words.
    """
    count = len(found.nodes)
    radius = max(LEAST_RADIUS, ROOM * count / (2 * math.pi))
    width = max(WIDTH, 2 * (radius + LABEL + 40))
    height = 2 * radius + 190
    at = _places(found, width / 2, radius + 80, radius)
    clusters = sorted({one.cluster_id or "" for one in found.nodes})
    fills = {one: CLUSTERS[number % len(CLUSTERS)] for number, one in enumerate(clusters)}
    title = say(message("{count} record", "{count} records", count=count), language)
    edges = sorted(found.edges, key=lambda edge: (edge.weakest, edge.weight_bits or 0.0))
    described = "; ".join(_described(edge, language) for edge in found.edges)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" role="img" '
            f'aria-labelledby="title desc" lang="{language}" font-family="{FONTS}" '
            f'font-size="{SIZE}">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(described)}</desc>',
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
            *(_line(edge, at, match_bits, language) for edge in edges),
            *(_bits(edge, at) for edge in edges if edge.weight_bits is not None and count <= 8),
            *(_node(node, at[node.record_id], width / 2, fills) for node in found.nodes),
            *_legend(height - 24, language),
            "</svg>",
            "",
        ]
    )


def _places(found: Graph, x: float, y: float, radius: float) -> dict[str, tuple[float, float]]:
    """Where each record stands: on a ring, those of one cluster beside each other."""
    order = sorted(found.nodes, key=lambda one: (one.cluster_id or "", one.record_id))
    step = 2 * math.pi / max(len(order), 1)
    return {
        one.record_id: (
            x + radius * math.cos(step * number - math.pi),
            y + radius * math.sin(step * number - math.pi),
        )
        for number, one in enumerate(order)
    }


def _style(edge: Edge, match_bits: float) -> tuple[str, float, str]:
    """Color, width and dashes of an edge."""
    if edge.decision:
        return (TOTAL if edge.decision == "link" else DOWN), 4.0, ""
    if edge.veto is not None:
        return DOWN, 1.5, "5 4"
    if edge.weight_bits is None or edge.weight_bits < match_bits:
        return PALE, 1.0, "2 4"
    width = 1.5 + min(edge.weight_bits - match_bits, 16.0) / 4.0
    return (CUT if edge.weakest else UP), width, ""


def _line(edge: Edge, at: dict[str, tuple[float, float]], match_bits: float, language: str) -> str:
    (x1, y1), (x2, y2) = at[edge.left_id], at[edge.right_id]
    stroke, width, dash = _style(edge, match_bits)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" '
        f'stroke-width="{width:.1f}"{dashed}><title>{escape(_described(edge, language))}</title>'
        "</line>"
    )


def _bits(edge: Edge, at: dict[str, tuple[float, float]]) -> str:
    """The weight of an edge, a third along it, on white."""
    (x1, y1), (x2, y2) = at[edge.left_id], at[edge.right_id]
    x, y = x1 + (x2 - x1) * 0.4, y1 + (y2 - y1) * 0.4
    bits = signed(round((edge.weight_bits or 0.0) * 10))
    return (
        f'<rect x="{x - 19:.1f}" y="{y - 9:.1f}" width="38" height="18" rx="3" fill="#ffffff" '
        f'fill-opacity="0.85"/>{text_element(x, y + 4, bits, size=SMALL, anchor="middle")}'
    )


def _node(one: Record, place: tuple[float, float], middle: float, fills: dict[str, str]) -> str:
    """A record: a dot in the color of its cluster, name and id beside it, away from the middle."""
    x, y = place
    side = 1 if x >= middle else -1
    anchor = "start" if side > 0 else "end"
    name, key = fitted(one.name, LABEL, SIZE), fitted(one.record_id, LABEL, SMALL)
    said, fill = escape(f"{one.name} {one.record_id}"), fills[one.cluster_id or ""]
    return (
        f"<g><title>{said}</title>"
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="{fill}" stroke="#ffffff" stroke-width="2"/>'
        f"{text_element(x + 15 * side, y - 1, name, anchor=anchor)}"
        f"{text_element(x + 15 * side, y + 15, key, size=SMALL, fill=PALE, anchor=anchor)}</g>"
    )


def _described(edge: Edge, language: str) -> str:
    """An edge in words."""
    ends = say(message("{left} and {right}", left=edge.left_id, right=edge.right_id), language)
    if edge.weight_bits is None:
        return ends
    return f"{ends}: {signed(round(edge.weight_bits * 10))}"


def _legend(y: float, language: str) -> list[str]:
    """What the lines mean."""
    entries = [
        (UP, 4.0, "", message("they match")),
        (CUT, 4.0, "", message("weakest link")),
        (PALE, 1.0, "2 4", message("below the cut")),
        (DOWN, 1.5, "5 4", message("contradiction")),
        (TOTAL, 4.0, "", message("linked by a steward")),
        (DOWN, 4.0, "", message("kept apart by a steward")),
    ]
    parts, x = [], 28.0
    for stroke, width, dash, words in entries:
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<line x1="{x:.0f}" y1="{y - 4:.0f}" x2="{x + 28:.0f}" y2="{y - 4:.0f}" '
            f'stroke="{stroke}" stroke-width="{width}"{dashed}/>'
            f"{text_element(x + 34, y, say(words, language), size=SMALL, fill=INK)}"
        )
        x += 152
    return parts
