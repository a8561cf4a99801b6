"""What a publish says between customers: merge suggestions and relations."""

import hashlib
from typing import Any

import pyarrow as pa

from warehouse import text_form
from warehouse.publish_run import Run, among, write_rows
from warehouse.tables import (
    customer_relation,
    merge_suggestion,
)


def suggestion_id(kind: str, left_id: str, right_id: str) -> str:
    """The id of a suggestion: it follows from its kind and pair.

    >>> suggestion_id("merge", "erp:1", "crm:2") == suggestion_id("merge", "crm:2", "erp:1")
    True
    """
    low, high = sorted((left_id, right_id))
    text = f"{kind}\0{low}\0{high}".encode()
    return "S" + hashlib.blake2b(text, digest_size=10).hexdigest()


def write_suggestions(run: Run, suggestions: pa.Table, pairs: pa.Table) -> dict[str, int]:
    columns = ["left_id", "right_id", "probability", "kind", "reason"]
    ends = {one for name in columns[:2] for one in suggestions[name].to_pylist()}
    named = among(pairs, "record_id", ends)
    golden_of = dict(
        zip(named["record_id"].to_pylist(), named["golden_id"].to_pylist(), strict=True)
    )
    best: dict[str, dict[str, Any]] = {}
    for row in suggestions.select(columns).to_pylist():
        if row["left_id"] not in golden_of or row["right_id"] not in golden_of:
            continue  # the record is gone since
        name = suggestion_id(row["kind"], row["left_id"], row["right_id"])
        row["left_golden_id"] = golden_of[row["left_id"]]
        row["right_golden_id"] = golden_of[row["right_id"]]
        known = best.get(name)
        if known is None or (row["probability"] or 0) > (known["probability"] or 0):
            best[name] = {"suggestion_id": name, **row}
    text_columns = ["suggestion_id", *columns, "left_golden_id", "right_golden_id"]
    schema = pa.schema(
        [(name, pa.float64() if name == "probability" else pa.string()) for name in text_columns]
    )
    new = text_form.encode(
        pa.Table.from_pylist([best[name] for name in sorted(best)], schema=schema)
    )
    new = new.append_column("content_hash", text_form.hashes(new.drop_columns(["suggestion_id"])))
    new = text_form.with_constant(new, publish_id=run.publish_id)
    return write_rows(
        run, merge_suggestion, new, ["suggestion_id"], ["content_hash"], since=run.at_text
    )


def write_relations(run: Run, relations: pa.Table) -> dict[str, int]:
    """Write customer_relation: links between persons and organizations."""
    keys = ["person_id", "organization_id", "kind"]
    compared = ["basis", "person_record_id", "organization_record_id"]
    new = text_form.with_constant(
        text_form.encode(relations.select([*keys, *compared])), since=run.at_text
    )
    return write_rows(run, customer_relation, new, keys, compared)
