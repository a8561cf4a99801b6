"""Telephone numbers and e-mail addresses: two records to a level.

What belongs here: what a shared or nearly shared number or address means. How
common a shared number is weighs in scoring (rarity.py).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import OSA

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
from dedupe.comparing.measures import Texts
from dedupe.levels import MISSING

PHONE_NONE, PHONE_OTHER_KIND, PHONE_HOUSEHOLD, PHONE_LINE = range(4)
PHONE_NEAR, PHONE_SHARED, PHONE_MOBILE, PHONE_TWO = range(4, 8)
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


SWITCHBOARD = 300
"""Records that may have one telephone number; one that more have says nothing about a customer,
and is as good as missing."""


def switchboards(features: pa.Table) -> frozenset[str]:
    """The telephone numbers that more than :data:`SWITCHBOARD` records have."""
    counted = pc.value_counts(features.column("phones").combine_chunks().flatten())
    common = pc.greater(counted.field("counts"), SWITCHBOARD)
    return frozenset(counted.field("values").filter(common).to_pylist())


def phone_levels(features: pa.Table, left: Rows, right: Rows, common: frozenset[str]) -> Levels:
    """Telephone levels of pairs of rows; -1 where either has no number.

    Args:
        features: rows of features.build.
        left, right: row numbers, one per pair.
        common: of :func:`switchboards` over all records.
    """
    numbers = encode_lists(features.column("phones").combine_chunks())
    codes = numbers.codes.copy()
    left_out = [code for code, number in enumerate(numbers.values) if number in common]
    codes[np.isin(codes, left_out)] = -1
    a, b = codes[left], codes[right]
    shared = shares(a, b)
    keys = encode_lists(features.column("phone_keys").combine_chunks(), width=8)
    local = derive(keys, _local_digits)
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
    near |= _local_match(local, numbers, left[rows], right[rows])
    near |= _local_match(local, numbers, right[rows], left[rows])
    near |= _damaged_match(keys, left[rows], right[rows])
    result[rows[near]] = PHONE_NEAR
    one = both & (shared == 1)
    result[one] = PHONE_SHARED
    mobile, fixed = (_shared_of_kind(features, numbers, a, b, kind) for kind in ("mobile", "fixed"))
    result[one & fixed] = PHONE_LINE
    several = (codes >= 0).sum(axis=1) > 1
    result[one & several[left] & several[right]] = PHONE_HOUSEHOLD
    result[one & mobile] = PHONE_MOBILE
    result[both & (shared > 1)] = PHONE_TWO
    return result


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


def _shared_of_kind(features: pa.Table, numbers: Codes, a: Ints, b: Ints, kind: str) -> Mask:
    """Where two rows share a number that is of one kind wherever it stands."""
    kinds = encode_lists(features.column("phone_kinds").combine_chunks())
    slots = min(numbers.codes.shape[1], kinds.codes.shape[1])
    number, its_kind = numbers.codes[:, :slots], kinds.codes[:, :slots]
    known = np.array([name == kind for name in kinds.values] + [False])[its_kind]
    other = np.ones(len(numbers.values) + 1, dtype=bool)
    other[number[known]] = False
    other[number[~known]] = True
    return shares(np.where(other[a], -1, a), np.where(other[b], -1, b)) > 0


def _local_match(local: Codes, full: Codes, left: Rows, right: Rows) -> Mask:
    """Where a number without area code of left ends (or is) a number of right."""
    hit = np.zeros(len(left), dtype=bool)
    texts = Texts([*local.values, *full.values])
    for i in range(local.codes.shape[1]):
        rows = np.flatnonzero(local.codes[left, i] >= 0)
        own = local.codes[left[rows], i]
        for j in range(local.codes.shape[1]):
            hit[rows] |= own == local.codes[right[rows], j]
        long = texts.length[own] > 5
        rows, own = rows[long], own[long]
        for j in range(full.codes.shape[1]):
            other = full.codes[right[rows], j]
            there = other >= 0
            hit[rows[there]] |= texts.ends(other[there] + len(local.values), own[there])
    return hit


def _damaged_match(keys: Codes, left: Rows, right: Rows) -> Mask:
    """Where a damaged number of one record is, but for one digit, the end of one of the other."""
    is_damaged = np.array(
        [
            value.startswith("damaged:") and len(_digits(value)) >= LEAST_DAMAGED
            for value in keys.values
        ]
        + [False]
    )
    has: Mask = np.asarray(is_damaged[keys.codes].any(axis=1))
    hit = np.zeros(len(left), dtype=bool)
    for own, other in ((left, right), (right, left)):
        rows = np.flatnonzero(has[own])
        for i in range(keys.codes.shape[1]):
            for j in range(keys.codes.shape[1]):
                mine, theirs = keys.codes[own[rows], i], keys.codes[other[rows], j]
                there = is_damaged[mine] & (theirs >= 0)
                hit[rows[there]] |= _but_damaged(keys, mine[there], theirs[there])
    return hit


def _but_damaged(keys: Codes, damaged: Ints, whole: Ints) -> Mask:
    """:func:`same_but_damaged` of each distinct pair of keys."""
    low = damaged.astype(np.int64) * len(keys.values) + whole
    distinct, inverse = np.unique(low, return_inverse=True)
    pairs = zip(
        (distinct // max(len(keys.values), 1)).tolist(),
        (distinct % max(len(keys.values), 1)).tolist(),
        strict=True,
    )
    same = [same_but_damaged(_digits(keys.values[a]), _digits(keys.values[b])) for a, b in pairs]
    return np.array(same, dtype=bool)[inverse]


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


def _any_pair(
    values: Codes, a: Ints, b: Ints, rows: Rows, test: Callable[[Texts, Ints, Ints], Mask]
) -> Mask:
    """Where any value of a and any of b pass a test, for some rows."""
    texts = Texts(values.values)
    hit = np.zeros(len(rows), dtype=bool)
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            there = np.nonzero((a[rows, i] >= 0) & (b[rows, j] >= 0))[0]
            if len(there):
                hit[there] |= test(texts, a[rows[there], i], b[rows[there], j])
    return hit


def _one_digit_off(texts: Texts, a: Ints, b: Ints) -> Mask:
    return texts.within(a, b, 1)


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


def _letter_off(texts: Texts, a: Ints, b: Ints) -> Mask:
    """Where two addresses differ by one slip that is not another digit."""
    hit = texts.within(a, b, 1)
    for row in np.nonzero(hit)[0].tolist():
        locals_ = [texts.values[code[row]].partition("@")[0] for code in (a, b)]
        digits = [[c for c in x if c.isdigit()] for x in locals_]
        hit[row] = digits[0] == digits[1] and (locals_[0] in ROLES) == (locals_[1] in ROLES)
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
