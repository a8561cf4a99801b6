"""What a rule says about a value that fails it, and the table those rows land in.

What belongs here: the shape of a finding. Which values fail is decided by the
field rules and by the suites (rules/suites.py).
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One finding of a field rule on one value.

    Attributes:
        rule: short lasting name, such as ``phone_scientific_notation``.
        reason: a sentence for the person who mends it: what is wrong, what to do.
        severity: error (the value is not used) or warning (used, but look at it).
    """

    rule: str
    reason: str
    severity: Severity = "error"


QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("source_key", pa.string()),
        pa.field("position", pa.string()),
        pa.field("field", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("severity", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("raw_value", pa.string()),
        pa.field("whole_record", pa.bool_()),
    ]
)
"""One row per finding; ``whole_record`` rows name records kept out of staged."""
