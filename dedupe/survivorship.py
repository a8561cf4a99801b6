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
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from onefold.errors import ConfigError
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
    """Trust halves when a record is this many days older than the newest one known."""
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
    try:
        policy = Policy.model_validate(section or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"onefold.yml, survivorship.{place}", first["msg"]) from error
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
        newest = updated.max(initial=0)
        age_days = np.where(updated > 0, (newest - updated) / 86_400, policy.half_life_days)
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
    staged: pa.Table, crosswalk: pa.Table, policy: Policy, overrides: pa.Table | None = None
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
    values: dict[str, list[Any]] = {}
    provenance: list[tuple[str, str, int, str, str, str]] = []
    grouped = {name: head for head, names in GROUPS.items() for name in names}

    def note(group: int, field: str, item: int, row: int, rule: str) -> None:
        provenance.append(
            (members.ids[group], field, item, members.source[row], members.source_key[row], rule)
        )

    for field in GOLDEN_FIELDS:
        if field.name in values:
            continue
        head = grouped.get(field.name, field.name)
        fields = GROUPS.get(head, (field.name,))
        rule = policy.rule_of(head)
        if field.kind == "list":
            found, trail = _union(members, fields, _order(members, ("recent", "trusted"), fields))
            for at, name in enumerate(fields):
                values[name] = [
                    [item[at] for item in found.get(group, ())] for group in range(size)
                ]
                for group, item, row in trail:
                    note(group, name, item, row, "union")
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
        for name in fields:
            column = members.column(name)
            chosen: list[Any] = [None] * size
            for group, row in zip(groups.tolist(), rows.tolist(), strict=True):
                chosen[group] = column[row]
                if column[row] is not None:
                    note(group, name, 0, row, label if candidates[group] > 1 else "only value")
            values[name] = chosen
    _override(members, values, provenance, overrides)

    sources: list[list[str]] = [[] for _ in range(size)]
    for group, name in sorted({*zip(members.group.tolist(), members.source, strict=True)}):
        sources[group].append(name)
    golden = pa.Table.from_pydict(
        {
            "golden_id": members.ids.tolist(),
            **values,
            "record_count": np.bincount(members.group, minlength=size),
            "source_count": [len(names) for names in sources],
            "sources": sources,
        },
        schema=GOLDEN_SCHEMA,
    )
    trail_columns = list(zip(*sorted(provenance), strict=True)) or [()] * len(PROVENANCE_SCHEMA)
    return Consolidated(
        golden=golden,
        provenance=pa.Table.from_arrays(
            [
                pa.array(column, type=field.type)
                for column, field in zip(trail_columns, PROVENANCE_SCHEMA, strict=True)
            ],
            schema=PROVENANCE_SCHEMA,
        ),
    )


def _override(
    members: _Members,
    values: dict[str, list[Any]],
    provenance: list[tuple[str, str, int, str, str, str]],
    overrides: pa.Table | None,
) -> None:
    """Put the stewards' values over the sources', in place."""
    if overrides is None:
        return
    place = {golden: number for number, golden in enumerate(members.ids.tolist())}
    kinds = {field.name: field.kind for field in GOLDEN_FIELDS}
    rows = [row for row in overrides.to_pylist() if row["kind"] == "override"]
    for row in sorted(rows, key=lambda row: (str(row["decided_at"]), row["decision_id"])):
        golden, name = row["golden_id"], row["field"]
        if golden not in place or name not in kinds:
            continue
        values[name][place[golden]] = _parsed(row["value"], kinds[name])
        if name == "phones":
            count = len(values[name][place[golden]])
            values["phone_kinds"][place[golden]] = ["unknown"] * count
            values["phone_extensions"][place[golden]] = [""] * count
        items = values[name][place[golden]]
        count = len(items) if isinstance(items, list) else 1
        provenance[:] = [entry for entry in provenance if entry[:2] != (golden, name)]
        provenance += [
            (golden, name, item, "decision", row["decision_id"], "override")
            for item in range(count)
        ]


def _parsed(text: str | None, kind: str) -> Any:
    """An override's text as the field's type."""
    if text is None or text == "":
        return [] if kind == "list" else None
    if kind == "list":
        return list(json.loads(text))
    if kind == "boolean":
        return text.casefold() == "true"
    if kind in ("date", "timestamp"):
        return pc.cast(
            pa.scalar(text), pa.date32() if kind == "date" else pa.timestamp("us", "UTC")
        ).as_py()
    return text
