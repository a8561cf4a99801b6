"""golden_customer, its history and golden_field, each made equal to what is published.

Only rows that differ are written. The transaction around them is warehouse/publish.py,
the tables of ids identity_tables.py.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dedupe.survivorship import GOLDEN_SCHEMA, Consolidated
from onefold.errors import PublishError
from rules.customer import GOLDEN_FIELDS
from warehouse import bulk, rows, text_form
from warehouse.publish_run import Run, is_one_of
from warehouse.tables import (
    golden_customer,
    golden_customer_history,
    golden_field,
)

_WHERE = "golden table"
GOLDEN = [*(each.name for each in GOLDEN_FIELDS), "record_count", "source_count", "sources"]
TRAIL_KEYS, TRAIL = ["golden_id", "field", "item"], ["source", "source_key", "rule"]
_OBJECTS = frozenset(each.name for each in GOLDEN_FIELDS if each.kind == "json")
_ESCAPED_NUL = r"(^|[^\\])((?:\\\\)*)(?:\\u0000)+"  # not after an escaped backslash


def without_nul(golden: pa.Table) -> pa.Table:
    r"""Objects in JSON without escaped NUL characters, which jsonb refuses.

    >>> objects = pa.table({"attributes": ['{"a": "x\\u0000\\u0000y"}']})
    >>> without_nul(objects).to_pylist()
    [{'attributes': '{"a": "xy"}'}]
    """
    for place, name in enumerate(golden.column_names):
        if name in _OBJECTS:
            clean = pc.replace_substring_regex(golden[name], _ESCAPED_NUL, r"\1\2")
            golden = golden.set_column(place, name, clean)
    return golden


@dataclass(frozen=True)
class Written:
    """What :func:`write_customers` did.

    Attributes:
        customers: rows of golden_customer that were added, changed, deleted.
        fields: rows of golden_field that were.
        given: the ids of the customers that it was given.
        others: the ids of all whose values are new, changed or gone.
        said: of the customers it was given, the columns that were asked for, as a text table.
        resaid: the ids of those of ``others`` whose values in these columns are.
    """

    customers: dict[str, int]
    fields: dict[str, int]
    given: set[str]
    others: set[str]
    said: pa.Table
    resaid: set[str]


def write_customers(
    run: Run, stored: pa.Table, parts: Iterable[Consolidated], keep: Sequence[str]
) -> Written:
    """Write golden_customer and golden_field, one part after another: only one is held at a time.

    Args:
        run: the publish under way.
        stored: golden_id, content_hash, provenance_hash of the customers that can be others.
        parts: what they become, each customer once; those that no part has end.
        keep: columns of golden_customer to give back.

    Raises:
        PublishError: a golden id stands twice.
    """
    made = Written(_none(), _none(), set(), set(), _empty(keep), set())
    said = [made.said]
    with bulk.indexes_last(run.connection, golden_field):
        for part in parts:
            golden = without_nul(text_form.encode(part.golden.select(["golden_id", *GOLDEN])))
            ids = set(golden["golden_id"].to_pylist())
            if len(ids) < golden.num_rows or ids & made.given:
                raise PublishError(_WHERE, "a golden id stands twice among the golden customers")
            made.given.update(ids)
            said.append(golden.select(keep))
            trails = text_form.encode(part.provenance.select([*TRAIL_KEYS, *TRAIL]))
            _write_part(run, _among(stored, golden), golden, trails, keep, made)
        ended = stored.filter(pc.invert(pc.is_in(stored["golden_id"], value_set=_ids(made.given))))
        rows.delete(run.connection, golden_customer, ended, ["golden_id"])
        made.customers["deleted"] += ended.num_rows
        for ids in (made.others, made.resaid):
            ids.update(ended["golden_id"].to_pylist())
        made.fields["deleted"] += rows.delete(run.connection, golden_field, ended, ["golden_id"])
    return replace(made, said=pa.concat_tables(said))


def _write_part(
    run: Run,
    before: pa.Table,
    golden: pa.Table,
    trails: pa.Table,
    keep: Sequence[str],
    made: Written,
) -> None:
    """Write some customers, ``before`` being the hashes they are stored with; none ends here."""
    keys = ["golden_id"]
    hashes = text_form.hashes(golden.drop_columns(keys), run.row_key)
    golden = golden.append_column("content_hash", hashes)
    told = text_form.grouped_hashes(trails, "golden_id")
    trail = [told.get(name, "") for name in golden["golden_id"].to_pylist()]
    golden = golden.append_column("provenance_hash", pa.array(trail, pa.string()))
    change = rows.difference(before, golden, keys, ["content_hash"])
    changed, resaid, was = _otherwise(run, change.changed, keep)
    rehashed = rows.difference(before, golden, keys, ["content_hash", "provenance_hash"]).changed
    retold = rows.difference(before, golden, keys, ["provenance_hash"]).changed
    stamp = {"published_at": run.at_text, "publish_id": run.publish_id}
    stamped = text_form.with_constant(changed, **stamp)
    rows.update(run.connection, golden_customer, stamped, keys, was)
    rehashed = rehashed.filter(pc.invert(is_one_of(rehashed, changed)))
    rows.update(
        run.connection,
        golden_customer,
        rehashed.select([*keys, "content_hash", "provenance_hash"]),
        keys,
    )
    rows.insert(
        run.connection,
        golden_customer,
        text_form.with_constant(change.added, first_published_at=run.at_text, **stamp),
    )
    fields = _write_fields(run, trails, change.added, retold)
    made.customers["added"] += change.added.num_rows
    made.customers["changed"] += changed.num_rows
    for what, count in fields.items():
        made.fields[what] += count
    for ids, some in ((made.others, changed), (made.resaid, resaid)):
        for each in (change.added, some):
            ids.update(each["golden_id"].to_pylist())


def _otherwise(
    run: Run, golden: pa.Table, keep: Sequence[str]
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Of customers whose hash is another one, those whose values are, and those in some columns.

    The model may have got columns since that these customers have nothing in.

    Returns:
        the two, and the values of all these customers as they are stored.
    """
    if not golden.num_rows:
        return golden, golden, golden
    columns = ["golden_id", *GOLDEN]
    ids = golden["golden_id"].to_pylist()
    stored = rows.read_of(run.connection, golden_customer, columns, "golden_id", ids)
    read = text_form.encode(text_form.decode(stored, GOLDEN_SCHEMA))
    before, after = _plain(read), _plain(golden)
    every, some = (
        rows.compare(before, after, ["golden_id"], names).changed for names in (GOLDEN, keep)
    )
    return golden.filter(pa.array(every)), golden.filter(pa.array(some)), stored


def _plain(golden: pa.Table) -> pa.Table:
    """Objects in JSON in one form, whatever database they were read from."""
    for place, name in enumerate(golden.column_names):
        if name in _OBJECTS:
            found = golden[name].to_pylist()
            same = [one and json.dumps(json.loads(one), sort_keys=True) for one in found]
            golden = golden.set_column(place, name, pa.array(same, pa.string()))
    return golden


def _none() -> dict[str, int]:
    return {"added": 0, "changed": 0, "deleted": 0}


def _empty(columns: Sequence[str]) -> pa.Table:
    return pa.schema([(name, pa.string()) for name in columns]).empty_table()


def write_history(run: Run, others: Collection[str], restored: bool | None) -> None:
    """Close the versions that no longer hold and open the ones just written.

    A restored customer gets back the moment when its id was published first.

    Args:
        run: the publish under way.
        others: all customers whose values are new, changed or gone.
        restored: whether an id is back.
    """
    golden = rows.sql_name(run.connection, golden_customer)
    history = rows.sql_name(run.connection, golden_customer_history)
    values = {"at": run.at, "publish_id": run.publish_id}
    if run.connection.dialect.name == "sqlite":
        values["at"] = run.at_text
    columns = ", ".join(f'"{name}"' for name in GOLDEN)
    opened = (
        f"INSERT INTO {history} (golden_id, valid_from, valid_to, is_current, change,"
        f" publish_id, {columns})"
        " SELECT golden_id, :at, NULL, true, {change},"
        f" publish_id, {columns} FROM {golden} g WHERE publish_id = :publish_id"
    )
    if bulk.is_empty(run.connection, golden_customer_history):
        with bulk.indexes_last(run.connection, golden_customer_history):
            run.connection.execute(sa.text(opened.format(change="'created'")), values)
        return
    with rows.loaded(run.connection, golden_customer, _named_ids(others)) as load:
        among = f"golden_id IN (SELECT golden_id FROM {load})"
        run.connection.execute(
            sa.text(
                f"UPDATE {history} SET valid_to = :at, is_current = false WHERE is_current"
                f" AND {among}"
            ),
            values,
        )
        change = (
            f"CASE WHEN NOT EXISTS (SELECT 1 FROM {history} h WHERE h.golden_id = g.golden_id)"
            " THEN 'created'"
            f" WHEN EXISTS (SELECT 1 FROM {history} h WHERE h.golden_id = g.golden_id"
            "  AND h.valid_to = :at) THEN 'changed' ELSE 'restored' END"
        )
        run.connection.execute(sa.text(f"{opened.format(change=change)} AND {among}"), values)
        if restored:
            first = (
                f"SELECT MIN(h.valid_from) FROM {history} h WHERE h.golden_id = {golden}.golden_id"
            )
            run.connection.execute(
                sa.text(
                    f"UPDATE {golden} SET first_published_at = ({first}) WHERE {among}"
                    " AND publish_id = :publish_id AND first_published_at = :at"
                ),
                values,
            )


def _named_ids(golden_ids: Collection[str]) -> pa.Table:
    return pa.table({"golden_id": pa.array(sorted(golden_ids), pa.string())})


def _write_fields(
    run: Run, provenance: pa.Table, new: pa.Table, touched: pa.Table
) -> dict[str, int]:
    """Write golden_field, looking only at customers that are new or whose provenance differs."""
    ids = touched["golden_id"].to_pylist()
    columns = [*TRAIL_KEYS, *TRAIL]
    stored = rows.read_of(run.connection, golden_field, columns, "golden_id", ids)
    found = provenance.filter(pc.or_(is_one_of(provenance, new), is_one_of(provenance, touched)))
    change = rows.difference(stored, found, TRAIL_KEYS, TRAIL)
    rows.delete(run.connection, golden_field, change.deleted, TRAIL_KEYS)
    # Whole rows of a table that is its key's index: half the work of updates.
    rows.put(run.connection, golden_field, change.changed, TRAIL_KEYS)
    rows.insert(run.connection, golden_field, change.added)
    return change.counts


def _among(table: pa.Table, others: pa.Table) -> pa.Table:
    return table.filter(is_one_of(table, others))


def _ids(golden_ids: Collection[str]) -> pa.Array:
    return pa.array(golden_ids, pa.string())
