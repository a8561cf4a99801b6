"""Why two records were never compared: the keys of each, kind by kind."""

import pyarrow as pa
import pyarrow.compute as pc

from dedupe import blocking, blocking_keys, blocks
from dedupe.explaining import shown
from dedupe.explaining.evidence import Evidence
from dedupe.explaining.facts import Key
from dedupe.explaining.messages import message

_HIDDEN = frozenset({"same"})
"""Kinds whose keys hold several values at once: not shown, only whether they are equal."""
HIDDEN = "…"
"""Stands for such a key."""


def compared_keys(evidence: Evidence, left: str, right: str) -> tuple[Key, ...]:
    """Every kind of key that either record has.

    A key that both have made no pair only if too many records share it: then it
    was narrowed by a second property, and the two fell apart.
    """
    pair = evidence.features.take(pa.array(evidence.rows([left, right])))
    country = dict(zip(pair["record_id"].to_pylist(), pair["country"].to_pylist(), strict=True))
    held: dict[str, dict[str, set[str]]] = {}
    for row in blocking.keys(pair, evidence.settings).to_pylist():
        held.setdefault(row["kind"], {}).setdefault(row["record_id"], set()).add(row["key"])
    shared = {kind: by.get(left, set()) & by.get(right, set()) for kind, by in held.items()}
    sizes = _sizes(evidence, shared, str(pair["customer_type"][0]))
    found = []
    for kind in (kind for kind in blocking_keys.KINDS if kind in held):
        own, other = (
            tuple(sorted({_text(kind, key, country[name]) for key in held[kind].get(name, ())}))
            for name in (left, right)
        )
        common = tuple(sorted({_text(kind, key, country[left]) for key in shared[kind]}))
        limit = blocks.limit_of(kind, evidence.settings)
        fewest = min((sizes[kind, key] for key in shared[kind]), default=0)
        says = message(blocking_keys.KINDS[kind])
        left_out = fewest if fewest > limit else None
        found.append(Key(kind, says, own, other, common, left_out, limit))
    return tuple(found)


def _sizes(
    evidence: Evidence, shared: dict[str, set[str]], customer_type: str
) -> dict[tuple[str, str], int]:
    """Records of the type that have each of the shared keys; nothing is counted if none is."""
    wanted = [(kind, key) for kind, keys in shared.items() for key in sorted(keys)]
    if not wanted:
        return {}
    rows = evidence.features.filter(pc.equal(evidence.features["customer_type"], customer_type))
    keys = blocking.keys(rows, evidence.settings)
    return {
        (kind, key): int(
            pc.sum(pc.and_(pc.equal(keys["kind"], kind), pc.equal(keys["key"], key))).as_py() or 0
        )
        for kind, key in wanted
    }


def _text(kind: str, key: str, country: str | None) -> str:
    return HIDDEN if kind in _HIDDEN else shown.key_text(kind, key, country)
