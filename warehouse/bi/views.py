"""The views of the schema ``bi``, once: names, columns, meaning, and what they select.

What belongs here: what BI tools read. Views only add columns; a column's name,
type and meaning stay, whatever becomes of the tables below. A view with
personal data exists twice: ``NAME`` shows masks, ``NAME_pii`` the values. On
SQLite, which has no schemas, they are plain views of warehouse.db.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from rules.customer import BY_NAME, GOLDEN_FIELDS, ORGANIZATION, Field
from rules.protection import PROTECTABLE
from warehouse.bi import sql
from warehouse.bi.names import PII
from warehouse.bi.sql import Expression
from warehouse.sealing import NUMBERS
from warehouse.tables import (
    crosswalk,
    golden_customer,
    golden_customer_history,
    golden_field,
    lineage_event,
    quality_measure,
    redirect,
    staged_customer,
)

FOREVER = "9999-12-31 00:00:00.000000"
"""``valid_to`` of what still holds, so that an as-of join needs no null."""

Select = sa.Select[tuple[object, ...]] | sa.CompoundSelect[tuple[object, ...]]


@dataclass(frozen=True)
class Column:
    """A column of a view.

    Attributes:
        name: its name.
        doc: what it holds; the comment in the database and the data dictionary.
        value: what it selects.
        masked: what a reader without the right to personal data gets; None: the value.
        stored: the value as it is kept, which may be encrypted; None: it never is.
    """

    name: str
    doc: str
    value: Expression
    masked: Expression | None = None
    stored: Expression | None = None


@dataclass(frozen=True)
class View:
    """A view.

    Attributes:
        name: without its schema.
        doc: what a row is and what it is for.
        columns: in their order.
        source: from where.
        pii: whether it shows personal data as it is.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    source: Callable[[list[Expression]], Select]
    pii: bool = False

    def select(self) -> Select:
        """What the view selects."""
        return self._of(
            column.value if self.pii or column.masked is None else column.masked
            for column in self.columns
        )

    def select_stored(self) -> Select:
        """What the view selects with personal data, encrypted values as they are kept."""
        return self._of(
            column.value if column.stored is None else column.stored for column in self.columns
        )

    def _of(self, shown: Iterable[Expression]) -> Select:
        named = zip(self.columns, shown, strict=True)
        return self.source([value.label(column.name) for column, value in named])


@functools.cache
def views() -> tuple[View, ...]:
    """Every view, in the order in which they are made; the same objects at every call."""
    return tuple(_all())


def _all() -> Iterable[View]:
    yield from _twice(
        "dim_customer",
        "One row per golden customer as it is now: the dimension to join facts to.",
        (*_golden(golden_customer), *_published(golden_customer)),
        lambda columns: sa.select(*columns).select_from(golden_customer),
    )
    yield from _twice(
        "dim_customer_history",
        "Every published version of every golden customer (SCD2). As of a moment M:"
        " valid_from <= M AND M < valid_to.",
        (*_versions(golden_customer_history), *_golden(golden_customer_history)),
        lambda columns: sa.select(*columns).select_from(golden_customer_history),
    )
    yield _bridge()
    yield _id_map()
    yield from _contact_points()
    yield _consent()
    yield _quality()


def _twice(
    name: str,
    doc: str,
    columns: tuple[Column, ...],
    source: Callable[[list[Expression]], Select],
) -> Iterable[View]:
    """A view with masks, and the one with the values."""
    yield View(name, f"{doc} Personal data is masked.", columns, source)
    yield View(f"{name}{PII}", f"{doc} With personal data.", columns, source, pii=True)


# -- golden customers

_WITHHELD = frozenset({"birth_date", "sex", "attributes"})
"""Of these no part can be shown; a masked view has null."""
_ORGANIZATIONS_TOO = frozenset({"name", "other_names"})
"""Personal in a person's record; an organization's name is public."""
_ENCRYPTED = "Where it is kept encrypted: a token, equal for equal values."
_LISTS = {
    "emails": ("email", "E-mail address, the most direct one."),
    "phones": ("phone", "Telephone number in E.164, the most direct one."),
}
"""Lists of which a dimension shows the first; all are in customer_contact_point."""
_BESIDE_LISTS = frozenset({"phone_kinds", "phone_extensions"})


def _golden(table: sa.Table) -> tuple[Column, ...]:
    """The golden values of a table with one customer's version per row."""
    found = [Column("golden_id", "Lasting id; never reused.", table.c.golden_id)]
    for field in GOLDEN_FIELDS:
        if field.name not in _BESIDE_LISTS:
            found += _of_field(table, field)
    found += [
        Column("record_count", "Source records held to be this customer.", table.c.record_count),
        Column("source_count", "Sources that hold it.", table.c.source_count),
        Column(
            "sources",
            "Names of the sources that hold it, separated by '; '.",
            sql.list_joined(table.c.sources),
        ),
    ]
    return tuple(found)


_OTHER_MASKS: Mapping[str, Callable[[Expression], Expression]] = {
    "emails": sql.email,
    "phones": sql.ends,
    "postal_code": sql.beginning,
    "national_id": sql.identity,
    **dict.fromkeys(NUMBERS, sql.ends),
}
"""Masks that are not the first character; warehouse/sealing.py has the same ones."""


def _of_field(table: sa.Table, field: Field) -> list[Column]:
    """A field's column, and what is told beside it.

    Of a value that is kept encrypted the token is shown, or the mask behind it.
    """
    value: Expression = table.c[field.name]
    if field.name == "birth_date":
        return _born(field, sa.type_coerce(value, sa.Text()))
    if field.name in _LISTS:
        name, doc = _LISTS[field.name]
        most_direct = sql.list_first(value)
        masked = sql.seen(most_direct, _OTHER_MASKS[field.name](most_direct))
        bare = sql.token_of(most_direct)
        counted = Column(f"{name}_count", f"How many there are of {name}.", sql.list_length(value))
        return [Column(name, f"{doc} {_ENCRYPTED}", bare, masked, bare), counted]
    protectable, doc = field.name in PROTECTABLE, field.doc
    first: Expression = sa.type_coerce(value, sa.Text()) if protectable else value
    shown = sql.token_of(first) if protectable else value
    if field.kind == "list":
        first, shown = sql.list_first(value), sql.list_joined(value)
        doc = f"{doc.rstrip('.')}, separated by '; '."
    elif field.kind == "json":
        shown = sa.cast(value, sa.Text())
    if protectable:
        doc = f"{doc} {_ENCRYPTED}"
    hidden: Expression | None = None
    if field.name in _WITHHELD:
        doc = f"{doc} Null where personal data is masked."
        hidden = sa.cast(sa.null(), sa.Text())
    elif field.name in _ORGANIZATIONS_TOO:
        hidden = sql.seen(first, _hidden_name(table, shown, first))
    elif field.personal or field.name == "postal_code":
        hidden = sql.seen(first, _OTHER_MASKS.get(field.name, sql.first_character)(first))
    return [Column(field.name, doc, shown, hidden, shown if protectable else None)]


def _born(field: Field, value: Expression) -> list[Column]:
    """The date of birth, which has no token that would be a date, and its year, the mask."""
    doc = f"{field.doc} Null where personal data is masked, and where it is kept encrypted."
    hidden = sa.cast(sa.null(), sa.Date())
    year = sql.year_of(sql.seen(value, value))
    return [
        Column(field.name, doc, sql.as_date(value), hidden, sql.token_of(value)),
        Column("birth_year", "Year of birth of a person.", year),
    ]


def _hidden_name(table: sa.Table, value: Expression, first: Expression) -> Expression:
    """An organization's name as it is, a person's without all but its first character."""
    organization = table.c.customer_type == ORGANIZATION
    return sa.case((organization, value), else_=sql.first_character(first))


def _published(table: sa.Table) -> tuple[Column, ...]:
    return (
        Column(
            "first_published_at",
            "When the id was published first, UTC.",
            table.c.first_published_at,
        ),
        Column("published_at", "When this version was published, UTC.", table.c.published_at),
    )


def _versions(table: sa.Table) -> tuple[Column, ...]:
    still = sa.func.coalesce(table.c.valid_to, sql.as_moment(FOREVER))
    return (
        Column("valid_from", "From when this version holds, UTC, inclusive.", table.c.valid_from),
        Column(
            "valid_to", f"Until when, UTC, exclusive; {FOREVER[:10]} where it still holds.", still
        ),
        Column("is_current", "Whether it is in dim_customer.", table.c.is_current),
        Column("change", "How the version came: created, changed or restored.", table.c.change),
    )


# -- keys and ids


def _bridge() -> View:
    columns = (
        Column("source", "The source.", crosswalk.c.source),
        Column("source_key", "The record's key in it, as facts carry it.", crosswalk.c.source_key),
        Column("record_id", "Both joined by a colon.", crosswalk.c.record_id),
        Column("golden_id", "The customer in dim_customer.", crosswalk.c.golden_id),
        Column("since", "Since when it is that customer, UTC.", crosswalk.c.since),
    )
    return View(
        "bridge_source_customer",
        "Source record to golden customer: joins facts that carry a source's key.",
        columns,
        # DuckDB, attached to SQLite, counts rows by ROWID unless a column is asked for, and the
        # table has none.
        lambda chosen: sa.select(*chosen).where(crosswalk.c.golden_id.is_not(None)),
    )


def _id_map() -> View:
    """Live ids and retired ones, each with the id it is now."""
    last = (
        sa.select(lineage_event.c.reason)
        .where(
            lineage_event.c.golden_id == redirect.c.golden_id,
            lineage_event.c.event.in_(("absorbed", "retired", "erased")),
        )
        .order_by(lineage_event.c.at.desc(), lineage_event.c.number.desc())
        .limit(1)
        .correlate(redirect)
        .scalar_subquery()
    )
    first = (
        sa.select(sa.func.min(golden_customer_history.c.valid_from))
        .where(golden_customer_history.c.golden_id == redirect.c.golden_id)
        .correlate(redirect)
        .scalar_subquery()
    )
    erased = (
        sa.select(lineage_event.c.golden_id)
        .where(lineage_event.c.golden_id == redirect.c.golden_id, lineage_event.c.event == "erased")
        .correlate(redirect)
        .exists()
    )
    live = sa.select(
        golden_customer.c.golden_id,
        golden_customer.c.golden_id.label("current_golden_id"),
        sa.literal("live").label("state"),
        golden_customer.c.first_published_at.label("first_published_at"),
        sa.cast(sa.null(), golden_customer.c.published_at.type).label("retired_at"),
        sa.cast(sa.null(), sa.Text()).label("reason"),
    )
    retired = sa.select(
        redirect.c.golden_id,
        redirect.c.successor,
        sa.case((erased, "erased"), (redirect.c.successor.is_(None), "ended"), else_="merged"),
        first,
        redirect.c.retired_at,
        last,
    )
    ids = sa.union_all(live, retired).subquery("ids")
    docs = {
        "golden_id": "Every id that was ever published.",
        "current_golden_id": "The live id to use now, itself while live; null: the customer ended.",
        "state": "live, merged (into current_golden_id), ended, or erased on request.",
        "first_published_at": "When the id was published first, UTC.",
        "retired_at": "When it went, UTC; null while live.",
        "reason": "Why it went, in words.",
    }
    columns = tuple(Column(name, doc, ids.c[name]) for name, doc in docs.items())
    return View(
        "id_map",
        "Every golden id ever published and the one it is now: old reports keep working.",
        columns,
        lambda chosen: sa.select(*chosen).select_from(ids),
    )


# -- contact points


def _contact_points() -> Iterable[View]:
    yield from (_contact_view(pii=False), _contact_view(pii=True))


def _contact_view(*, pii: bool) -> View:
    """One row per address and number; lists are unrolled by the database."""
    points = sa.union_all(
        _points("email", golden_customer.c.emails, None),
        _points("phone", golden_customer.c.phones, golden_customer.c.phone_kinds),
    ).subquery("points")
    value, shown = points.c.value, sql.token_of(points.c.value)
    mask = sa.case((points.c.kind == "email", sql.email(value)), else_=sql.ends(value))
    doc_of_value = f"Mail address in lower case, or telephone number in E.164. {_ENCRYPTED}"
    of = sa.case((points.c.kind == "email", "emails"), else_="phones")
    joined = points.outerjoin(
        golden_field,
        sa.and_(
            golden_field.c.golden_id == points.c.golden_id,
            golden_field.c.field == of,
            golden_field.c.item == points.c.item,
        ),
    )
    columns = (
        Column("golden_id", "The customer in dim_customer.", points.c.golden_id),
        Column("kind", "email or phone.", points.c.kind),
        Column("item", "Its place from 0, the most direct first.", points.c.item),
        Column("is_primary", "Whether it is the first of its kind.", points.c.item == 0),
        Column("value", doc_of_value, shown, sql.seen(value, mask), shown),
        Column("phone_kind", BY_NAME["phone_kinds"].doc, points.c.phone_kind),
        Column("source", "The source it came from.", golden_field.c.source),
        Column("rule", "The survivorship rule that chose it.", golden_field.c.rule),
    )
    doc = "One row per mail address and telephone number of a golden customer."
    return View(
        f"customer_contact_point{PII if pii else ''}",
        f"{doc} {'With personal data.' if pii else 'Personal data is masked.'}",
        columns,
        lambda chosen: sa.select(*chosen).select_from(joined),
        pii,
    )


_CONSENT = ("consent_marketing", "consent_marketing_at", "do_not_contact", "do_not_contact_at")


def _consent() -> View:
    """One row per record that says something of consent, beside what counts for its customer."""
    of, counts = staged_customer.c, golden_customer.c
    joined = crosswalk.join(staged_customer, of.record_id == crosswalk.c.record_id).join(
        golden_customer, counts.golden_id == crosswalk.c.golden_id
    )
    columns = (
        Column("golden_id", "The customer in dim_customer.", crosswalk.c.golden_id),
        Column("source", "The source.", crosswalk.c.source),
        Column("source_key", "The record's key in it.", crosswalk.c.source_key),
        *(Column(name, f"{BY_NAME[name].doc[:-1]}, as this record says.", of[name])
          for name in _CONSENT),
        *(Column(f"golden_{name}", f"{BY_NAME[name].doc[:-1]}: the most restrictive answer of all"
                 " records, or a steward's.", counts[name]) for name in _CONSENT),
    )  # fmt: skip
    said = sa.or_(of.consent_marketing.is_not(None), of.do_not_contact.is_not(None))
    return View(
        "customer_consent",
        "One row per source record that says something of marketing or contact, with its date,"
        " beside the most restrictive answer, which counts for the customer.",
        columns,
        lambda chosen: sa.select(*chosen).select_from(joined).where(said),
    )


def _quality() -> View:
    of = quality_measure.c
    columns = (
        Column("day", "The day; the last figures of each day on which something changed.", of.day),
        Column("source", "The source.", of.source),
        Column("field", "Column of a customer; empty: the records as a whole.", of.field),
        Column(
            "measure",
            "accepted, single, completeness, validity, uniqueness, timeliness or consistency.",
            of.measure,
        ),
        Column("good", "Records or values that are as they should be.", of.good),
        Column("counted", "Records or values that were looked at; never 0.", of.counted),
        Column("share", "good of counted, 0 to 1.", sa.cast(of.good, sa.Float(53)) / of.counted),
    )
    return View(
        "data_quality_daily",
        "How good each source is, by field and day. What each measure counts: docs/quality.md.",
        columns,
        lambda chosen: sa.select(*chosen).select_from(quality_measure),
    )


def _points(
    kind: str, values: sa.Column[object], kinds: sa.Column[object] | None
) -> sa.Select[tuple[object, ...]]:
    each = sql.unrolled(values, kind)
    phone_kind: Expression = sa.cast(sa.null(), sa.Text())
    if kinds is not None:
        phone_kind = sql.list_item(kinds, each.c.key)
    return (
        sa.select(
            golden_customer.c.golden_id,
            sa.literal(kind).label("kind"),
            sa.cast(each.c.key, sa.Integer()).label("item"),
            sql.list_item(values, each.c.key).label("value"),
            phone_kind.label("phone_kind"),
        )
        .select_from(golden_customer)
        .join(each, sa.true())
    )
