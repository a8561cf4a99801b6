"""How a published customer's golden values are chosen from its records as they are staged now."""

import json
from datetime import datetime
from typing import Any

import pyarrow as pa

from dedupe.explaining.values import Choice, choices
from dedupe.survivorship import Policy
from rules.customer import BY_NAME, STAGED_SCHEMA
from warehouse.customers import Customer
from warehouse.decisions import DECISIONS_SCHEMA
from warehouse.moments import utc


def of(customer: Customer, policy: Policy) -> list[Choice]:
    """Field by field: whose value counts, what lost and why.

    Args:
        customer: of ``warehouse.customers.get``.
        policy: section ``survivorship`` of onefold.yml.
    """
    staged = pa.Table.from_pylist(customer.records, schema=STAGED_SCHEMA)
    pinned = [
        {name: one[name] for name in DECISIONS_SCHEMA.names} | {"golden_id": customer.golden_id}
        for one in customer.decisions
        if one["kind"] == "override"
    ]
    overrides = pa.Table.from_pylist(pinned, schema=DECISIONS_SCHEMA)
    return choices(staged, customer.golden_id, policy, overrides)


def stands(choice: Choice, customer: Customer) -> bool:
    """Whether it is what is published; else the next publish brings it."""
    return all(
        _plain(name, customer.values.get(name)) == _plain(name, value)
        for name, value in choice.values.items()
    )


def _plain(name: str, value: Any) -> Any:
    """A value as the golden table and staged records have it alike."""
    if isinstance(value, datetime):
        return utc(value)
    if BY_NAME[name].kind == "json" and isinstance(value, str):
        return json.loads(value)
    return None if value == [] else value
