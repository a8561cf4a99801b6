"""Cases → review_case, case_member, case_evidence: made equal to a run's, within its publish.

A case that a run settled is deleted here; what stewards did with it stays in
the review store.
"""

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

from dedupe.cases import CASES_SCHEMA, MEMBERS_SCHEMA, PAIRS_SCHEMA, Cases
from warehouse import rows, text_form
from warehouse.engine import Warehouse
from warehouse.publish_run import Run, apply, write_rows
from warehouse.tables import case_evidence, case_member, review_case

EVIDENCE_SCHEMA = pa.schema(
    [("case_id", pa.string()), ("evidence", pa.string()), ("content_hash", pa.string())]
)
NONE = Cases(CASES_SCHEMA.empty_table(), MEMBERS_SCHEMA.empty_table(), PAIRS_SCHEMA.empty_table())


def write(run: Run, cases: Cases | None, evidence: pa.Table | None) -> dict[str, dict[str, int]]:
    """Write what differs.

    Args:
        run: the publish under way.
        cases: all that a steward should look at now; None: nothing.
        evidence: EVIDENCE_SCHEMA: of the cases whose evidence is new; the others keep theirs.

    Returns:
        rows added, changed, deleted, by table.
    """
    cases = cases or NONE
    new = text_form.encode(cases.cases)
    new = new.append_column(
        "content_hash", text_form.hashes(new.drop_columns(["case_id"]), run.row_key)
    )
    new = text_form.with_constant(new, publish_id=run.publish_id)
    members = text_form.encode(cases.members)
    keys, compared = ["case_id"], ["content_hash"]
    counts = {
        "review_case": write_rows(run, review_case, new, keys, compared, since=run.at_text),
        "case_member": write_rows(
            run, case_member, members, ["case_id", "record_id"], ["golden_id", "source"]
        ),
    }
    stored = rows.read(run.connection, case_evidence, [*keys, *compared])
    fresh = text_form.encode(evidence if evidence is not None else EVIDENCE_SCHEMA.empty_table())
    fresh = fresh.filter(pc.is_in(fresh["case_id"], value_set=new["case_id"]))
    named = pa.concat_arrays(fresh["case_id"].chunks or [pa.array([], pa.string())])
    gone = pc.invert(pc.is_in(stored["case_id"], value_set=new["case_id"]))
    looked_at = stored.filter(pc.or_(gone, pc.is_in(stored["case_id"], value_set=named)))
    change = rows.difference(looked_at, fresh, keys, compared)
    counts["case_evidence"] = apply(run, case_evidence, change, keys)
    return counts


def evidence_hashes(wh: Warehouse) -> dict[str, str]:
    """Case → hash of what its stored evidence was made from."""
    with wh.read() as connection:
        stored = rows.read(connection, case_evidence, ["case_id", "content_hash"])
    return dict(zip(stored["case_id"].to_pylist(), stored["content_hash"].to_pylist(), strict=True))


def digest(text: str) -> str:
    """A hash of text, as content_hash holds it."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
