"""How often each source is right, from the published customers, decisions and kept snapshots.

What belongs here: the evidence. What is made of it stands in dedupe/trust.py. Only reads.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from connectors import comparing, snapshot
from connectors.reading import SOURCE_KEY
from connectors.source import SourceConfig, declared
from dedupe import claims, trust
from dedupe.explaining.masking import masked
from dedupe.trust import Known, Learned
from onefold.errors import SourceLayout
from onefold.keys import Keys
from onefold.settings import Settings
from pipelines import lake
from rules import habits, standardize
from rules.customer import BY_NAME, HEAD_OF, STAGED_SCHEMA
from rules.repairs import Repairs
from rules.slices import SLICE
from warehouse import publish, staged_records
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.review_tables import decision

EXAMPLES = 3
"""Claims of each source and field that are shown as likely wrong."""
MOST_CORRECTED = 20_000
"""Changed records that are cleaned again in a pair of snapshots; of more the first ones are."""


@dataclass(frozen=True)
class Example:
    """A value that is likely wrong.

    Attributes:
        golden_id, record_id: where it stands.
        said: the value, its middle hidden.
        others: what other sources say, likewise.
    """

    golden_id: str
    record_id: str
    said: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class Trusting:
    """What was learned.

    Attributes:
        customers: published customers of two sources or more.
        fields: field → its estimates.
        examples: field and source → values that are likely wrong, the surest first.
        default_trust, proposed: as of ``dedupe.trust.proposed``.
    """

    customers: int
    fields: Mapping[str, Learned]
    examples: Mapping[tuple[str, str], tuple[Example, ...]]
    default_trust: float
    proposed: Mapping[str, Mapping[str, float]]


def learn(settings: Settings, warehouse: Warehouse, least: int = trust.LEAST) -> Trusting:
    """Estimate trust in each source, field by field.

    Args:
        least: judged values from which something is proposed.

    Raises:
        WarehouseError: a database refuses.
    """
    records = staged_records.read(warehouse)
    crosswalk = publish.read_identity(warehouse).crosswalk.select(["record_id", "golden_id"])
    by_stewards = _stewards(warehouse)
    by_corrections = _corrections(settings, records, crosswalk)
    fields, examples = {}, {}
    for head, said in claims.of(records, crosswalk):
        learned = trust.learn(said.claims, by_stewards[head], by_corrections[head])
        fields[head] = learned
        for one in learned.estimates:
            examples[head, one.source] = tuple(_examples(records, head, said, learned, one.source))
    default, proposed = trust.proposed(fields, least)
    sources = crosswalk.append_column("source", _source_of(crosswalk["record_id"]))
    several = sources.group_by("golden_id").aggregate([("source", "count_distinct")])
    customers = pc.sum(pc.greater(several["source_count_distinct"], 1)).as_py() or 0
    return Trusting(customers, fields, examples, default, proposed)


def _source_of(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.list_element(pc.split_pattern(ids, ":", max_splits=1), 0)


def _examples(
    records: pa.Table, head: str, said: claims.Said, learned: Learned, source: str
) -> Iterator[Example]:
    of = said.claims
    own = np.flatnonzero(of.source == of.sources.index(source))
    wrong = own[learned.probability[own] < 0.5]
    for at in wrong[np.argsort(learned.probability[wrong], kind="stable")][:EXAMPLES].tolist():
        others = np.flatnonzero((of.item == of.item[at]) & (of.value != of.value[at]))
        ids = [str(said.record_id[one]) for one in (at, *others.tolist())]
        where = pc.index_in(pa.array(ids), value_set=records["record_id"].combine_chunks())
        column = claims.SHOWN.get(head, head)
        values = [_hidden(one) for one in records[column].take(where).to_pylist()]
        yield Example(str(said.golden_id[at]), ids[0], values[0], tuple(dict.fromkeys(values[1:])))


def _hidden(value: object) -> str:
    """A value for the terminal: enough to recognize it."""
    texts = value if isinstance(value, list) else [value]
    return "; ".join(masked(str(one)) for one in texts if one is not None)


_Counted = dict[str, dict[str, Known]]


def _counted(found: Mapping[tuple[str, str], list[bool]]) -> _Counted:
    counted: _Counted = defaultdict(dict)
    for (head, source), right in found.items():
        counted[head][source] = Known(sum(right), len(right))
    return counted


def _stewards(warehouse: Warehouse) -> _Counted:
    """Field → source → its values when a steward set one: those that were the same are right."""
    query = sa.select(decision.c.field, decision.c.value, decision.c.evidence).where(
        decision.c.kind == "override",
        decision.c.revoked_at.is_(None),
        decision.c.evidence_hash.is_not(None),
    )
    found: dict[tuple[str, str], list[bool]] = defaultdict(list)
    with warehouse.read(REVIEW) as connection:
        rows = connection.execute(query.order_by(decision.c.decision_id)).all()
    for row in rows:
        head = HEAD_OF.get(row.field, row.field)
        if head not in claims.LEARNED or row.value is None:
            continue
        is_list = BY_NAME[row.field].kind == "list"
        pinned = json.loads(row.value) if is_list else row.value
        for record_id, text in sorted((row.evidence or {}).get("values", {}).items()):
            if text is not None:
                said = json.loads(text) if is_list else text
                found[head, record_id.partition(":")[0]].append(claims.same(said, pinned))
    return _counted(found)


def _corrections(settings: Settings, records: pa.Table, crosswalk: pa.Table) -> _Counted:
    """Field → source → its values where a source came to say what another one said before.

    The one that corrected itself was wrong, the other right, if it said so already when the
    first was last read with its other value. Read from the snapshots that the lake keeps.
    """
    earlier, changed_at = [], dict[str, str]()
    keys = Keys.of(settings)
    for config in declared(settings.home).sources.values():
        for until, since, before, touched in _changes(settings, config, keys):
            earlier.append((until, before))
            changed_at |= dict.fromkeys(touched, since)
    found: dict[tuple[str, str], list[bool]] = defaultdict(list)
    members: dict[str, list[str]] = defaultdict(list)
    golden = {row["record_id"]: row["golden_id"] for row in crosswalk.to_pylist() if earlier}
    for record_id, golden_id in golden.items():
        members[golden_id].append(record_id)
    wanted = {
        record_id
        for _, before in earlier
        for one in before["record_id"].to_pylist()
        for record_id in members.get(golden.get(one, ""), ())
    }
    kept = records.filter(
        pc.is_in(records["record_id"], value_set=pa.array(sorted(wanted), pa.string()))
    )
    now = {row["record_id"]: row for row in kept.to_pylist()}
    for until, before in earlier:
        for was in before.to_pylist():
            own = now.get(was["record_id"])
            others = [
                now[one]
                for one in sorted(members.get(golden.get(was["record_id"], ""), ()))
                if one in now
                and now[one]["source"] != was["source"]
                and changed_at.get(one, "") <= until
            ]
            if own is None or not others:
                continue
            for head in claims.LEARNED:
                column = claims.COMPARED.get(head, head)
                if not was[column] or not own[column] or claims.same(was[column], own[column]):
                    continue
                right = {one["source"] for one in others if claims.same(one[column], own[column])}
                if right:
                    found[head, was["source"]].append(False)
                for source in sorted(right):
                    found[head, source].append(True)
    return _counted(found)


def _changes(
    settings: Settings, config: SourceConfig, keys: Keys
) -> Iterator[tuple[str, str, pa.Table, list[str]]]:
    """Pairs of snapshots: the sync before and the one after, the changed records as they were,
    cleaned with today's rules, and the ids of all that changed or came."""
    folder = lake.folder(settings)
    kept = snapshot.kept(folder, config.name)
    for before, after in pairwise(kept):
        paths = [snapshot.path_of(folder, one) for one in (before, after)]
        compared = comparing.compare(*paths)
        changed = compared.keys.take(pa.array(compared.changed))
        touched = [f"{config.name}:{key}" for key in changed.to_pylist()]
        old = pq.read_table(paths[0], columns=[SOURCE_KEY])[SOURCE_KEY]
        found = pc.index_in(changed, value_set=old.combine_chunks()).drop_null()
        numbers = np.sort(np.asarray(found.combine_chunks()))[:MOST_CORRECTED]
        if not len(numbers):
            yield before.sync_id, after.sync_id, STAGED_SCHEMA.empty_table(), touched
            continue
        home = config.country or settings.country
        none = Repairs()
        try:
            every = partial(snapshot.slices, paths[0], SLICE, keys=keys)
            habit = habits.of(every, config, home, none, unique=True)
        except SourceLayout:  # a snapshot of before the source's settings were changed
            yield before.sync_id, after.sync_id, STAGED_SCHEMA.empty_table(), touched
            continue

        def slices(columns: Sequence[str] | None) -> Iterator[pa.Table]:
            return comparing.chosen(paths[0], numbers, SLICE, columns, keys=keys)  # noqa: B023

        made = standardize.in_slices(slices, config, home, none, habit)
        yield (
            before.sync_id,
            after.sync_id,
            pa.concat_tables([part.staged for part in made]),
            touched,
        )
