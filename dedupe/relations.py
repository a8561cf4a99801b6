"""Persons and organizations that belong together without being one customer.

A person and a company are never merged; that somebody works at a company or
owns it is said by a link between their two golden customers instead. A name
alone links only where it is one organization's; otherwise the two records must
also share a telephone number, an e-mail, an identity number or the address.
"""

from collections.abc import Callable

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.features import distinct_map
from rules import organization_name, person_name, text

WORKS_AT, OWNER_OF = "works_at", "owner_of"
COMMON = 20
"""Records sharing a telephone number or e-mail from which it shows no relation any more."""

SCHEMA = pa.schema(
    [
        pa.field("person_id", pa.string()),
        pa.field("organization_id", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("basis", pa.string()),
        pa.field("person_record_id", pa.string()),
        pa.field("organization_record_id", pa.string()),
    ]
)
"""Golden ids of the two, works_at or owner_of, what says so, and the two records that do."""

BASES = {
    "employer": "The person's record names the organization as employer.",
    "contact": "The organization names the person as contact, and both share a way to reach them.",
    "legal_representative": "The organization names the person as legal representative,"
    " and both share a number, an e-mail or the address.",
    "named_after": "The organization bears the person's name, and both share a number,"
    " an e-mail or the address.",
}
"""Basis → the sentence a reader sees; of several, the first is kept."""


KINSHIP_SCHEMA = pa.schema(
    [
        pa.field("person_record_id", pa.string()),
        pa.field("organization_record_id", pa.string()),
        pa.field("how", pa.string()),
        pa.field("key", pa.string()),
    ]
)
"""A person's and an organization's record, and what joins them: a way to reach both (shared), or a
basis; for employer the name by which the person's record names the organization."""


def kin(staged: pa.Table) -> pa.Table:
    """What each record says of others, and how it is reached; a row follows from its record alone.

    Args:
        staged: ``rules.customer.STAGED_SCHEMA``.

    Returns:
        one row per record, sorted by record_id: what :func:`kinships` reads.
    """
    others = staged["other_names"].combine_chunks()
    flat = _folded(others.flatten())
    return pa.table(
        {
            "record_id": staged["record_id"],
            "customer_type": staged["customer_type"],
            "name_key": staged["name_key"],
            "other_keys": pa.ListArray.from_arrays(others.offsets, flat, mask=others.is_null()),
            "brand_key": _mapped(staged, "org_brand", text.fold),
            "employer_key": _mapped(staged, "employer_name", _organization_key),
            "contact_key": _mapped(staged, "contact_name", _person_key),
            "representative_key": _mapped(staged, "legal_representative", _person_key),
            "phone_keys": staged["phone_keys"],
            "emails": staged["emails"],
            "id_keys": staged["id_keys"],
            "address_key": staged["address_key"],
            "city": staged["city"],
        }
    ).sort_by("record_id")


def kinships(kin: pa.Table) -> pa.Table:
    """What joins records of persons and organizations, whatever customers they are.

    Args:
        kin: of :func:`kin`.

    Returns:
        :data:`KINSHIP_SCHEMA`, sorted; the same for any order of the rows.
    """
    if len(pc.unique(kin["customer_type"])) < 2:
        return KINSHIP_SCHEMA.empty_table()
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.register("record", kin)
        for sql in (_NAMES, _REACH):
            connection.execute(sql)
        return connection.sql(_KINSHIPS).to_arrow_table().cast(KINSHIP_SCHEMA).combine_chunks()


def relate(kin: pa.Table, crosswalk: pa.Table) -> pa.Table:
    """Find who works at or owns which organization.

    Args:
        kin: of :func:`kinships`.
        crosswalk: record_id, golden_id.

    Returns:
        :data:`SCHEMA`, one row per person, organization and kind, sorted; the
        same for any order of the rows.
    """
    if not kin.num_rows:
        return SCHEMA.empty_table()
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.register("kin", kin)
        connection.register("crosswalk", crosswalk.select(["record_id", "golden_id"]))
        for sql in (_CUSTOMERS, _RELATED):
            connection.execute(sql)
        return connection.sql(_BEST).to_arrow_table().cast(SCHEMA).combine_chunks()


def _mapped(staged: pa.Table, column: str, function: Callable[[str], str]) -> pa.Array:
    return distinct_map(staged.column(column).combine_chunks(), function)


def _folded(names: pa.Array) -> pa.Array:
    return distinct_map(names, text.fold)


def _organization_key(name: str) -> str:
    return organization_name.parse(name).key or ""


def _person_key(name: str) -> str:
    return person_name.parse(name).key or ""


_NAMES = """
CREATE TABLE organization_name AS
SELECT DISTINCT record_id, key FROM (
    SELECT record_id, name_key AS key FROM record WHERE customer_type = 'organization'
    UNION ALL
    SELECT record_id, unnest(other_keys) FROM record WHERE customer_type = 'organization'
) WHERE key IS NOT NULL AND key <> '';
"""

_REACHED_BY = """
    SELECT record_id, 'phone ' || unnest(phone_keys) AS key FROM record
    WHERE customer_type = '{type}'
    UNION ALL
    SELECT record_id, 'email ' || unnest(emails) FROM record WHERE customer_type = '{type}'
    UNION ALL
    SELECT record_id, 'id ' || unnest(id_keys) FROM record WHERE customer_type = '{type}'
    UNION ALL
    SELECT record_id, 'place ' || city || ' ' || address_key FROM record
    WHERE customer_type = '{type}' AND regexp_matches(address_key, '[0-9]')
"""

_REACH = f"""
CREATE TABLE organization_reach AS
SELECT DISTINCT record_id, key FROM ({_REACHED_BY.format(type="organization")})
WHERE key IS NOT NULL;
CREATE TABLE person_reach AS
SELECT DISTINCT record_id, key FROM ({_REACHED_BY.format(type="person")})
WHERE key IN (SELECT key FROM organization_reach);
CREATE TABLE shared AS
WITH usable AS (
    SELECT key FROM (FROM organization_reach UNION ALL FROM person_reach)
    GROUP BY key HAVING count(*) <= {COMMON}
)
SELECT DISTINCT p.record_id AS person_record_id, o.record_id AS organization_record_id
FROM usable JOIN person_reach p USING (key) JOIN organization_reach o USING (key);
"""

_KINSHIPS = """
WITH together AS (
    SELECT s.*, p.name_key AS person_key, o.contact_key, o.representative_key, o.brand_key,
        o.name_key
    FROM shared s JOIN record p ON p.record_id = s.person_record_id
        JOIN record o ON o.record_id = s.organization_record_id
    WHERE p.name_key <> ''
)
SELECT person_record_id, organization_record_id, 'shared' AS how, NULL AS key FROM shared
UNION ALL
SELECT p.record_id, o.record_id, 'employer', o.key
FROM record p JOIN organization_name o ON o.key = p.employer_key
WHERE p.customer_type = 'person'
UNION ALL
SELECT columns('_record_id$'), 'contact', NULL FROM together WHERE contact_key = person_key
UNION ALL
SELECT columns('_record_id$'), 'legal_representative', NULL FROM together
WHERE representative_key = person_key
UNION ALL
SELECT columns('_record_id$'), 'named_after', NULL FROM together
WHERE brand_key = person_key OR starts_with(name_key, person_key)
ORDER BY ALL
"""

_CUSTOMERS = """
CREATE TABLE joined AS
SELECT k.*, p.golden_id AS person_id, o.golden_id AS organization_id
FROM kin k JOIN crosswalk p ON p.record_id = k.person_record_id
    JOIN crosswalk o ON o.record_id = k.organization_record_id;
"""

_RELATED = """
CREATE TABLE related AS
WITH owners AS (
    SELECT key, count(DISTINCT organization_id) AS organizations FROM joined
    WHERE how = 'employer' GROUP BY key
), reached AS (
    SELECT DISTINCT person_id, organization_id FROM joined WHERE how = 'shared'
)
SELECT columns('_id$'), 'works_at' AS kind, how AS basis, 0 AS strength
FROM joined j JOIN owners w USING (key)
WHERE how = 'employer' AND (
    w.organizations = 1
    OR EXISTS (
        SELECT 1 FROM reached s
        WHERE s.person_id = j.person_id AND s.organization_id = j.organization_id
    )
)
UNION ALL
SELECT columns('_id$'), 'works_at', how, 1 FROM joined WHERE how = 'contact'
UNION ALL
SELECT columns('_id$'), 'owner_of', how, 2 FROM joined WHERE how = 'legal_representative'
UNION ALL
SELECT columns('_id$'), 'owner_of', how, 3 FROM joined WHERE how = 'named_after';
"""

_BEST = """
SELECT person_id, organization_id, kind,
    arg_min(basis, (strength, person_record_id, organization_record_id)) AS basis,
    arg_min(person_record_id, (strength, person_record_id, organization_record_id))
        AS person_record_id,
    arg_min(organization_record_id, (strength, person_record_id, organization_record_id))
        AS organization_record_id
FROM related GROUP BY ALL ORDER BY ALL
"""
