"""Features to blocking keys: which records have what in common.

What belongs here: the kinds of keys and the SQL that makes them, one relation
of (kind, block, row). A block is a 64-bit hash of kind, customer type and key,
so that all later work is on whole numbers. What becomes of keys that too many
records share stands in blocking.py.
"""

import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import groups
from dedupe.groups import Groups
from dedupe.levels import is_text
from dedupe.record_properties import Property

KINDS: dict[str, str] = {
    "name": "the same name, by spelling or pinyin",
    "short_name": "the same family name and initial",
    "given": "the same given name and start of the family name",
    "place": "the same start of the family name, or given name, in the same town",
    "postal": "the same postal code; where many have it, also an initial",
    "brand": "the same distinctive name, by spelling or pinyin",
    "brand_start": "the same start of the distinctive name",
    "word": "a word of the distinctive name",
    "acronym": "initials that are the other's name",
    "phone": "the same last seven digits of a telephone number",
    "id": "the same identity or registration number",
    "id_part": "the same half of such a number, and the start of the name",
    "email": "the same e-mail address",
    "email_local": "the same e-mail address before the @",
    "email_domain": "the same e-mail domain",
    "birth": "the same birth date",
    "born": "the same birth year, and starts of the family and given name",
    "address": "the same house number and start of the road",
    "contact": "the same contact person or legal representative",
    "text": "the same text in a further field, and the start of a word of the name, the birth year"
    " or the same text in another further field",
    "same": "the same name, and all telephone numbers, e-mails and the address",
}
"""Kind of key → what two records that share it have in common."""

NUMBER = {kind: number for number, kind in enumerate(KINDS)}
TEXT_TIMES = 20
"""Times the block limit: a text of a further field that more records have proposes no pairs."""


class Keys(NamedTuple):
    """Every key of one kind, of every record.

    Attributes:
        kind: name in :data:`KINDS`.
        block: uint64, equal where customer type and key are, one per key.
        row: int32, row of the features.
    """

    kind: str
    block: npt.NDArray[np.uint64]
    row: npt.NDArray[np.int32]


PROPERTIES = ("town", "born", "start", "road")
"""What refines keys that too many records share."""


INITIALS = "initials"
"""Initials of a name: a key of the kind acronym where they are another's name."""


class KeyMaker:
    """Makes keys kind by kind, so that those of one kind at a time are in memory."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        selects: Iterable[tuple[str, str]],
        ids: pa.ChunkedArray,
    ) -> None:
        self._connection, self._ids = connection, ids
        self._of_kind: dict[str, list[str]] = {}
        for kind, sql in selects:
            self._of_kind.setdefault(kind, []).append(sql)

    def values(self) -> npt.NDArray[np.uint64]:
        """The :data:`PROPERTIES` of every record, shape (properties, records); 0 where missing."""
        found = self._connection.sql(_PROPERTIES).to_arrow_table()
        return np.stack([found.column(name).to_numpy() for name in PROPERTIES])

    def properties(self) -> list[Property]:
        """The :data:`PROPERTIES` of every record."""
        return [Property.of(value) for value in self.values()]

    def names(self) -> npt.NDArray[np.uint64]:
        """A number for each record that follows from its id alone."""
        sums = map(zlib.crc32, pc.cast(self._ids, pa.binary()).to_pylist())
        return np.fromiter(sums, np.uint64, len(self._ids))

    def kinds(self) -> Iterator[tuple[str, Groups]]:
        """Rows that share a key, of each kind in the order of :data:`KINDS`; kinds without any
        are left out."""
        for kind in KINDS:
            found = self.groups(kind)
            if len(found.size):
                yield kind, found

    def groups(self, kind: str) -> Groups:
        """Rows that share a key of one kind."""
        made = self.of_kind(kind)
        if kind == "acronym":
            made = with_initials(made, self.of_kind(INITIALS))
        return groups.shared(made.block, made.row)

    def of_kind(self, kind: str) -> Keys:
        """The keys of one kind, or :data:`INITIALS`."""
        if kind not in self._of_kind:
            return Keys(kind, np.zeros(0, np.uint64), np.zeros(0, np.int32))
        number = NUMBER["acronym" if kind == INITIALS else kind]
        every = " UNION ALL ".join(f"SELECT * FROM ({sql})" for sql in self._of_kind[kind])
        # Asked for as a column, not as a condition: DuckDB would make every key twice.
        found = self._connection.sql(
            f"SELECT hash({number}, person, key) AS block, row, key <> '' AS filled FROM ({every})"
        ).to_arrow_table()
        if not pc.all(found.column("filled"), skip_nulls=False).as_py():
            found = found.filter(found.column("filled"))
        return Keys(kind, *(found.column(name).to_numpy() for name in ("block", "row")))


def with_initials(acronyms: Keys, initials: Keys) -> Keys:
    """Names that are acronyms, and the initials that are such names."""
    named = np.isin(initials.block, acronyms.block)
    block = np.concatenate([acronyms.block, initials.block[named]])
    return Keys("acronym", block, np.concatenate([acronyms.row, initials.row[named]]))


@contextmanager
def making(features: pa.Table, limit: int, memory_mb: int) -> Iterator[KeyMaker]:
    """Make the keys of all records.

    Args:
        features: of features.build; its row numbers are the keys' ``row``.
        limit: records that may share one key.
        memory_mb: what DuckDB may take before it spills to its temporary folder.
    """
    with _connected(features, memory_mb) as connection:
        yield KeyMaker(connection, _selects(features, limit), features.column("record_id"))


def texts(features: pa.Table, limit: int, memory_mb: int) -> pa.Table:
    """The keys of some records as they read: kind, key, record_id; sorted, each once.

    Args:
        features: of features.build, or some rows of it; an acronym is a key only where
            another of these rows spells it out.
        limit, memory_mb: as in :func:`making`.
    """
    ids = features.column("record_id").combine_chunks()
    made = []
    with _connected(features, memory_mb) as connection:
        for kind, sql in _selects(features, limit):
            some = "key <> ''"
            if kind == INITIALS:
                kind, some = "acronym", "key IN (SELECT acronym FROM f WHERE NOT person)"
            found = connection.sql(f"SELECT key, row FROM ({sql}) WHERE {some}").to_arrow_table()
            made.append(
                pa.table(
                    {
                        "kind": pa.array([kind] * found.num_rows, pa.string()),
                        "key": found.column("key"),
                        "record_id": ids.take(found.column("row").combine_chunks()),
                    }
                )
            )
    everything = pa.concat_tables(made).group_by(["kind", "key", "record_id"]).aggregate([])
    return everything.sort_by([(name, "ascending") for name in ("kind", "key", "record_id")])


@contextmanager
def _connected(features: pa.Table, memory_mb: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the views that the keys are made of, over row numbers."""
    texts = [name for name in features.column_names if is_text(name)]
    with (
        tempfile.TemporaryDirectory(prefix="onefold-") as spill,
        duckdb.connect(
            config={"memory_limit": f"{memory_mb}MB", "temp_directory": spill}
        ) as connection,
    ):
        connection.execute("SET enable_progress_bar = false")
        numbers = pa.array(np.arange(features.num_rows, dtype=np.int32))
        used = features.select([*USED, *texts]).append_column("row", numbers)
        connection.register("features", used)
        connection.execute(_PREPARE)
        if texts:
            connection.execute(_PREPARE_TEXTS)
        yield connection


def _selects(features: pa.Table, limit: int) -> Iterator[tuple[str, str]]:
    """Each kind of key with a relation of row, person, key."""
    yield from _KEYS
    texts = [name for name in features.column_names if is_text(name)]
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in texts}
    for name in texts:
        label = name.replace("'", "''")
        sql = _TEXT_KEYS.replace("$column", quoted[name]).replace("$name", label)
        yield "text", sql.replace("$most", str(limit * TEXT_TIMES))
    for first, second in combinations(texts, 2):
        both = f"{quoted[first]} || '|' || {quoted[second]}"
        label = f"{first}|{second}".replace("'", "''")
        yield "text", f"SELECT row, person, '{label}' || {both} AS key FROM f"


USED = (
    "customer_type",
    "name_key",
    "name_readings",
    "middle",
    "brand_readings",
    "brand_starts",
    "brand_words",
    "acronym",
    "initials",
    "contacts",
    "phone_keys",
    "id_keys",
    "emails",
    "birth_date",
    "house_number",
    "road_key",
    "unit",
    "city",
    "region",
    "postal_code",
)
"""Columns of the features that keys are made of."""

_PREPARE = """
CREATE TEMP VIEW f AS
SELECT customer_type = 'person' AS person, coalesce(city, region) AS town,
       year(birth_date) AS born,
       CASE WHEN postal_code < 'A' THEN left(postal_code, 3)
            ELSE coalesce(nullif(regexp_extract(postal_code, '^[A-Za-z]+'), ''),
                          left(postal_code, 3)) END AS area,
       CASE WHEN customer_type = 'person' THEN left(name_readings[1], 3)
            ELSE left(brand_readings[1], 4) END AS start,
       *
FROM features;
CREATE TEMP TABLE readings AS
SELECT row, person, town, area, born, postal_code, split_part(reading, ' ', 1) AS family,
       replace(substr(reading, length(split_part(reading, ' ', 1)) + 2), ' ', '') AS given
FROM (SELECT row, person, town, area, born, postal_code, unnest(name_readings) AS reading
      FROM f WHERE person);
CREATE TEMP TABLE ids AS
SELECT row, person, start, key, split_part(key, ':', 1) AS kind, split_part(key, ':', 2) AS value
FROM (SELECT row, person, left(start, 1) AS start, unnest(id_keys) AS key FROM f);
CREATE TEMP TABLE mails AS
SELECT row, person, address, split_part(address, '@', 1) AS name
FROM (SELECT row, person, unnest(emails) AS address FROM f);
"""

_PREPARE_TEXTS = """
CREATE TEMP TABLE words AS
SELECT row, family AS word FROM readings
UNION SELECT row, given FROM readings
UNION SELECT row, unnest(string_split(middle, ' ')) FROM f WHERE person;
"""

_KEYS = (
    (
        "name",
        """SELECT row, person, unnest([family || given, given || family]) AS key
        FROM readings WHERE given <> ''""",
    ),
    ("name", "SELECT row, person, name_key AS key FROM f WHERE length(name_key) > 1"),
    (
        "short_name",
        """SELECT row, person, family || '.' || left(given, 1) AS key
        FROM readings WHERE given <> ''""",
    ),
    (
        "given",
        """SELECT row, person, given || '.' || left(family, 2) AS key FROM readings
        WHERE length(given) > 2""",
    ),
    (
        "place",
        """SELECT * FROM (
            SELECT row, person, unnest([left(family, 3) || '@' || town, given || ':' || town,
                                        family || '#' || area]) AS key
            FROM readings WHERE family <> '') WHERE key IS NOT NULL""",
    ),
    ("postal", "SELECT row, person, postal_code AS key FROM f WHERE person AND postal_code <> ''"),
    (
        "postal",
        """SELECT row, person, unnest([left(family, 1) || '.', left(given, 1) || ':'])
               || postal_code AS key FROM readings
        WHERE family <> '' AND given <> '' AND postal_code IS NOT NULL""",
    ),
    (
        "birth",
        """SELECT row, person, CAST(birth_date AS VARCHAR) AS key FROM f
        WHERE person AND birth_date IS NOT NULL""",
    ),
    (
        "born",
        """SELECT row, person, left(family, 2) || '.' || left(given, 1) || born AS key
        FROM readings WHERE family <> '' AND given <> '' AND born IS NOT NULL""",
    ),
    ("brand", "SELECT row, person, unnest(brand_readings) AS key FROM f WHERE NOT person"),
    ("brand_start", "SELECT row, person, unnest(brand_starts) AS key FROM f WHERE NOT person"),
    ("word", "SELECT row, person, unnest(brand_words) AS key FROM f WHERE NOT person"),
    ("acronym", "SELECT row, person, acronym AS key FROM f WHERE NOT person"),
    (INITIALS, "SELECT row, person, unnest(initials) AS key FROM f WHERE NOT person"),
    ("contact", "SELECT row, person, unnest(contacts) AS key FROM f WHERE NOT person"),
    (
        "phone",
        """SELECT row, person, right(number, 7) AS key
        FROM (SELECT row, person, unnest(phone_keys) AS number FROM f) WHERE length(number) > 7""",
    ),
    ("id", "SELECT row, person, key FROM ids"),
    (
        "id_part",
        """SELECT row, person, kind || unnest([':<' || left(value, length(value) // 2 + 1),
                                               ':>' || right(value, length(value) // 2)])
               || start AS key FROM ids WHERE length(value) > 7""",
    ),
    ("email", "SELECT row, person, address AS key FROM mails"),
    ("email_local", "SELECT row, person, name AS key FROM mails WHERE length(name) > 4"),
    (
        "email_domain",
        "SELECT row, person, split_part(address, '@', 2) AS key FROM mails WHERE NOT person",
    ),
    (
        "address",
        """SELECT row, person, house_number || ' ' || left(road_key, 4) AS key FROM f
        WHERE house_number IS NOT NULL AND road_key IS NOT NULL""",
    ),
    (
        "same",
        """SELECT row, person,
               concat_ws('|', name_key, array_to_string(phone_keys, ','),
                         array_to_string(emails, ','), road_key, house_number, unit, city) AS key
        FROM f WHERE length(name_key) > 1
            AND (phone_keys IS NOT NULL OR emails IS NOT NULL OR house_number IS NOT NULL)""",
    ),
)

_TEXT_KEYS = """
WITH selective AS (
    SELECT row, $column AS value FROM f
    WHERE $column IN (SELECT $column FROM f GROUP BY ALL HAVING count(*) BETWEEN 2 AND $most)
)
SELECT row, true AS person, '$name' || value || '.' || left(word, 3) AS key
FROM selective JOIN words USING (row) WHERE length(word) > 1
UNION ALL
SELECT row, person, '$name' || value || '#' || born FROM selective JOIN f USING (row) WHERE f.person
UNION ALL
SELECT row, person, '$name' || value || '.' || f.start
FROM selective JOIN f USING (row) WHERE NOT f.person
"""

_PROPERTIES = "SELECT {} FROM f ORDER BY row".format(
    ", ".join(
        f"CASE WHEN {value} IS NULL THEN 0::UBIGINT ELSE hash({value}) END AS {name}"
        for name, value in {
            "town": "town",
            "born": "born",
            "start": "start",
            "road": "left(road_key, 3)",
        }.items()
    )
)
