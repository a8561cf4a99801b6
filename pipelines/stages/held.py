"""What is held on a customer: its records, and where they stand.

What belongs here: finding all that names somebody, for an erasure (pipelines/stages/erasing.py)
and for who asks what is kept (pipelines/stages/subjects.py). It reads only.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors import erasing as snapshots
from connectors.config import SourceConfig
from connectors.erasing import Found
from onefold.errors import NotThere, SourceLayout
from pipelines.stages.deployment import Deployment
from rules import recognizing
from rules.standardize import standardize
from warehouse import erasing, staged_records
from warehouse import staged as staging
from warehouse.erasures import Target
from warehouse.publish import record_ids

RAW = "lake.raw"
"""Name of raw snapshots in the counts."""
_LEAST_MARK = 4
"""Characters of a value by which free text is searched."""


@dataclass(frozen=True)
class Whom:
    """Whom to erase: a customer, or whoever a source record belongs to."""

    golden_id: str = ""
    source: str = ""
    source_key: str = ""


@dataclass(frozen=True)
class Looked:
    """What an erasure takes out.

    Attributes:
        target: all that names the customer.
        counts: place → rows: tables by store and name, RAW for rows of snapshots.
        others: records of other customers that share a telephone number, mail address or
            number with it: they stay.
        once_with: other customers that once had a record of it: its values go from their old
            versions.
        named_in: records of others that name somebody of its name as contact or legal
            representative: they stay.
        raw: its rows in kept snapshots.
    """

    target: Target
    counts: Mapping[str, int]
    others: int = 0
    once_with: tuple[str, ...] = ()
    named_in: tuple[str, ...] = ()
    raw: tuple[Found, ...] = field(default=(), repr=False)


def look(deployment: Deployment, whom: Iterable[Whom]) -> list[Looked]:
    """What would be taken out; reads only.

    Raises:
        NotThere: nothing is held on one of them, or it was erased already.
    """
    wh = deployment.warehouse
    targets: dict[str, Target] = {}
    for one in whom:
        target = (
            erasing.customer(wh, one.golden_id)
            if one.golden_id
            else erasing.record(wh, one.source, one.source_key)
        )
        targets[target.golden_id or target.record_ids[0]] = target
    found = _look(deployment, list(targets.values()))
    found = _look(deployment, _with_strays(deployment, found))
    for each in found:
        if not each.counts:
            name = each.target.golden_id or each.target.record_ids[0]
            raise NotThere(name, "nothing is held on it", do="Check the source's name and the key.")
    return _with_marks(deployment, found)


def _look(deployment: Deployment, targets: Sequence[Target]) -> list[Looked]:
    raw = in_snapshots(deployment, {one for each in targets for one in each.record_ids})
    return [_looked(deployment, target, raw) for target in targets]


def _with_strays(deployment: Deployment, looked: Sequence[Looked]) -> list[Target]:
    """The targets with their records that are nobody's now: gone from their sources, or kept out.

    They are recognized as a sync would recognize them.
    """
    names = {str(number): one for number, one in enumerate(looked)}
    stored = [
        each
        for name, one in names.items()
        for each in recognizing.stored_of(
            name, cleaned(deployment, one), *exact(deployment, one), _plain
        )
    ]
    known = recognizing.Suppressed(stored, _plain)
    ids = record_ids(deployment.warehouse).combine_chunks()
    strays: dict[str, set[str]] = defaultdict(set)
    for source, config in deployment.sources.items():
        prefix = f"{source}:"
        mine = ids.filter(pc.starts_with(ids, prefix))
        live = pc.utf8_slice_codeunits(mine, len(prefix))
        country = config.country or deployment.settings.country
        for rows in snapshots.others(deployment.lake, source, live, deployment.keys):
            staged = _staged(rows, config, country)
            whose = known.recognized(staged, source)
            for record_id, found in zip(staged["record_id"].to_pylist(), whose, strict=True):
                for name in found:
                    strays[name].add(record_id)
    wh = deployment.warehouse
    return [
        erasing.with_records(wh, one.target, strays[name]) if strays[name] else one.target
        for name, one in names.items()
    ]


def _plain(texts: pa.Array) -> pa.ChunkedArray:
    """In place of keyed hashes, where nothing is kept."""
    return pa.chunked_array([texts])


def _looked(deployment: Deployment, target: Target, raw: Mapping[str, Sequence[Found]]) -> Looked:
    records = set(target.record_ids)
    mine = []
    for source, found in raw.items():
        keys = {one.partition(":")[2] for one in records if one.partition(":")[0] == source}
        mine += [part for one in found if (part := _of(one, keys)).rows.num_rows]
    counts = erasing.count(deployment.warehouse, [target])
    rows = sum(one.rows.num_rows for one in mine)
    return Looked(target, {**counts, **({RAW: rows} if rows else {})}, raw=tuple(mine))


def _of(found: Found, keys: set[str]) -> Found:
    """The rows of some keys."""
    held = found.rows[snapshots.SOURCE_KEY].to_pylist()
    places = [place for place, key in enumerate(held) if key in keys]
    return replace(
        found,
        rows=found.rows.take(pa.array(places, pa.int64())),
        content=tuple(found.content[place] for place in places),
        shared=tuple(found.shared[place] for place in places),
    )


def in_snapshots(deployment: Deployment, record_ids: set[str]) -> dict[str, list[Found]]:
    """The records' rows in kept snapshots, by source."""
    keys: dict[str, set[str]] = defaultdict(set)
    for one in record_ids:
        source, _, key = one.partition(":")
        keys[source].add(key)
    return {
        source: list(snapshots.find(deployment.lake, source, some, deployment.keys))
        for source, some in sorted(keys.items())
    }


def cleaned(deployment: Deployment, looked: Looked) -> pa.Table:
    """A customer's records as cleaned from every snapshot that holds them, and as staged now."""
    parts = [staged_records.read(deployment.warehouse, list(looked.target.record_ids))]
    for one in looked.raw:
        config = deployment.sources.get(one.manifest.source)
        if config is not None:
            country = config.country or deployment.settings.country
            parts.append(_staged(one.rows, config, country))
    return pa.concat_tables([part.cast(staging.STAGED_SCHEMA) for part in parts])


def _staged(rows: pa.Table, config: SourceConfig, country: str) -> pa.Table:
    """Records of a snapshot of any age, cleaned; none where it has no name by today's columns."""
    try:
        return standardize(rows, config.of_any_age(), country).staged
    except SourceLayout:
        return staging.STAGED_SCHEMA.empty_table()


_CONTACTS = ["contact_name", "legal_representative"]
_COLUMNS = [*recognizing.COLUMNS, "name", "national_id", "tax_id", "address_line"]


def _with_marks(deployment: Deployment, looked: Sequence[Looked]) -> list[Looked]:
    """What each says: its values that no other live record has, how many others share some, and,
    where another customer once had one of its records, all of it."""
    wh = deployment.warehouse
    every = {one for each in looked for one in each.target.record_ids}
    staged = staged_records.read(wh).select(["record_id", *_COLUMNS, *_CONTACTS])
    held: Counter[str] = Counter()
    naming: dict[str, set[str]] = defaultdict(set)
    for row in staged.to_pylist():
        record_id = row.pop("record_id")
        if record_id not in every:
            held.update(_values(row))
            for name in {row[column] for column in _CONTACTS} - {None}:
                naming[name].add(record_id)
    found = []
    for one in looked:
        rows = cleaned(deployment, one).to_pylist()
        own = {v for row in rows for v in _values(row)}
        marks = sorted(v for v in own if v not in held and len(v) >= _LEAST_MARK)
        once_with = erasing.once_with(wh, one.target)
        said = erasing.said(wh, one.target, rows) if once_with else {}
        found.append(
            replace(
                one,
                target=replace(one.target, marks=tuple(marks), said=said),
                others=max((held[v] for v in own), default=0),
                once_with=tuple(once_with),
                named_in=tuple(sorted({each for row in rows for each in naming[row["name"]]})),
            )
        )
    return found


def _values(row: Mapping[str, Any]) -> set[str]:
    """What tells a customer from others, as people write it."""
    found = {row[name] for name in ("name", "national_id", "tax_id", "address_line")}
    found |= {*(row["emails"] or ()), *(row["phones"] or ())}
    for one in row["phones"] or ():
        found.add(one.removeprefix("+").removeprefix("86"))
    found |= {one.partition(":")[2] for one in row["id_keys"] or ()}
    return {one for one in found if one}


def exact(
    deployment: Deployment, looked: Looked
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Records known by their key, and those known by what they hold."""
    by_key: dict[tuple[str, str], None] = {}
    by_content: dict[tuple[str, str], None] = {}
    seen = set()
    for one in looked.raw:
        source, keyless = one.manifest.source, one.manifest.key_basis == "content"
        for key, content, shared in zip(
            one.rows[snapshots.SOURCE_KEY].to_pylist(), one.content, one.shared, strict=True
        ):
            seen.add(f"{source}:{key}")
            if keyless or shared or key.startswith("#"):
                by_content[source, content] = None
            else:
                by_key[source, key] = None
    for record_id in set(looked.target.record_ids) - seen:
        source, _, key = record_id.partition(":")
        by_key[source, key] = None
    return list(by_key), list(by_content)
