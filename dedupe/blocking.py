"""Features to candidate pairs: records that share at least one key.

What belongs here: the keys, and what happens to keys that too many records
share. A key shared by more than ``limit`` records is refined by a second
property (city, birth year, start of the name, road), then by two; only what is
still too large is left out, and the report counts it. Records of different
customer types are never paired.

DuckDB makes the pairs from one table of (type, kind, key, row).
"""

from dataclasses import dataclass
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.levels import is_text

KINDS: dict[str, str] = {
    "name": "the same name, by spelling or pinyin",
    "short_name": "the same family name and initial",
    "given": "the same given name and start of the family name",
    "place": "the same family name in the same city",
    "postal": "the same postal code and start of the family or given name",
    "brand": "the same distinctive name, by spelling or pinyin",
    "brand_start": "the same start of the distinctive name",
    "word": "a word of the distinctive name",
    "acronym": "initials that are the other's name",
    "phone": "the same last seven digits of a telephone number",
    "id": "the same identity or registration number",
    "id_part": "the same half of such a number",
    "email": "the same e-mail address",
    "email_local": "the same e-mail address before the @",
    "email_domain": "the same e-mail domain",
    "birth": "the same birth date",
    "address": "the same house number and start of the road",
    "contact": "the same contact person or legal representative",
    "text": "the same text in a further field, and the start of the name",
    "same": "the same name, and all telephone numbers, e-mails and the address",
}
"""Kind of key → what two records that share it have in common."""

WEAK = frozenset(
    {"short_name", "place", "postal", "brand_start", "word", "acronym", "id_part", "email_local"}
    | {"email_domain", "text"}
)
"""Kinds that many unrelated records share: their blocks may hold a quarter of the limit only,
and larger ones are refined by two properties at once."""

LASTING = frozenset({"id", "same"})
"""Kinds that name one holder, whom a list of orders repeats in every row: their blocks may hold
:data:`LASTING_TIMES` the limit."""
LASTING_TIMES = 5

TEXT_TIMES = 20
"""Times the limit: a text of a further field that more records have proposes no pairs."""

_BITS = {kind: 1 << number for number, kind in enumerate(KINDS)}

REPORT = pa.schema(
    [
        pa.field("kind", pa.string()),
        pa.field("blocks", pa.int64()),
        pa.field("pairs", pa.int64()),
        pa.field("oversized", pa.int64()),
        pa.field("largest", pa.int64()),
        pa.field("refined_pairs", pa.int64()),
        pa.field("left_out", pa.int64()),
    ]
)
"""Per kind of key: keys that two or more records share, pairs they make, keys shared by too
many records, records of the largest, pairs made of those by refining, pairs of those that were
not made (once per key; other kinds may still have found them)."""


class BlockingSettings(Protocol):
    """What blocking reads of dedupe.model.MatchingSettings."""

    @property
    def block_limit(self) -> int:
        """Records that may share one key."""
        ...

    @property
    def link_only(self) -> bool:
        """Whether only records of two sources are paired."""
        ...


@dataclass(frozen=True)
class Candidates:
    """Pairs worth comparing, and what was left out.

    Attributes:
        pairs: left_id, right_id, found_by (kinds of keys joined by commas), sorted.
        report: one row per kind of key, see :data:`REPORT`.
    """

    pairs: pa.Table
    report: pa.Table


def candidates(features: pa.Table, settings: BlockingSettings) -> Candidates:
    """Pair the records that share a key.

    Args:
        features: of features.build: sorted by record_id.
        settings: block_limit.

    Returns:
        pairs with left_id < right_id, sorted; the same for any order of the
        staged records and any number of threads.
    """
    with duckdb.connect() as connection:
        numbers = pa.array(range(features.num_rows), pa.int32())
        connection.register("features", features.append_column("row", numbers))
        _make_keys(connection, features, settings)
        for sql in (_BLOCKS, _REFINE, _REFINE_TWICE):
            connection.execute(_filled(sql, settings.block_limit))
        connection.execute(_PAIRS)
        pairs = connection.sql(_FOUND).to_arrow_table()
        report = connection.sql(_REPORT).to_arrow_table()
    if settings.link_only:
        source = features.column("source").combine_chunks().dictionary_encode().indices
        sides = (source.take(pairs.column(side).combine_chunks()) for side in ("a", "b"))
        pairs = pairs.filter(pc.not_equal(*sides))
    return Candidates(_named(pairs, features), _sorted_report(report))


def keys(features: pa.Table, settings: BlockingSettings) -> pa.Table:
    """The keys of some records: kind, key, record_id; sorted.

    Args:
        features: of features.build, or some rows of it; an acronym is a key only where
            another of these rows spells it out.
        settings: block_limit.
    """
    with duckdb.connect() as connection:
        numbers = pa.array(range(features.num_rows), pa.int32())
        connection.register("features", features.append_column("row", numbers))
        _make_keys(connection, features, settings)
        return connection.sql(
            "SELECT DISTINCT kind, key, record_id FROM keys JOIN f USING (row)"
            " WHERE key IS NOT NULL AND key <> '' ORDER BY ALL"
        ).to_arrow_table()


def _make_keys(
    connection: duckdb.DuckDBPyConnection, features: pa.Table, settings: BlockingSettings
) -> None:
    connection.execute("SET enable_progress_bar = false")
    for sql in (_PREPARE, _PERSON_KEYS, _ORGANIZATION_KEYS, _COMMON_KEYS):
        connection.execute(sql)
    for name in filter(is_text, features.column_names):
        quoted = name.replace('"', '""'), name.replace("'", "''")
        sql = _TEXT_KEYS.replace("$column", f'"{quoted[0]}"').replace("$name", quoted[1])
        connection.execute(sql.replace("$most", str(settings.block_limit * TEXT_TIMES)))


def limit_of(kind: str, settings: BlockingSettings) -> int:
    """Records that may share a key of a kind."""
    if kind in WEAK:
        return max(2, settings.block_limit // 4)
    return settings.block_limit * (LASTING_TIMES if kind in LASTING else 1)


def _filled(sql: str, limit: int) -> str:
    """SQL with the limits and the weak kinds in place."""
    weak = ", ".join(f"'{kind}'" for kind in sorted(WEAK))
    return (
        sql.replace("$weak_limit", str(max(2, limit // 4)))
        .replace("$lasting_limit", str(limit * LASTING_TIMES))
        .replace("$lasting", ", ".join(f"'{kind}'" for kind in sorted(LASTING)))
        .replace("$limit", str(limit))
        .replace("$weak", weak)
    )


def _named(pairs: pa.Table, features: pa.Table) -> pa.Table:
    """Rows and bits to record ids and kinds."""
    bits = pairs.column("bits").combine_chunks().dictionary_encode()
    texts = [
        ",".join(kind for kind, bit in _BITS.items() if value & bit)
        for value in bits.dictionary.to_pylist()
    ]
    ids = features.column("record_id").combine_chunks()
    return pa.table(
        {
            "left_id": ids.take(pairs.column("a").combine_chunks()),
            "right_id": ids.take(pairs.column("b").combine_chunks()),
            "found_by": pa.array(texts, pa.string()).take(bits.indices),
        }
    )


def _sorted_report(report: pa.Table) -> pa.Table:
    rows = {row["kind"]: row for row in report.to_pylist()}
    return pa.Table.from_pylist([rows[kind] for kind in KINDS if kind in rows], REPORT)


_BIT = "CASE kind " + " ".join(f"WHEN '{k}' THEN {b}" for k, b in _BITS.items()) + " END"

_PREPARE = """
CREATE TEMP TABLE f AS
SELECT
    customer_type = 'person' AS person,
    coalesce(city, region) AS city,
    year(birth_date) AS born,
    CASE WHEN person THEN left(name_readings[1], 3)
         ELSE left(brand_readings[1], 4) END AS start,
    left(road_key, 3) AS road,
    *  EXCLUDE (city, road)
FROM features;
CREATE TEMP TABLE keys (kind VARCHAR, key VARCHAR, row INTEGER);
CREATE TEMP TABLE readings AS
SELECT DISTINCT row, split_part(r, ' ', 1) AS family,
       replace(substr(r, length(split_part(r, ' ', 1)) + 2), ' ', '') AS given
FROM (SELECT row, unnest(name_readings) AS r FROM f WHERE person);
"""

_PERSON_KEYS = """
INSERT INTO keys
SELECT 'name', family || given, row FROM readings WHERE given <> ''
UNION ALL
SELECT 'name', given || family, row FROM readings WHERE given <> ''
UNION ALL
SELECT 'name', name_key, row FROM f WHERE person AND length(name_key) > 1
UNION ALL
SELECT 'short_name', family || '.' || left(given, 1), row FROM readings WHERE given <> ''
UNION ALL
SELECT 'given', given || '.' || left(family, 2), row FROM readings WHERE length(given) > 2
UNION ALL
SELECT 'place', readings.family || '@' || f.city, f.row FROM readings JOIN f USING (row)
WHERE f.city IS NOT NULL AND readings.family <> ''
UNION ALL
SELECT 'postal', unnest([f.postal_code || '.' || left(readings.family, 2),
                         f.postal_code || ':' || left(readings.given, 2)]), f.row
FROM readings JOIN f USING (row)
WHERE f.postal_code IS NOT NULL AND readings.family <> '' AND readings.given <> ''
UNION ALL
SELECT 'birth', CAST(birth_date AS VARCHAR), row FROM f WHERE person AND birth_date IS NOT NULL;
"""

_ORGANIZATION_KEYS = """
INSERT INTO keys
SELECT 'name', name_key, row FROM f WHERE NOT person AND length(name_key) > 1
UNION ALL
SELECT 'brand', unnest(brand_readings), row FROM f WHERE NOT person
UNION ALL
SELECT 'brand_start', unnest(brand_starts), row FROM f WHERE NOT person
UNION ALL
SELECT 'word', unnest(brand_words), row FROM f WHERE NOT person
UNION ALL
SELECT 'acronym', acronym, row FROM f WHERE NOT person
UNION ALL
SELECT 'acronym', key, row FROM (SELECT unnest(initials) AS key, row FROM f WHERE NOT person)
WHERE key IN (SELECT acronym FROM f WHERE NOT person)
UNION ALL
SELECT 'contact', unnest(contacts), row FROM f WHERE NOT person
UNION ALL
SELECT 'email_domain', split_part(address, '@', 2), row
FROM (SELECT unnest(emails) AS address, row FROM f WHERE NOT person);
"""

_COMMON_KEYS = """
INSERT INTO keys
SELECT 'phone', right(key, 7), row
FROM (SELECT unnest(phone_keys) AS key, row FROM f) WHERE length(key) > 7
UNION ALL
SELECT 'id', key, row FROM (SELECT unnest(id_keys) AS key, row FROM f)
UNION ALL
SELECT 'id_part', kind || ':<' || left(value, length(value) // 2 + 1), row
FROM (SELECT split_part(key, ':', 1) AS kind, split_part(key, ':', 2) AS value, row
      FROM (SELECT unnest(id_keys) AS key, row FROM f)) WHERE length(value) > 7
UNION ALL
SELECT 'id_part', kind || ':>' || right(value, length(value) // 2), row
FROM (SELECT split_part(key, ':', 1) AS kind, split_part(key, ':', 2) AS value, row
      FROM (SELECT unnest(id_keys) AS key, row FROM f)) WHERE length(value) > 7
UNION ALL
SELECT 'email', address, row FROM (SELECT unnest(emails) AS address, row FROM f)
UNION ALL
SELECT 'email_local', split_part(address, '@', 1), row
FROM (SELECT unnest(emails) AS address, row FROM f)
WHERE length(split_part(address, '@', 1)) > 4
UNION ALL
SELECT 'same', concat_ws('|', name_key, array_to_string(phone_keys, ','),
                         array_to_string(emails, ','), road_key, house_number, unit, city), row
FROM f WHERE length(name_key) > 1
         AND (phone_keys IS NOT NULL OR emails IS NOT NULL OR house_number IS NOT NULL)
UNION ALL
SELECT 'address', house_number || ' ' || left(road_key, 4), row FROM f
WHERE house_number IS NOT NULL AND road_key IS NOT NULL;
"""

_TEXT_KEYS = """
INSERT INTO keys
WITH selective AS (
    SELECT row, $column AS value FROM f
    WHERE $column IN (SELECT $column FROM f GROUP BY ALL HAVING count(*) BETWEEN 2 AND $most)
)
SELECT 'text', '$name' || value || unnest(['.' || left(family, 2), ':' || left(given, 2)]), row
FROM selective JOIN readings USING (row) WHERE family <> '' AND given <> ''
UNION ALL
SELECT 'text', '$name' || value || '.' || f.start, row
FROM selective JOIN f USING (row) WHERE NOT f.person;
"""

_BLOCKS = """
CREATE TEMP TABLE typed AS
SELECT DISTINCT keys.kind, keys.key, f.person, keys.row
FROM keys JOIN f USING (row) WHERE keys.key IS NOT NULL AND keys.key <> '';
CREATE TEMP TABLE sizes AS
SELECT kind, key, person, count(*) AS size,
       CASE WHEN kind IN ($weak) THEN $weak_limit WHEN kind IN ($lasting) THEN $lasting_limit
            ELSE $limit END AS most
FROM typed GROUP BY kind, key, person HAVING count(*) > 1;
CREATE TEMP TABLE blocks AS
SELECT typed.kind, typed.key, typed.person, typed.row, 0 AS round
FROM typed JOIN sizes USING (kind, key, person) WHERE size <= most;
"""

_REFINE = """
CREATE TEMP TABLE wide AS
SELECT typed.*, f.city, f.born, f.start, f.road
FROM typed JOIN sizes USING (kind, key, person) JOIN f USING (row)
WHERE size > most;
CREATE TEMP TABLE narrow AS
SELECT kind, key || '|' || property || part AS key, key AS parent, person, row
FROM (
    SELECT *, unnest(['city:', 'born:', 'start:', 'road:']) AS property,
           unnest([city, CAST(born AS VARCHAR), start, road]) AS part
    FROM wide
) WHERE part IS NOT NULL;
CREATE TEMP TABLE narrow_sizes AS
SELECT kind, key, person, count(*) AS size FROM narrow GROUP BY ALL HAVING count(*) > 1;
INSERT INTO blocks
SELECT kind, key, person, row, 1 FROM narrow JOIN narrow_sizes USING (kind, key, person)
WHERE size <= $limit AND kind NOT IN ($weak);
"""

_REFINE_TWICE = """
CREATE TEMP TABLE twice AS
SELECT a.kind, a.key || '&' || b.key AS key, a.person, a.row
FROM narrow AS a
JOIN narrow_sizes AS s ON s.kind = a.kind AND s.key = a.key AND s.person = a.person
JOIN narrow AS b ON b.kind = a.kind AND b.parent = a.parent AND b.person = a.person
     AND b.row = a.row AND b.key > a.key
WHERE s.size > $limit OR a.kind IN ($weak);
CREATE TEMP TABLE twice_sizes AS
SELECT kind, key, person, count(*) AS size FROM twice GROUP BY ALL HAVING count(*) > 1;
INSERT INTO blocks
SELECT kind, key, person, row, 2 FROM twice JOIN twice_sizes USING (kind, key, person)
WHERE size <= CASE WHEN kind IN ($weak) THEN $weak_limit ELSE $limit END;
"""

_PAIRS = f"""
CREATE TEMP TABLE kind_pairs AS
SELECT a.row AS a, b.row AS b, a.kind, min(a.round) AS round
FROM blocks AS a JOIN blocks AS b USING (kind, key, person)
WHERE a.row < b.row GROUP BY ALL;
CREATE TEMP TABLE found AS
SELECT a, b, CAST(sum({_BIT}) AS BIGINT) AS bits FROM kind_pairs GROUP BY a, b;
"""

_FOUND = "SELECT a, b, bits FROM found ORDER BY a, b"

_REPORT = """
WITH made AS (
    SELECT kind, count(*) AS pairs, count(*) FILTER (round > 0) AS refined_pairs
    FROM kind_pairs GROUP BY kind
)
SELECT sizes.kind, count(*) AS blocks, any_value(coalesce(made.pairs, 0)) AS pairs,
       count(*) FILTER (is_wide) AS oversized, max(size) AS largest,
       any_value(coalesce(made.refined_pairs, 0)) AS refined_pairs,
       greatest(0, CAST(coalesce(sum(size * (size - 1) // 2) FILTER (is_wide), 0) AS BIGINT)
                - any_value(coalesce(made.refined_pairs, 0))) AS left_out
FROM (SELECT sizes.*, (kind, key, person) IN (SELECT (kind, key, person) FROM wide) AS is_wide
      FROM sizes) AS sizes
LEFT JOIN made USING (kind)
GROUP BY sizes.kind
"""
