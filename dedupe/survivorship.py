"""Cluster → golden record: which value each field shows, and why.

What belongs here: the policy (section ``survivorship`` of onefold.yml) and how
it chooses. Fields that only make sense together (the parts of an address, of a
name) are chosen together, from one record. Every golden value is some source
record's value, unchanged, or a steward's override; provenance names which.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from onefold.errors import ConfigError
from onefold.settings import validated
from rules.customer import GOLDEN_FIELDS
from rules.text import has_han

Criterion = Literal[
    "native_script", "complete", "majority", "trusted", "recent", "longest", "earliest", "latest"
]
Rule = Literal["union", "restrictive"]

GROUPS: dict[str, tuple[str, ...]] = {
    "name": (
        "name", "family_name", "given_name", "middle_name", "name_suffix", "org_region",
        "org_brand", "org_industry", "org_legal_form", "org_branch",
    ),
    "national_id": ("national_id", "national_id_kind"),
    "tax_id": ("tax_id", "tax_id_kind"),
    "address": (
        "address_line", "street", "house_number", "unit", "district", "city", "region",
        "postal_code", "country",
    ),
    "phones": ("phones", "phone_kinds", "phone_extensions"),
}  # fmt: skip
"""Fields chosen together; the first one must be there for a record to be chosen."""

DEFAULTS: dict[str, tuple[Criterion, ...] | Rule] = {
    "customer_type": ("majority", "trusted", "recent"),
    "name": ("native_script", "complete", "majority", "trusted", "recent"),
    "other_names": "union",
    "national_id": ("majority", "trusted", "recent"),
    "tax_id": ("majority", "trusted", "recent"),
    "org_code": ("majority", "trusted", "recent"),
    "license_no": ("majority", "trusted", "recent"),
    "birth_date": ("majority", "trusted", "recent"),
    "sex": ("majority", "trusted", "recent"),
    "emails": "union",
    "phones": "union",
    "address": ("complete", "recent", "trusted"),
    "contact_name": ("recent", "trusted"),
    "status": ("recent", "trusted"),
    "consent_marketing": "restrictive",
    "do_not_contact": "restrictive",
    "created_at": ("earliest",),
    "updated_at": ("latest",),
}
FALLBACK: tuple[Criterion, ...] = ("trusted", "recent", "longest")

_PROHIBITS = {"consent_marketing": False, "do_not_contact": True}

PROVENANCE_SCHEMA = pa.schema(
    [
        pa.field("golden_id", pa.string()),
        pa.field("field", pa.string()),
        pa.field("item", pa.int32()),
        pa.field("source", pa.string()),
        pa.field("source_key", pa.string()),
        pa.field("rule", pa.string()),
    ]
)
GOLDEN_SCHEMA = pa.schema(
    [
        pa.field("golden_id", pa.string()),
        *(field.arrow for field in GOLDEN_FIELDS),
        pa.field("record_count", pa.int64()),
        pa.field("source_count", pa.int64()),
        pa.field("sources", pa.list_(pa.string())),
    ]
)


class Policy(BaseModel):
    """Section ``survivorship`` of onefold.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trust: dict[str, float] = Field(default_factory=dict)
    """Source → trust, 0..1; a source that is not named has default_trust."""
    default_trust: float = Field(default=0.5, ge=0, le=1)
    half_life_days: float = Field(default=1825, gt=0)
    """Trust halves when a record is this many days older than its customer's newest one."""
    fields: dict[str, list[Criterion] | Rule] = Field(default_factory=dict)
    """Field (or first field of a group: name, address, ...) → criteria in order, or a rule."""

    def rule_of(self, field: str) -> tuple[Criterion, ...] | Rule:
        """The criteria, in order, or the rule that choose this field."""
        chosen = self.fields.get(field)
        if chosen is None:
            return DEFAULTS.get(field, FALLBACK)
        return tuple(chosen) if isinstance(chosen, list) else chosen


def load_policy(section: dict[str, Any] | None) -> Policy:
    """Validate section ``survivorship`` of onefold.yml.

    Raises:
        ConfigError: unknown setting, field or criterion.
    """
    policy = validated(Policy, section, "survivorship")
    groups = {name for members in GROUPS.values() for name in members[1:]}
    known = {field.name for field in GOLDEN_FIELDS} - groups | {"address"}
    for name, rule in policy.fields.items():
        if name not in known:
            raise ConfigError(
                f"onefold.yml, survivorship.fields.{name}",
                "no golden field of this name chooses its value on its own",
                do=f"Use one of: {', '.join(sorted(known))}.",
            )
        lists = {field.name for field in GOLDEN_FIELDS if field.kind == "list"}
        if (rule == "union") != (name in lists):
            raise ConfigError(
                f"onefold.yml, survivorship.fields.{name}",
                "'union' is the rule of fields with several values, and their only one",
            )
        if (rule == "restrictive") and name not in _PROHIBITS:
            raise ConfigError(
                f"onefold.yml, survivorship.fields.{name}",
                "'restrictive' is for consent_marketing and do_not_contact",
            )
    return policy


@dataclass(frozen=True)
class Consolidated:
    """The outcome of :func:`consolidate`.

    Attributes:
        golden: GOLDEN_SCHEMA, one row per golden customer, sorted by golden_id.
        provenance: golden_id, field, item (place in a list, else 0), source,
            source_key, rule; one row per golden value, sorted.
    """

    golden: pa.Table
    provenance: pa.Table


class _Members:
    """The clustered records as arrays, sorted by golden_id and record_id."""

    def __init__(self, staged: pa.Table, crosswalk: pa.Table, policy: Policy) -> None:
        where = pc.index_in(crosswalk["record_id"], staged["record_id"])
        known = pc.is_valid(where)
        found = staged.take(where.filter(known)).append_column(
            "golden_id", crosswalk["golden_id"].filter(known)
        )
        self.table = found.sort_by([("golden_id", "ascending"), ("record_id", "ascending")])
        self.source = np.array(self.column("source"), dtype=object)
        self.source_key = np.array(self.column("source_key"), dtype=object)
        golden = np.array(self.column("golden_id"), dtype=object)
        starts = np.ones(len(golden), dtype=bool)
        starts[1:] = golden[1:] != golden[:-1]
        self.group = np.cumsum(starts) - 1
        self.ids = golden[starts]
        updated = self.seconds("updated_at")
        # Counted within the customer: what others' records say changes nothing here.
        latest = np.zeros(len(self.ids), dtype=np.int64)
        np.maximum.at(latest, self.group, updated)
        age = (latest[self.group] - updated) / 86_400
        age_days = np.where(updated > 0, age, policy.half_life_days)
        trust = np.array(
            [policy.trust.get(name, policy.default_trust) for name in self.source], dtype=float
        )
        self.trust = trust * 0.5 ** (age_days / policy.half_life_days)

    def column(self, name: str) -> list[Any]:
        return self.table.column(name).to_pylist()

    def seconds(self, name: str) -> np.ndarray:
        values = self.table.column(name).cast(pa.int64())
        return np.asarray(pc.fill_null(values, 0)).astype(np.int64) // 1_000_000

    def filled(self, name: str) -> np.ndarray:
        column = self.table.column(name)
        if pa.types.is_list(column.type):
            return np.asarray(pc.fill_null(pc.greater(pc.list_value_length(column), 0), False))
        return np.asarray(pc.is_valid(column))


def _score(members: _Members, criterion: Criterion, fields: tuple[str, ...]) -> np.ndarray:
    """How well each record meets a criterion; higher is better."""
    head = fields[0]
    if criterion == "trusted":
        return members.trust
    if criterion in ("recent", "latest"):
        return members.seconds("updated_at" if criterion == "recent" else head)
    if criterion == "earliest":
        seconds = members.seconds(head)
        return np.where(seconds != 0, -seconds, np.iinfo(np.int64).min)
    if criterion == "complete":
        return np.sum([members.filled(name) for name in fields], axis=0)
    if criterion == "native_script":
        return np.array([has_han(value or "") for value in members.column(head)])
    values = members.column(head)
    if criterion == "longest":
        return np.array([len(str(value)) if value is not None else 0 for value in values])
    pairs = list(zip(members.group.tolist(), values, strict=True))
    counts: dict[tuple[int, Any], int] = {}
    for pair in pairs:
        counts[pair] = counts.get(pair, 0) + 1
    return np.array([counts[pair] for pair in pairs])


def _order(
    members: _Members, criteria: tuple[Criterion, ...], fields: tuple[str, ...]
) -> np.ndarray:
    """Row numbers by group, best record first; ties go to the smaller record_id."""
    keys: list[np.ndarray] = [np.arange(len(members.group))]
    keys += [-_score(members, criterion, fields).astype(float) for criterion in reversed(criteria)]
    return np.lexsort([*keys, members.group])


def _union(members: _Members, fields: tuple[str, ...], order: np.ndarray) -> tuple[dict, list]:
    """Every distinct value of a group once, from the best record that has it."""
    columns = [members.column(name) for name in fields]
    found: dict[int, list[tuple]] = {}
    seen: set[tuple[int, Any]] = set()
    provenance = []
    for row in order.tolist():
        group = int(members.group[row])
        for item in zip(*(column[row] or () for column in columns), strict=False):
            if (group, item[0]) not in seen:
                seen.add((group, item[0]))
                items = found.setdefault(group, [])
                provenance.append((group, len(items), row))
                items.append(item)
    return found, provenance


def consolidate(
    staged: pa.Table,
    crosswalk: pa.Table,
    policy: Policy,
    overrides: pa.Table | None = None,
) -> Consolidated:
    """Build the golden record of every customer.

    Args:
        staged: STAGED_SCHEMA.
        crosswalk: record_id, golden_id; records that are not staged are left out.
        policy: which value wins.
        overrides: decisions in force; rows of kind ``override`` (decision_id,
            golden_id, field, value as text) win over every source.

    Returns:
        Consolidated; the same for any order of rows.
    """
    members = _Members(staged, crosswalk, policy)
    size = len(members.ids)
    values: dict[str, pa.Array | list[Any]] = {}
    trail = _Trail()
    grouped = {name: head for head, names in GROUPS.items() for name in names}

    for field in GOLDEN_FIELDS:
        if field.name in values:
            continue
        head = grouped.get(field.name, field.name)
        fields = GROUPS.get(head, (field.name,))
        rule = policy.rule_of(head)
        if field.kind == "list":
            found, origins = _union(members, fields, _order(members, ("recent", "trusted"), fields))
            groups, items, rows = np.array(origins, dtype=np.int64).reshape(-1, 3).T
            for at, name in enumerate(fields):
                values[name] = [
                    [item[at] for item in found.get(group, ())] for group in range(size)
                ]
                trail.note(name, groups, items, rows, np.full(len(rows), "union", dtype=object))
            continue
        if rule == "restrictive":
            prohibits = _PROHIBITS[field.name]
            column = members.column(field.name)
            scores = np.array([2 if v is prohibits else 0 if v is None else 1 for v in column])
            order = np.lexsort([np.arange(len(scores)), -scores, members.group])
            label = "restrictive"
        else:
            criteria = rule if isinstance(rule, tuple) else FALLBACK
            order = _order(members, criteria, fields)
            label = " > ".join(criteria)
        filled = members.filled(fields[0])
        if head == "address":
            filled = np.any([members.filled(n) for n in fields if n != "country"], axis=0)
        order = order[filled[order]]
        groups, firsts = np.unique(members.group[order], return_index=True)
        rows = order[firsts]
        candidates = np.bincount(members.group[order], minlength=size)
        rules = np.where(candidates[groups] > 1, label, "only value").astype(object)
        chosen = np.full(size, -1)
        chosen[groups] = rows
        where = pa.array(chosen, mask=chosen < 0)
        for name in fields:
            values[name] = members.table.column(name).combine_chunks().take(where)
            held = np.asarray(pc.is_valid(members.table.column(name)))[rows]
            trail.note(name, groups[held], np.zeros(held.sum(), int), rows[held], rules[held])
    decided = _override(members, values, overrides)

    sources: list[list[str]] = [[] for _ in range(size)]
    for group, name in sorted({*zip(members.group.tolist(), members.source, strict=True)}):
        sources[group].append(name)
    columns = {
        "golden_id": members.ids.tolist(),
        **values,
        "record_count": np.bincount(members.group, minlength=size),
        "source_count": [len(names) for names in sources],
        "sources": sources,
    }
    golden = pa.Table.from_pydict(columns, schema=GOLDEN_SCHEMA)
    return Consolidated(golden=golden, provenance=_decided(trail.table(members), decided))


class _Trail:
    """Where golden values came from, field by field."""

    def __init__(self) -> None:
        self.fields: list[str] = []
        self.parts: list[tuple[np.ndarray, ...]] = []

    def note(
        self,
        field: str,
        groups: np.ndarray,
        items: np.ndarray,
        rows: np.ndarray,
        rules: np.ndarray,
    ) -> None:
        """One field's values: their groups, places in a list, records and rules."""
        self.fields.append(field)
        self.parts.append((groups, items, rows, rules))

    def table(self, members: _Members) -> pa.Table:
        """PROVENANCE_SCHEMA, sorted by golden_id, field and item."""
        groups, items, rows, rules = (
            np.concatenate(parts) for parts in zip(*self.parts, strict=True)
        )
        names = np.array(self.fields, dtype=object)
        rank = np.argsort(np.argsort(names))
        field = np.repeat(np.arange(len(names)), [len(part[0]) for part in self.parts])
        order = np.lexsort([items, rank[field], groups])
        rows = rows[order]
        columns = {
            "golden_id": members.ids[groups[order]],
            "field": names[field[order]],
            "item": items[order],
            "source": members.source[rows],
            "source_key": members.source_key[rows],
            "rule": rules[order],
        }
        return pa.Table.from_pydict(columns, schema=PROVENANCE_SCHEMA)


_Decided = dict[tuple[str, str], tuple[int, str]]
"""Golden id and field → how many values a steward gave it, by which decision."""


def _override(
    members: _Members, values: dict[str, pa.Array | list[Any]], overrides: pa.Table | None
) -> _Decided:
    """Put the stewards' values over the sources', in place."""
    decided: _Decided = {}
    if overrides is None:
        return decided
    place = {golden: number for number, golden in enumerate(members.ids.tolist())}
    kinds = {field.name: field.kind for field in GOLDEN_FIELDS}
    rows = [row for row in overrides.to_pylist() if row["kind"] == "override"]

    def put(field: str, golden: str, value: Any) -> None:
        column = values[field]
        if not isinstance(column, list):
            column = values[field] = column.to_pylist()
        column[place[golden]] = value

    for row in sorted(rows, key=lambda row: (str(row["decided_at"]), row["decision_id"])):
        golden, name = row["golden_id"], row["field"]
        if golden not in place or name not in kinds:
            continue
        value = parsed(row["value"], kinds[name])
        put(name, golden, value)
        if name == "phones":
            put("phone_kinds", golden, ["unknown"] * len(value))
            put("phone_extensions", golden, [""] * len(value))
        count = len(value) if isinstance(value, list) else 1
        decided[golden, name] = (count, row["decision_id"])
    return decided


def _decided(provenance: pa.Table, decided: _Decided) -> pa.Table:
    """The provenance, with stewards' decisions in the place of what they overrule."""
    if not decided:
        return provenance
    mine = pa.array([f"{golden} {field}" for golden, field in decided], pa.string())
    named = pc.binary_join_element_wise(provenance["golden_id"], provenance["field"], " ")
    kept = provenance.filter(pc.invert(pc.is_in(named, value_set=mine)))
    added = [
        (golden, field, item, "decision", decision_id, "override")
        for (golden, field), (count, decision_id) in decided.items()
        for item in range(count)
    ]
    new = [dict(zip(PROVENANCE_SCHEMA.names, row, strict=True)) for row in added]
    whole = pa.concat_tables([kept, pa.Table.from_pylist(new, schema=PROVENANCE_SCHEMA)])
    keys = ("golden_id", "field", "item")
    return whole.sort_by([(key, "ascending") for key in keys]).combine_chunks()


def parsed(text: str | None, kind: str) -> Any:
    """An override's text as a value of the field's kind.

    Raises:
        ValueError, KeyError: it is none (pyarrow's and json's errors are ValueErrors).
    """
    if text is None or text == "":
        return [] if kind == "list" else None
    if kind == "list":
        found = json.loads(text)
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise ValueError("not a list of text")
        return found
    if kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}[text.casefold()]
    if kind in ("date", "timestamp"):
        return pc.cast(
            pa.scalar(text), pa.date32() if kind == "date" else pa.timestamp("us", "UTC")
        ).as_py()
    return text
