"""Source records and golden values as programs get them."""

from typing import Any

from pydantic import Field

from review.routes.api.parts import Shown

Value = bool | str | list[str | None] | dict[str, Any]
"""Text, list of texts, yes or no, or an object; dates in ISO form; masked for viewers."""
Values = dict[str, Value]


class Record(Shown):
    """A record of a source."""

    record_id: str = Field(examples=["crm:1001"])
    source: str
    source_key: str
    golden_id: str | None = Field(description="Its golden customer")
    position: str | None = Field(description="Where it stood when last read")
    values: Values = Field(description="What it says, by column; personal ones masked for viewers")


class Chosen(Shown):
    """A field of a golden customer, and what chose it."""

    field: str
    label: str
    values: list[str]
    record_ids: list[str] = Field(description="Where they came from")
    rules: list[str] = Field(description="What chose them, in words, the most important first")
    changed: bool
    before: list[str]
