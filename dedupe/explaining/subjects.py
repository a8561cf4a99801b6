"""What someone asks about: a record or a golden customer, found by its id."""

from dataclasses import dataclass

import pyarrow.compute as pc
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from dedupe.explaining.evidence import Evidence
from onefold.errors import ConfigError

NEAREST = 3


@dataclass(frozen=True)
class Subject:
    """A record, or the records of a golden customer.

    Attributes:
        record_ids: one, or those of the customer, sorted.
        golden_id: the live one; None if a record was asked for.
    """

    record_ids: tuple[str, ...]
    golden_id: str | None


def find(evidence: Evidence, asked: str) -> Subject:
    """The record or the golden customer with an id; a retired golden id means its successor.

    Raises:
        ConfigError: there is none; the message names the nearest ids.
    """
    if pc.index(evidence.record_ids, asked).as_py() >= 0:
        return Subject((asked,), None)
    if asked in evidence.redirects and evidence.redirects[asked] is None:
        raise ConfigError(
            asked,
            "this golden customer ended: its records left their sources",
            do="Look at golden_customer_history.",
        )
    golden_id = evidence.redirects.get(asked) or asked
    if evidence.crosswalk is not None:
        held = evidence.crosswalk.filter(pc.equal(evidence.crosswalk["golden_id"], golden_id))
        if held.num_rows:
            return Subject(tuple(sorted(held["record_id"].to_pylist())), golden_id)
    nearest = _nearest(evidence, asked)
    raise ConfigError(
        asked,
        "there is no such record or golden customer",
        do=f"The nearest ids are {', '.join(nearest)}." if nearest else "",
    )


def _nearest(evidence: Evidence, asked: str) -> list[str]:
    """The ids most like one: those that have it as their key first."""
    ids = evidence.record_ids.to_pylist()
    if evidence.crosswalk is not None:
        ids += sorted(set(evidence.crosswalk["golden_id"].to_pylist()))
    found = [one for one in ids if one.partition(":")[2] == asked]
    scorer = Levenshtein.normalized_similarity
    near = process.extract(asked, ids, scorer=scorer, limit=NEAREST, processor=str.casefold)
    found += [one for one, score, _ in near if score > 0 and one not in found]
    return found[:NEAREST]


def strongest_pair(evidence: Evidence, left: Subject, right: Subject) -> tuple[str, str]:
    """The records, one of each subject, whose scored pair weighs most; else the first of each."""
    pairs = evidence.pairs_between(left.record_ids, right.record_ids)
    if not pairs.num_rows:
        return left.record_ids[0], right.record_ids[0]
    best = max(pairs.to_pylist(), key=lambda row: row["weight_bits"])
    ends = (best["left_id"], best["right_id"])
    return ends if ends[0] in left.record_ids else ends[::-1]
