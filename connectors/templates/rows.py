"""What a template says of records, for records that no database joins and filters.

What belongs here: computed columns and conditions on flat records of a web API. As SQL
they stand in connectors/templates/statement.py.
"""

from collections.abc import Iterator

from connectors.flattening import Flat
from connectors.templates.model import Api, Computed, Condition


def references(api: Api) -> Iterator[str]:
    """The columns that conditions and computed columns need, as the template writes them."""
    for computed in api.computed.values():
        yield from (*computed.latest, *computed.joined, *computed.first)
    for condition in api.where:
        yield from _columns(condition)


def _columns(condition: Condition) -> Iterator[str]:
    if condition.column:
        yield condition.column
    if condition.same_as:
        yield condition.same_as
    for part in (*condition.any_of, *condition.all_of):
        yield from _columns(part)


def complete(api: Api, record: Flat) -> Flat:
    """A record with its computed columns.

    >>> made = {"at": {"joined": ["Date", "Time?"]}}
    >>> complete(Api(settings={}, computed=made), {"Date": "2026-01-31", "Time": None})["at"]
    '2026-01-31'
    """
    return {**record, **{name: _computed(made, record) for name, made in api.computed.items()}}


def _computed(made: Computed, record: Flat) -> str | None:
    if made.latest:
        return max(_filled(made.latest, record), default=None)
    if made.joined:
        return made.between.join(_filled(made.joined, record)) or None
    return next(iter(_filled(made.first, record)), None)


def _filled(names: tuple[str, ...], record: Flat) -> list[str]:
    found = (record.get(name.removesuffix("?")) for name in names)
    return [text.strip() for text in found if text and text.strip()]


def is_customer(api: Api, record: Flat) -> bool:
    """Whether all conditions hold.

    >>> api = Api(settings={}, where=[{"column": "Kind", "in": ["1", "2"]}])
    >>> is_customer(api, {"Kind": "2"}), is_customer(api, {"Kind": "3"}), is_customer(api, {})
    (True, False, False)
    """
    return all(_holds(condition, record) is not False for condition in api.where)


def _holds(condition: Condition, record: Flat) -> bool | None:
    """Whether a condition holds; None where a column that may be missing is."""
    for inner, every in ((condition.any_of, any), (condition.all_of, all)):
        if inner:
            known = [held for part in inner if (held := _holds(part, record)) is not None]
            return every(known) if known else None
    name = condition.column.removesuffix("?")
    if condition.column.endswith("?") and name not in record:
        return None
    value = record.get(name)
    if condition.one_of:
        return value in condition.one_of
    if condition.not_in:
        return value not in condition.not_in
    if condition.blank is not None:
        return condition.blank == (not value or not value.strip())
    if condition.same_as:
        return value is not None and value == record.get(condition.same_as.removesuffix("?"))
    number = _number(value)
    if condition.above is not None:
        return number is not None and number > condition.above
    return number is None or condition.not_above is None or number <= condition.not_above


def _number(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None
