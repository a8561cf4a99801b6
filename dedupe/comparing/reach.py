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
    as_array,
    encode,
    encode_lists,
    halves,
    renamed,
    shares,
)
from dedupe.comparing.measures import Texts
from dedupe.levels import MISSING

PHONE_ALL_DIFFER, PHONE_OTHER_MOBILE, PHONE_NONE, PHONE_OTHER_KIND = range(4)
PHONE_HOUSEHOLD, PHONE_LINE, PHONE_NEAR, PHONE_SHARED, PHONE_MOBILE, PHONE_TWO = range(4, 10)
EMAIL_DIFFERENT, EMAIL_DOMAIN, EMAIL_LOCAL, EMAIL_NEAR, EMAIL_SAME = 0, 1, 2, 3, 4
_MOBILE, _OTHER = 1, 2
_BY_KINDS = np.array(
    [PHONE_OTHER_KIND, PHONE_OTHER_MOBILE, PHONE_NONE, PHONE_ALL_DIFFER], dtype=np.int8
)
"""The level of records without a number in common, by the kinds that both have."""

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
    counted = pc.value_counts(as_array(features.column("phones")).flatten())
    common = pc.greater(counted.field("counts"), SWITCHBOARD)
    return frozenset(counted.field("values").filter(common).to_pylist())


def phone_levels(features: pa.Table, left: Rows, right: Rows, common: frozenset[str]) -> Levels:
    """Telephone levels of pairs of rows; -1 where either has no number.

    Args:
        features: rows of features.build.
        left, right: row numbers, one per pair.
        common: of :func:`switchboards` over all records.
    """
    numbers = encode_lists(as_array(features.column("phones")))
    codes = numbers.codes.copy()
    if common:
        left_out = pc.is_in(numbers.texts, value_set=pa.array(sorted(common)))
        codes[numbers.where(left_out)[codes]] = -1
    a, b = codes[left], codes[right]
    shared = shares(a, b)
    keys = encode_lists(as_array(features.column("phone_keys")), width=8)
    local = _local(keys)
    damaged, some_left = _damaged(keys)
    legible = ~damaged | some_left
    legible[-1] = False
    has: Mask = np.asarray(legible[keys.codes].any(axis=1)) | (numbers.codes >= 0).any(axis=1)
    kinds_of = encode_lists(as_array(features.column("phone_kinds")))
    kinds = _kind_bits(kinds_of)
    result = np.full(len(left), MISSING, dtype=np.int8)
    both = has[left] & has[right]
    both &= (shared > 0) | (shares(numbers.codes[left], numbers.codes[right]) == 0)
    result[both] = PHONE_NONE
    known = both & (kinds[left] > 0) & (kinds[right] > 0)
    result[known] = _BY_KINDS[(kinds[left] & kinds[right])[known]]
    rows = np.nonzero(both & (shared == 0))[0]
    near = _any_pair(numbers, a, b, rows, _one_digit_off)
    near |= _local_match(local, numbers, left[rows], right[rows])
    near |= _local_match(local, numbers, right[rows], left[rows])
    near |= _damaged_match(keys, some_left, left[rows], right[rows])
    result[rows[near]] = PHONE_NEAR
    one = both & (shared == 1)
    result[one] = PHONE_SHARED
    mobile, fixed = (
        _shared_of_kind(kinds_of, codes, left, right, kind) for kind in ("mobile", "fixed")
    )
    result[one & fixed] = PHONE_LINE
    several = (codes >= 0).sum(axis=1) > 1
    result[one & several[left] & several[right]] = PHONE_HOUSEHOLD
    result[one & mobile] = PHONE_MOBILE
    result[both & (shared > 1)] = PHONE_TWO
    return result


def _damaged(keys: Codes) -> tuple[Mask, Mask]:
    """Which keys are of damaged numbers, and of which of these enough is left to say whose."""
    damaged = keys.where(pc.starts_with(keys.texts, "damaged:"))
    rows = np.flatnonzero(damaged)
    enough = damaged.copy()
    enough[rows] = [
        len(_digits(key)) >= LEAST_DAMAGED for key in keys.texts.take(pa.array(rows)).to_pylist()
    ]
    return damaged, enough


def _local(keys: Codes) -> Codes:
    """The digits of numbers without area code."""
    local = pc.match_substring_regex(keys.texts, "(?s)^local:.")
    digits = pc.replace_substring_regex(keys.texts, "^local:", "")
    return renamed(keys, pc.if_else(local, digits, pa.scalar(None, pa.string())))


def _kind_bits(kinds: Codes) -> npt.NDArray[np.int8]:
    """Bit 1 where a record has a mobile number, 2 where it has any other."""
    bit = [_MOBILE if kind == "mobile" else _OTHER for kind in kinds.values]
    table = np.array([*bit, 0], dtype=np.int8)
    bits = np.zeros(len(kinds.codes), dtype=np.int8)
    for slot in range(kinds.codes.shape[1]):
        bits |= table[kinds.codes[:, slot]]
    return bits


def _shared_of_kind(kinds: Codes, codes: Ints, left: Rows, right: Rows, kind: str) -> Mask:
    """Where two rows share a number that is of one kind by what at least one of them says.

    Args:
        kinds: of every row's numbers.
        codes: numbers of every row, as far as they count.
    """
    if kind not in kinds.values:
        return np.zeros(len(left), dtype=bool)
    slots = min(codes.shape[1], kinds.codes.shape[1])
    number, its_kind = codes[:, :slots], kinds.codes[:, :slots]
    known = np.array([name == kind for name in kinds.values] + [False])[its_kind]
    own = np.where(known, number, -1)
    said = shares(own[left], number[right]) + shares(number[left], own[right])
    result: Mask = said > 0
    return result


def _local_match(local: Codes, full: Codes, left: Rows, right: Rows) -> Mask:
    """Where a number without area code of left ends (or is) a number of right."""
    hit = np.zeros(len(left), dtype=bool)
    if not len(local.texts):
        return hit
    texts = Texts(np.concatenate([local.objects, full.objects]))
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
            hit[rows[there]] |= texts.ends(other[there] + len(local.texts), own[there])
    return hit


def _damaged_match(keys: Codes, is_damaged: Mask, left: Rows, right: Rows) -> Mask:
    """Where a damaged number of one record is, but for one digit, the end of one of the other.

    Args:
        is_damaged: keys of damaged numbers of which enough is left.
    """
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
    count = max(len(keys.texts), 1)
    low = damaged.astype(np.int64) * count + whole
    distinct, inverse = np.unique(low, return_inverse=True)
    first, second = (keys.texts.take(pa.array(c)) for c in (distinct // count, distinct % count))
    pairs = zip(first.to_pylist(), second.to_pylist(), strict=True)
    same = [same_but_damaged(_digits(a), _digits(b)) for a, b in pairs]
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
    found = []
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            there = np.nonzero((a[rows, i] >= 0) & (b[rows, j] >= 0))[0]
            found.append((there, a[rows[there], i], b[rows[there], j]))
    pair, one, other = (np.concatenate(parts) for parts in zip(*found, strict=True))
    some, (one, other) = values.only(one, other)
    hit = np.zeros(len(rows), dtype=bool)
    hit[pair[test(Texts(some.objects), one, other)]] = True
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
    emails = encode_lists(as_array(features.column("emails")))
    a, b = emails.codes[left], emails.codes[right]
    local, domain = _halves(emails.texts)
    none = pa.scalar(None, pa.string())
    telling = pc.invert(pc.is_in(domain, value_set=pa.array(sorted(public), pa.string())))
    domains = renamed(emails, pc.if_else(telling, domain, none))
    nobody = pc.is_in(local, value_set=pa.array(sorted(ROLES)))
    nobody = pc.or_(nobody, pc.less(pc.utf8_length(local), 4))
    locals_ = renamed(emails, pc.if_else(nobody, none, local))
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
    names = pc.coalesce(features.column("brand_key"), features.column("family"))
    owner = encode(as_array(names)).codes.astype(np.int64) + 1  # 0 is nobody
    owners = int(owner.max(initial=0)) + 1
    emails = encode_lists(as_array(features.column("emails")))
    domains = renamed(emails, _halves(emails.texts)[1])
    rows, slots = np.nonzero(domains.codes >= 0)
    held = np.unique(domains.codes[rows, slots].astype(np.int64) * owners + owner[rows])
    common = np.flatnonzero(np.bincount(held // owners, minlength=1) > PUBLIC_ABOVE)
    return frozenset(domains.texts.take(pa.array(common)).to_pylist())


def _halves(addresses: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Local part and domain of each address; null where there is no domain."""
    local, domain = halves(addresses, "@")
    return local, pc.if_else(pc.equal(domain, ""), pa.scalar(None, pa.string()), domain)


PUBLIC_ABOVE = 12
"""Distinct brands and family names from which a mail domain counts as a public service."""
