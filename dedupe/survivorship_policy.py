"""Section ``survivorship`` of onefold.yml: which value wins, field by field.

survivorship:
  default_trust: 0.5
  trust:
    erp: 0.9                            # in every field
    crm: {default: 0.6, emails: 0.95}   # in one field more
  half_life_days: {default: 1825, phones: 730}
  verified:
    kyc: [national_id, birth_date]      # what this source says in these was verified
  fields:
    birth_date: [verified, trusted, recent]
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from onefold.errors import ConfigError
from onefold.settings import validated
from rules.customer import BY_NAME, GOLDEN_FIELDS, HEAD_OF

Criterion = Literal[
    "verified", "native_script", "complete", "majority", "backed", "trusted", "recent", "longest",
    "earliest", "latest",
]  # fmt: skip
Rule = Literal["union", "restrictive"]
Criteria = tuple[str, ...]

HEADS = tuple(dict.fromkeys(HEAD_OF.get(one.name, one.name) for one in GOLDEN_FIELDS))
"""What is chosen on its own: fields and groups, in the order of the canonical model."""

PROHIBITS = {"consent_marketing": False, "do_not_contact": True}
"""The answer that restricts."""
LISTS = frozenset(head for head in HEADS if head in BY_NAME and BY_NAME[head].kind == "list")
"""Fields with several values: all are kept, and criteria order them."""
_MEASURED = ("created_at", "updated_at")

_USUAL: Criteria = ("verified", "majority", "trusted", "recent")
DEFAULTS: dict[str, Criteria | Rule] = {
    "customer_type": ("majority", "trusted", "recent"),
    "name": ("verified", "native_script", "complete", "majority", "trusted", "recent"),
    "other_names": "union",
    "national_id": _USUAL,
    "tax_id": _USUAL,
    "org_code": _USUAL,
    "license_no": _USUAL,
    "birth_date": _USUAL,
    "sex": _USUAL,
    "emails": "union",
    "phones": "union",
    "address": ("verified", "complete", "recent", "trusted"),
    "contact_name": ("verified", "recent", "trusted"),
    "status": ("recent", "trusted"),
    "consent_marketing": "restrictive",
    "do_not_contact": "restrictive",
    "created_at": ("earliest",),
    "updated_at": ("latest",),
}
FALLBACK: Criteria = ("verified", "trusted", "recent", "longest")
OF_RULES: dict[str, Criteria] = {
    "union": ("verified", "recent", "trusted"),
    "restrictive": ("restrictive", "recent"),
}
"""By which criteria a rule orders the records of a customer."""
_FOR_LISTS = frozenset({"verified", "trusted", "recent"})

Trust = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[float, Field(gt=0)]
_DEFAULT = "default"


class Policy(BaseModel):
    """Section ``survivorship`` of onefold.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trust: dict[str, Trust | dict[str, Trust]] = Field(default_factory=dict)
    """Source → trust, 0..1, in all fields or field by field with ``default`` for the others."""
    default_trust: Trust = 0.5
    """Of a source or field that is not named."""
    half_life_days: Days | dict[str, Days] = 1825.0
    """Trust halves when a record is this many days older than its customer's newest one; for
    all fields, or field by field with ``default`` for the others."""
    verified: dict[str, list[str]] = Field(default_factory=dict)
    """Source → fields in which all that it says was verified. What a source says of single
    records stands in their column ``verified``."""
    fields: dict[str, list[Criterion] | Rule] = Field(default_factory=dict)
    """Field (or first field of a group: name, address, ...) → criteria in order, or a rule."""

    def rule_of(self, head: str) -> Criteria | Rule:
        """The criteria, in order, or the rule that choose this field."""
        chosen = self.fields.get(head)
        if chosen is None:
            return DEFAULTS.get(head, FALLBACK)
        return tuple(chosen) if isinstance(chosen, list) else chosen

    def criteria_of(self, head: str) -> Criteria:
        """The criteria that order the records of a customer in this field."""
        rule = self.rule_of(head)
        return OF_RULES[rule] if isinstance(rule, str) else rule

    def trust_in(self, source: str, head: str) -> float:
        """How far a source is trusted in a field, before age takes from it."""
        said = self.trust.get(source, self.default_trust)
        if isinstance(said, dict):
            return said.get(head, said.get(_DEFAULT, self.default_trust))
        return said

    def half_life(self, head: str) -> float:
        """After how many days trust in a field has halved."""
        said = self.half_life_days
        if isinstance(said, dict):
            return said.get(head, said.get(_DEFAULT, _HALF_LIFE))
        return said


_HALF_LIFE = float(Policy.model_fields["half_life_days"].default)


def load_policy(section: dict[str, Any] | None) -> Policy:
    """Validate section ``survivorship`` of onefold.yml.

    Raises:
        ConfigError: unknown setting, field or criterion.
    """
    policy = validated(Policy, section, "survivorship")
    for source, said in policy.trust.items():
        if isinstance(said, dict):
            _require_fields(f"trust.{source}", said, _DEFAULT)
    if isinstance(policy.half_life_days, dict):
        _require_fields("half_life_days", policy.half_life_days, _DEFAULT)
    for source, names in policy.verified.items():
        _require_fields(f"verified.{source}", dict.fromkeys(names))
    _require_fields("fields", policy.fields)
    for head, rule in policy.fields.items():
        _check_rule(head, rule)
    return policy


def _require_fields(where: str, named: dict[str, Any], *more: str) -> None:
    for name in named:
        if name not in HEADS and name not in more:
            raise ConfigError(
                f"onefold.yml, survivorship.{where}.{name}",
                "no golden field of this name chooses its value on its own",
                do=f"Use one of: {', '.join([*more, *sorted(HEADS)])}.",
            )


def _check_rule(head: str, rule: list[Criterion] | Rule) -> None:
    where = f"onefold.yml, survivorship.fields.{head}"
    if rule == "restrictive" and head not in PROHIBITS:
        raise ConfigError(where, "'restrictive' is for consent_marketing and do_not_contact")
    if rule != "restrictive" and head in PROHIBITS:
        raise ConfigError(where, "the most restrictive answer always counts", do="Remove the line.")
    if rule == "union" and head not in LISTS:
        raise ConfigError(where, "'union' is for fields with several values")
    if isinstance(rule, list) and head in LISTS and not _FOR_LISTS.issuperset(rule):
        raise ConfigError(
            where,
            "all values of this field are kept; only some criteria can order them",
            do=f"Use {', '.join(sorted(_FOR_LISTS))}.",
        )
    if isinstance(rule, list) and {"earliest", "latest"} & {*rule} and head not in _MEASURED:
        raise ConfigError(
            where, "'earliest' and 'latest' are for dates", found=head, do="Use 'recent'."
        )
