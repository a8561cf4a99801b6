"""Candidate pairs to levels and vetoes: Arrow in, Arrow out, no state.

What belongs here: which field is compared by what, and what contradicts a
merge. The levels and their sentences stand in levels.py, the rules of each
field in comparing/. The function is the same in one process and in many.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing import address, identifiers, names, people, reach, texts
from dedupe.comparing.columns import Levels, Mask, Rows, as_array, positions
from dedupe.comparing.measures import distinct_codes
from dedupe.counts import Counts
from dedupe.levels import FIELDS, LEVELS, MISSING, NUMBERS, VETOES, is_text
from rules.customer import ORGANIZATION, PERSON

_NUMBER = {
    customer_type: {
        field: {level.name: number for number, level in enumerate(known)}
        for field, known in fields.items()
    }
    for customer_type, fields in LEVELS.items()
}

_READ = frozenset(
    {"birth_date", "branch", "contacts", "emails", "employer", "id_keys", "name_cut"}
    | {"org_legal_form", "org_region", "phone_keys", "phone_kinds", "phones", "source"}
    | {"address_line", "city", "district", "house_number", "postal_code", "region", "road"}
    | {"road_key", "unit"}
)
"""Columns of features that are read of every pair's records; names are read apart from them."""

_WHOLE = _NUMBER[ORGANIZATION]["name"]["whole"]


_HOUSE = [level.name for level in LEVELS[PERSON]["address"]].index("number")


def compare(pairs: pa.Table, features: pa.Table, counts: Counts | None = None) -> pa.Table:
    """Compare candidate pairs field by field.

    Args:
        pairs: left_id, right_id, and whatever else: it is kept.
        features: rows of features.build, with every record of the pairs.
        counts: what was counted of all records; None: of the features.

    Returns:
        pairs, same rows and order, plus customer_type, one ``<field>_level``
        (int8, see levels.py) per field, ``veto`` (a name in ``levels.VETOES``, or
        null) and ``veto_without_numbers`` (the same if neither numbers nor birth
        dates were known).

    Raises:
        KeyError: a record of the pairs is not in features.
    """
    left, right = (_rows(pairs.column(name), features) for name in ("left_id", "right_id"))
    types = np.asarray(pc.equal(features.column("customer_type"), PERSON))
    person, organization = types[left] & types[right], ~types[left] & ~types[right]
    known = counts or Counts.of(features)

    levels: dict[str, Levels] = {}
    levels["name"] = names.levels(features, left, right, person, organization)
    scripts = _two_scripts(as_array(features.column("name_key")), left, right)
    used, place = distinct_codes(np.concatenate([left, right]))
    features = features.select([n for n in features.column_names if n in _READ or is_text(n)])
    if len(used) < features.num_rows:
        features = features.take(pa.array(used))
        left, right = place[: len(left)], place[len(left) :]
    features = features.combine_chunks()
    levels["id"] = identifiers.levels(features, left, right)
    levels["birth_date"] = _only(identifiers.birth_levels(features, left, right), person)
    levels["phone"] = reach.phone_levels(features, left, right, known.switchboards)
    levels["email"] = reach.email_levels(features, left, right, known.public)
    levels["address"] = address.levels(features, left, right)
    levels["employer"] = _only(people.employer_levels(features, left, right), person)
    levels["contact"] = _only(people.contact_levels(features, left, right), organization)
    branch, either = people.branch_levels(features, left, right)
    levels["branch"] = _only(branch, organization)
    # An equal name says less of a branch and a name that may be its parent's.
    either &= organization & (levels["name"] > _WHOLE)
    levels["name"][either] = _WHOLE
    levels["source"] = people.source_levels(features, left, right, known.several_sources)
    for field in sorted(filter(is_text, features.column_names)):
        levels[field] = texts.levels(features.column(field), left, right)

    generation = identifiers.generation_apart(features, left, right)
    kind = np.where(person, PERSON, np.where(organization, ORGANIZATION, ""))
    result = pairs.append_column("customer_type", pa.array(kind, mask=kind == ""))
    for field in (*FIELDS, *filter(is_text, levels)):
        result = result.append_column(f"{field}_level", pa.array(levels[field], pa.int8()))
    result = result.append_column(
        "veto", _vetoes(levels, person, organization, generation, scripts)
    )
    unnumbered = levels | {field: np.full_like(levels[field], MISSING) for field in NUMBERS}
    return result.append_column(
        "veto_without_numbers", _vetoes(unnumbered, person, organization, generation, scripts)
    )


def _two_scripts(names: pa.Array, left: Rows, right: Rows) -> Mask:
    """Where one of two names is in Chinese characters and the other is not."""
    han = ~np.asarray(pc.string_is_ascii(names).fill_null(True))
    some = np.flatnonzero(han)
    letters = names.take(pa.array(some))
    han[some] = np.asarray(pc.match_substring_regex(letters, r"\p{Han}"))
    apart: Mask = han[left] != han[right]
    return apart


def _rows(ids: pa.ChunkedArray, features: pa.Table) -> Rows:
    found = positions(ids, as_array(features.column("record_id")))
    missing = int(np.count_nonzero(found < 0))
    if missing:
        raise KeyError(f"{missing} records of the pairs are not in features")
    return found


def _only(levels: Levels, mask: Mask) -> Levels:
    return np.where(mask, levels, np.int8(MISSING)).astype(np.int8)


def _vetoes(
    levels: dict[str, Levels],
    person: Mask,
    organization: Mask,
    generation: Mask,
    two_scripts: Mask,
) -> pa.Array:
    """The first veto that applies to each pair, in the order of levels.VETOES.

    Relatives share family name, address, telephone and even the whole name, but
    no number and no birth date: where those agree, a contradicting name is a
    slip, and where a generation does not lie between two dates, no two people
    of one name and address have them.

    Args:
        generation: pairs whose birth dates are as far apart as parents' and children's.
        two_scripts: pairs of which one name is in Chinese characters, the other is not.
    """
    names_of = {kind: _NUMBER[kind]["name"] for kind in (PERSON, ORGANIZATION)}
    name = levels["name"]

    def person_is(*which: str) -> Mask:
        return person & np.isin(name, [names_of[PERSON][w] for w in which])

    def organization_is(*which: str) -> Mask:
        return organization & np.isin(name, [names_of[ORGANIZATION][w] for w in which])

    id_agrees = levels["id"] >= identifiers.NEAR
    email_agrees = levels["email"] >= reach.EMAIL_NEAR
    phoned = levels["phone"] >= reach.PHONE_HOUSEHOLD
    reached = phoned | (levels["address"] >= address.OTHER_NUMBER)
    # A birth date alone, which strangers share, does not outweigh unlike names.
    born = levels["birth_date"] == identifiers.BORN_SAME
    in_town = reached | email_agrees | (levels["address"] > address.UNLIKE)
    same_name = person & (name >= names_of[PERSON]["script"])
    at_home = levels["address"] >= address.NEAR
    together = phoned | (levels["address"] >= _HOUSE)
    # A number one slip away may be another person's: dates that differ outweigh it, unless the
    # names agree, too.
    like_name = person & (name >= names_of[PERSON]["both_near"])
    id_holds = (levels["id"] > identifiers.NEAR) | (id_agrees & like_name)
    other_given = person_is("family_only") & ~id_agrees & ~(born & in_town)
    # Twins share family name, birth date, house and telephone, not the given name and the e-mail.
    # Who has a Chinese and an English given name differs from himself in nothing but these.
    twins = person_is("family_only") & born & in_town & ~id_agrees & ~email_agrees & ~two_scripts
    other_character = person_is("one_character") & ~id_agrees & ~born
    # Of father and son one gets a suffix; what else they share is the household's.
    own_phone = levels["phone"] >= reach.PHONE_NEAR
    one_suffix = person_is("suffix") & ~id_agrees & ~born & ~email_agrees & ~own_phone & together
    other_line = organization_is("other_industry", "other_region") & ~id_agrees
    unlike = (
        (person_is("unlike") | organization_is("unlike"))
        & ~id_agrees
        & ~email_agrees
        & ~(born & reached)
    )
    other_id = (levels["id"] == identifiers.CONFLICT) & ~(same_name & born & reached)
    other_birth_date = (
        (levels["birth_date"] == identifiers.BORN_DIFFERENT)
        & ~id_holds
        & ~(same_name & at_home & ~generation)
    )
    # Relatives share neither number nor birth date; a firm's second number is more often a slip.
    relatives = person & together & ~id_agrees & (levels["birth_date"] < identifiers.BORN_NEAR)
    tests: dict[str, Mask] = {
        "type": ~person & ~organization,
        "branch": np.isin(levels["branch"], [people.BRANCH_OTHER, people.BRANCH_PARENT]),
        "id_at_home": other_id & relatives,
        "id": other_id,
        "birth_date_at_home": other_birth_date & relatives,
        "birth_date": other_birth_date,
        "twins": twins,
        "household": (other_given | other_character) & together | one_suffix,
        "given_name": other_given,
        "sibling": other_character,
        "relative": person_is("conflict") & ~id_agrees & ~born,
        "housemates": unlike & person & together,
        "unlike": unlike,
        "group": other_line & together,
        "sister": other_line,
    }
    veto = np.full(len(name), -1, dtype=np.int8)
    reasons = list(VETOES)
    for number in reversed(range(len(reasons))):
        veto[tests[reasons[number]]] = number
    return pa.array(reasons, pa.string()).take(pa.array(veto, mask=veto < 0))
