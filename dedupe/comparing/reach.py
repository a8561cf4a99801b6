"""Telephone numbers and e-mail addresses: two records to a level.

What belongs here: what a shared or nearly shared number or address means. How
common a shared number is weighs in scoring; :func:`phone_values` names it.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from dedupe.comparing.columns import (
    Codes,
    Ints,
    Levels,
    Mask,
    Rows,
    derive,
    encode_lists,
    shares,
)
from dedupe.levels import MISSING

PHONE_NONE, PHONE_OTHER_KIND, PHONE_HOUSEHOLD, PHONE_NEAR, PHONE_SHARED, PHONE_TWO = range(6)
EMAIL_DIFFERENT, EMAIL_DOMAIN, EMAIL_LOCAL, EMAIL_NEAR, EMAIL_SAME = 0, 1, 2, 3, 4
_KINDS = {"mobile": 1, "fixed": 2}

ROLES = frozenset(
    {
        "admin",
        "administrator",
        "billing",
        "contact",
        "enquiries",
        "enquiry",
        "finance",
        "hello",
        "help",
        "hr",
        "info",
        "mail",
        "marketing",
        "office",
        "order",
        "orders",
        "postmaster",
        "purchase",
        "purchasing",
        "reception",
        "sales",
        "service",
        "services",
        "shop",
        "support",
        "team",
        "web",
        "webmaster",
        "kefu",
        "xiaoshou",
        "caiwu",
    }
)
"""Local parts that name a desk and nobody."""


def phone_counts(features: pa.Table) -> pa.Table:
    """How many rows have each telephone number: number, count."""
    flat = features.column("phones").combine_chunks().flatten()
    return pa.table({"number": flat}).group_by("number").aggregate([([], "count_all")])


SWITCHBOARD = 300
"""Records that may have one telephone number; one that more have says nothing about a customer,
and is as good as missing."""


def phone_levels(
    features: pa.Table, left: Rows, right: Rows, counts: pa.Table
) -> tuple[Levels, pa.Array]:
    """Telephone levels of pairs of rows, and the number they share.

    Args:
        features: rows of features.build.
        left, right: row numbers, one per pair.
        counts: of :func:`phone_counts` over all records.

    Returns:
        the levels, -1 where either has no number; the shared number that the
        fewest records have, null where none is shared.
    """
    numbers = encode_lists(features.column("phones").combine_chunks())
    known = np.asarray(pc.index_in(pa.array(numbers.values, pa.string()), counts.column("number")))
    common = np.asarray(counts.column("count_all"))[known] > SWITCHBOARD
    codes = numbers.codes.copy()
    codes[np.isin(codes, np.flatnonzero(common))] = -1
    a, b = codes[left], codes[right]
    shared = shares(a, b)
    keys = encode_lists(features.column("phone_keys").combine_chunks(), width=8)
    local = derive(keys, _local_digits)
    full = derive(numbers, lambda number: number)
    legible = np.array([_is_legible(key) for key in keys.values] + [False])
    has: Mask = np.asarray(legible[keys.codes].any(axis=1)) | (numbers.codes >= 0).any(axis=1)
    kinds = _kind_bits(features)
    result = np.full(len(left), MISSING, dtype=np.int8)
    both = has[left] & has[right]
    both &= (shared > 0) | (shares(numbers.codes[left], numbers.codes[right]) == 0)
    result[both] = PHONE_NONE
    apart = (kinds[left] & kinds[right]) == 0
    result[both & apart & (kinds[left] > 0) & (kinds[right] > 0)] = PHONE_OTHER_KIND
    rows = np.nonzero(both & (shared == 0))[0]
    near = _any_pair(numbers, a, b, rows, _one_digit_off)
    near |= _local_match(local, full, left[rows], right[rows])
    near |= _local_match(local, full, right[rows], left[rows])
    near |= _damaged_match(keys, left[rows], right[rows])
    result[rows[near]] = PHONE_NEAR
    result[both & (shared == 1)] = PHONE_SHARED
    several = (codes >= 0).sum(axis=1) > 1
    result[both & (shared == 1) & several[left] & several[right]] = PHONE_HOUSEHOLD
    result[both & (shared > 1)] = PHONE_TWO
    return result, _rarest_shared(numbers, a, b, shared > 0, counts)


def _is_legible(key: str) -> bool:
    """Whether enough is left of a number to say that it is none of another record's."""
    return not key.startswith("damaged:") or len(_digits(key)) >= LEAST_DAMAGED


def _local_digits(key: str) -> str | None:
    kind, _, digits = key.partition(":")
    return digits if kind == "local" and digits else None


def _kind_bits(features: pa.Table) -> npt.NDArray[np.int8]:
    """Bit 1 where a record has a mobile, 2 where it has a fixed line, 4 for anything else."""
    kinds = encode_lists(features.column("phone_kinds").combine_chunks())
    table = np.array([_KINDS.get(kind, 4) for kind in kinds.values] + [0], dtype=np.int8)
    bits = np.zeros(len(kinds.codes), dtype=np.int8)
    for slot in range(kinds.codes.shape[1]):
        bits |= table[kinds.codes[:, slot]]
    return bits


def _local_match(local: Codes, full: Codes, left: Rows, right: Rows) -> Mask:
    """Where a number without area code of left ends (or is) a number of right."""
    hit = np.zeros(len(left), dtype=bool)
    texts = np.array([*local.values, ""], dtype=object)
    others = np.array([*full.values, ""], dtype=object)
    for i in range(local.codes.shape[1]):
        own = local.codes[left, i]
        for j in range(local.codes.shape[1]):
            hit |= (own >= 0) & (own == local.codes[right, j])
        rows = np.nonzero(own >= 0)[0]
        for j in range(full.codes.shape[1]):
            for row in rows[full.codes[right[rows], j] >= 0].tolist():
                digits = texts[own[row]]
                number = others[full.codes[right[row], j]]
                hit[row] |= len(digits) > 5 and number.endswith(digits)
    return hit


def _damaged_match(keys: Codes, left: Rows, right: Rows) -> Mask:
    """Where a damaged number of one record is, but for one digit, the end of one of the other."""
    damaged = [_digits(value) if value.startswith("damaged:") else "" for value in keys.values]
    written = [_digits(value) for value in keys.values]
    is_damaged = np.array([len(digits) >= LEAST_DAMAGED for digits in damaged] + [False])
    has: Mask = np.asarray(is_damaged[keys.codes].any(axis=1))
    hit = np.zeros(len(left), dtype=bool)
    for own, other in ((left, right), (right, left)):
        for row in np.nonzero(has[own] & ~hit)[0].tolist():
            mine = [damaged[code] for code in keys.codes[own[row]] if is_damaged[code]]
            theirs = [written[code] for code in keys.codes[other[row]] if code >= 0]
            hit[row] = any(same_but_damaged(a, b) for a in mine for b in theirs)
    return hit


LEAST_DAMAGED = 8
"""Digits from which what is left of a damaged number can tell whose it is."""


def same_but_damaged(damaged: str, digits: str) -> bool:
    """Whether digits end like a damaged number, or would with one digit more, less or other.

    >>> same_but_damaged("07700900123", "447700900123")
    True
    >>> same_but_damaged("1390000001", "8613900000001")
    True
    >>> same_but_damaged("1380000001", "8613900000001")
    False
    """
    if digits[-LEAST_DAMAGED:] == damaged[-LEAST_DAMAGED:]:
        return True
    own = damaged.lstrip("0")
    return len(own) > LEAST_DAMAGED and any(
        OSA.distance(own, digits[-length:], score_cutoff=1) <= 1
        for length in (len(own) - 1, len(own), len(own) + 1)
    )


def _digits(key: str) -> str:
    return "".join(c for c in key if c.isdigit())


def _one_digit_off(a: list[str], b: list[str]) -> Mask:
    distance = cpdist(a, b, scorer=OSA.distance, score_cutoff=1)
    return np.asarray(distance) <= 1


def _any_pair(
    values: Codes, a: Ints, b: Ints, rows: Rows, test: Callable[[list[str], list[str]], Mask]
) -> Mask:
    """Where any value of a and any of b pass a test, for some rows."""
    texts = np.array([*values.values, ""], dtype=object)
    hit = np.zeros(len(rows), dtype=bool)
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            there = np.nonzero((a[rows, i] >= 0) & (b[rows, j] >= 0))[0]
            if len(there):
                passed = test(texts[a[rows[there], i]].tolist(), texts[b[rows[there], j]].tolist())
                hit[there[passed]] = True
    return hit


def _rarest_shared(numbers: Codes, a: Ints, b: Ints, rows: Mask, counts: pa.Table) -> pa.Array:
    known = dict(zip(counts["number"].to_pylist(), counts["count_all"].to_pylist(), strict=True))
    ranked = sorted(range(len(numbers.values)), key=lambda code: numbers.values[code])
    by_count = sorted(ranked, key=lambda code: known[numbers.values[code]])
    rank = np.full(len(numbers.values) + 1, len(numbers.values), dtype=np.int64)
    rank[by_count] = np.arange(len(by_count))
    best = np.full(len(a), -1, dtype=np.int32)
    for i in range(a.shape[1]):
        in_both = rows & (a[:, i] >= 0) & (b == a[:, i][:, None]).any(axis=1)
        better = in_both & (rank[a[:, i]] < rank[best])
        best[better] = a[better, i]
    return pa.array(numbers.values, pa.string()).take(pa.array(best, mask=best < 0))


def email_levels(features: pa.Table, left: Rows, right: Rows, public: frozenset[str]) -> Levels:
    """E-mail levels of pairs of rows; -1 where either has none.

    Args:
        features: rows of features.build.
        left, right: row numbers, one per pair.
        public: of :func:`public_domains` over all records.
    """
    emails = encode_lists(features.column("emails").combine_chunks())
    a, b = emails.codes[left], emails.codes[right]
    domains = derive(emails, lambda email: None if _domain(email) in public else _domain(email))
    locals_ = derive(emails, _personal_local)
    both = (a >= 0).any(axis=1) & (b >= 0).any(axis=1)
    same = shares(a, b) > 0
    result = np.full(len(left), MISSING, dtype=np.int8)
    result[both] = EMAIL_DIFFERENT
    result[both & (shares(domains.codes[left], domains.codes[right]) > 0)] = EMAIL_DOMAIN
    result[both & (shares(locals_.codes[left], locals_.codes[right]) > 0)] = EMAIL_LOCAL
    rows = np.nonzero(both & ~same)[0]
    result[rows[_any_pair(emails, a, b, rows, _letter_off)]] = EMAIL_NEAR
    result[same] = EMAIL_SAME
    return result


def _personal_local(address: str) -> str | None:
    local = address.partition("@")[0]
    return None if local in ROLES or len(local) < 4 else local


def _letter_off(a: list[str], b: list[str]) -> Mask:
    """Where two addresses differ by one slip that is not another digit."""
    distance = cpdist(a, b, scorer=OSA.distance, score_cutoff=1)
    hit: Mask = np.asarray(distance) <= 1
    for row in np.nonzero(hit)[0].tolist():
        digits = [[c for c in x.partition("@")[0] if c.isdigit()] for x in (a[row], b[row])]
        roles = [x.partition("@")[0] in ROLES for x in (a[row], b[row])]
        hit[row] = digits[0] == digits[1] and roles[0] == roles[1]
    return hit


def public_domains(features: pa.Table) -> frozenset[str]:
    """The mail domains of all records whose addresses belong to many brands and family names."""
    owners = pc.coalesce(features.column("brand_key"), features.column("family"))
    owner = np.asarray(owners.combine_chunks().dictionary_encode().indices.fill_null(-1))
    emails = encode_lists(features.column("emails").combine_chunks())
    domains = derive(emails, _domain)
    rows, slots = np.nonzero(domains.codes >= 0)
    pairs = np.unique(np.column_stack([domains.codes[rows, slots], owner[rows]]), axis=0)
    owners_of = np.bincount(pairs[:, 0], minlength=len(domains.values))
    return frozenset(domains.values[code] for code in np.nonzero(owners_of > PUBLIC_ABOVE)[0])


def _domain(address: str) -> str | None:
    return address.partition("@")[2] or None


PUBLIC_ABOVE = 12
"""Distinct brands and family names from which a mail domain counts as a public service."""
