"""The queue's filters in addresses, and what its rows say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from dedupe.explaining.messages import message, say
from dedupe.explaining.words import field_name
from dedupe.suggestions import REASONS
from review.language import N_, translations
from review.language.formats import Formats
from review.presenters.fields import VALUES
from warehouse.cases import ME, NOBODY, STATES, Filter, Place

KINDS: Mapping[str, str] = {
    "merge": N_("One customer?"),
    "split": N_("Two customers?"),
    "override": N_("Still right?"),
}
STATE_NAMES: Mapping[str, str] = {
    "open": N_("open"),
    "skipped": N_("skipped"),
    "unsure": N_("not sure"),
    "waiting": N_("waits for a second person"),
    "decided": N_("decided"),
}
AGES = (1, 7, 30, 90)
"""Days since when a case has been there at least, to choose from."""


@dataclass(frozen=True)
class Asked:
    """What the address of a queue asks for.

    Attributes:
        filter: which cases.
        days: age in days at least, as asked; None: any.
        batch: the batch whose sample is judged; None: none.
    """

    filter: Filter
    days: int | None
    batch: str | None = None

    def query(self, **changes: object) -> str:
        """The query of an address that asks for the same, but for the changes."""
        wanted: dict[str, object] = {
            "kind": self.filter.kind,
            "type": self.filter.customer_type,
            "source": self.filter.source,
            "reason": self.filter.reason,
            "band": self.filter.band,
            "state": None if self.filter.states == ("open",) else ",".join(self.filter.states),
            "assignee": self.filter.assignee,
            "days": self.days,
            "batch": self.batch,
            **changes,
        }
        said = {name: value for name, value in wanted.items() if value not in (None, "")}
        return f"?{urlencode(said)}" if said else ""

    @property
    def narrowed(self) -> bool:
        """Whether it asks for anything but all open cases."""
        return bool(self.query())


def asked(
    kind: str = "",
    type: str = "",
    source: str = "",
    reason: str = "",
    band: str = "",
    state: str = "",
    assignee: str = "",
    days: str = "",
    batch: str = "",
) -> Asked:
    """The query of an address as a filter; what is not known is not asked.

    >>> asked(kind="merge", band="4", state="open,skipped").query()
    '?kind=merge&band=4&state=open%2Cskipped'
    >>> asked(kind="everything", band="x", days="-3").query()
    ''
    """
    states = tuple(one for one in STATES if one in state.split(","))
    age = int(days) if days.isdecimal() and 0 < int(days) < 10_000 else None
    found = Filter(
        kind=kind if kind in KINDS else None,
        customer_type=type if type in ("person", "organization") else None,
        source=source or None,
        reason=reason if reason in REASONS else None,
        band=int(band) if band.isdecimal() and 0 <= int(band) <= 9 else None,
        assignee=assignee or None,
    )
    if states:
        found = replace(found, states=states)
    if age is not None:
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        found = replace(found, before=hour - timedelta(days=age))  # so that counts can be kept
    return Asked(found, age, batch or None)


def said(wanted: Filter, language: str) -> list[tuple[str, str]]:
    """What a filter asks for, in words: the field and its value."""
    say = translations(language).gettext
    formats = Formats(language, UTC)
    band = wanted.band
    found = [
        (N_("Question"), say(KINDS[wanted.kind]) if wanted.kind else ""),
        (N_("Type"), say(VALUES[wanted.customer_type]) if wanted.customer_type else ""),
        (N_("Source"), wanted.source or ""),
        (N_("Reason"), reason_words(wanted.reason, language) if wanted.reason else ""),
        (
            N_("Probability"),
            f"{formats.share(band / 10)}–{formats.share((band + 1) / 10)}"
            if band is not None
            else "",
        ),
        (N_("Assigned to"), wanted.assignee or ""),
    ]
    if wanted.before is not None:
        found.append((N_("There before"), formats.moment(wanted.before)))
    return [(say(label), value) for label, value in found if value]


def place_of(text: str) -> Place | None:
    """Where a page of the queue goes on, as an address says it; None if it says nothing.

    >>> place_of(place_text((1.5, "C1"))), place_of("x"), place_of("")
    ((1.5, 'C1'), None, None)
    """
    cost, found, case_id = text.partition("~")
    try:
        return (float(cost), case_id) if found and case_id else None
    except ValueError:
        return None


def place_text(place: Place) -> str:
    """A place as an address says it."""
    return f"{place[0]!r}~{place[1]}"


def reason_words(reason: str, language: str) -> str:
    """Why a case is in doubt, as a sentence."""
    sentence = REASONS.get(reason)
    return say(message(sentence), language) if sentence else reason


def field_words(field: str | None, language: str) -> str:
    """A comparison in words; empty for none."""
    return say(field_name(field), language) if field else ""


@dataclass(frozen=True)
class Choice:
    """One of the filter's fields.

    Attributes:
        name: of the field in the address.
        label: what it is called.
        options: value and words of each.
        chosen: the value that is asked for.
    """

    name: str
    label: str
    options: list[tuple[str, str]]
    chosen: str


def choices(
    asked: Asked, sources: Sequence[str], people: Sequence[str], language: str
) -> list[Choice]:
    """The filter's fields, in a language."""
    say = translations(language).gettext
    formats = Formats(language, UTC)
    anything = [("", say(N_("any")))]
    whoever = [(ME, say(N_("me"))), (NOBODY, say(N_("nobody")))]
    every = ",".join(STATES)
    types = [(name, say(VALUES[name])) for name in ("person", "organization")]
    wanted = asked.filter
    return [
        Choice("kind", say(N_("Question")), anything + _said(KINDS, say), wanted.kind or ""),
        Choice("type", say(N_("Type")), anything + types, wanted.customer_type or ""),
        Choice("source", say(N_("Source")), anything + _same(sources), wanted.source or ""),
        Choice(
            "state",
            say(N_("State")),
            [*_said(STATE_NAMES, say), (every, say(N_("any")))],
            ",".join(wanted.states),
        ),
        Choice(
            "assignee",
            say(N_("Assigned to")),
            anything + whoever + _same(people),
            wanted.assignee or "",
        ),
        Choice(
            "days",
            say(N_("Older than")),
            anything + [(str(days), formats.days(days)) for days in AGES],
            str(asked.days or ""),
        ),
    ]


def _said(names: Mapping[str, str], say: Callable[[str], str]) -> list[tuple[str, str]]:
    return [(name, say(text)) for name, text in names.items()]


def _same(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]
