"""Every error Onefold raises on purpose, and nothing else.

The tree:

    OnefoldError                 exit code 1
    ├── ConfigError              2   onefold.yml, sources/*.yml or the environment is wrong
    ├── SourceError              3   one source could not be synced; the others go on
    │   ├── SourceMissing            the file, folder, table or sheet is not there
    │   ├── SourceLocked             password-protected, or held by another program
    │   ├── SourceUnreachable        the server does not answer (worth a retry)
    │   ├── SourceEncoding           the bytes are not text in the declared or detected encoding
    │   ├── SourceLayout             a mapped column is missing, a line has the wrong length
    │   ├── SourceEmpty              nothing to read where there used to be records
    │   └── SourceHeld               readable but suspicious (shrank too much): kept back
    ├── WarehouseError           4   the database is missing, too old, or refuses
    │   └── NotThere                 no such customer, case or judgement, or no longer
    ├── ModelError               5   a saved matching model does not fit the data or the code
    ├── DecisionConflict         6   a steward's decision contradicts earlier ones
    │   └── CaseTaken                another steward was first
    ├── PublishError             7   the golden table was not published
    │   └── PublishHeld              it changes more than its budgets allow
    └── AccountError             8   an account cannot be made or changed as asked

A message says what failed, on what, what was found and what to do, in that
order. It names sources, columns and positions, never a customer's values.

Bad *data* is no error: it goes to quarantine (rules/quarantine.py).
"""

from dataclasses import dataclass
from datetime import datetime


class OnefoldError(Exception):
    """Base of all errors that Onefold raises on purpose.

    Args:
        where: what it happened on: a file and sheet, a source, a setting.
        what: what failed, as a clause.
        found: what was there instead, if that helps; never customer values.
        do: what to do about it, as a sentence.
    """

    exit_code = 1

    def __init__(self, where: str, what: str, *, found: str = "", do: str = "") -> None:
        self.where, self.what, self.found, self.do = where, what, found, do
        super().__init__(where, what, found, do)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}"
        if self.found:
            text += f" (found {self.found})"
        text += "" if text.endswith(("?", "!", ".")) else "."
        if self.do:
            text += f" {self.do}"
        return text


class ConfigError(OnefoldError):
    """onefold.yml, sources/*.yml or the environment is wrong."""

    exit_code = 2


class SourceError(OnefoldError):
    """One source could not be synced; the others go on."""

    exit_code = 3
    transient = False


class SourceMissing(SourceError):
    """The file, folder, table or sheet is not there."""


class SourceLocked(SourceError):
    """The file is password-protected, or another program holds it."""


class SourceUnreachable(SourceError):
    """The server does not answer; worth a retry."""

    transient = True


class SourceEncoding(SourceError):
    """The bytes are not text in the declared or detected encoding."""


class SourceLayout(SourceError):
    """A mapped column is missing, or a line does not fit its layout."""


class SourceEmpty(SourceError):
    """Nothing to read where there used to be records."""


class SourceHeld(SourceError):
    """Readable but suspicious (shrank too much): kept back, last good records stay."""

    gone = 0
    """Rows that would be gone, if it is held because it shrank."""


class WarehouseError(OnefoldError):
    """The database is missing, too old, or refuses."""

    exit_code = 4


class NotThere(WarehouseError):
    """What was asked for by its id is not there, or no longer."""


class ModelError(OnefoldError):
    """A saved matching model does not fit the data or the code."""

    exit_code = 5


@dataclass(frozen=True)
class EarlierDecision:
    """A decision in force that a new one contradicts.

    Attributes:
        decision_id: its id.
        kind: link, no_link or override.
        left_id, right_id: its records (link, no_link).
        decided_by, decided_at: who and when, UTC.
        reason: why, in the steward's words.
        judgement_id: the judgement that it is part of, if it is.
    """

    decision_id: str
    kind: str
    left_id: str | None
    right_id: str | None
    decided_by: str
    decided_at: datetime
    reason: str
    judgement_id: str | None


class DecisionConflict(OnefoldError):
    """A steward's decision contradicts earlier ones.

    Attributes:
        chain: the decisions in force that it contradicts, from one record to the other; empty
            where something else is wrong with it.
    """

    exit_code = 6
    chain: tuple[EarlierDecision, ...] = ()


class CaseTaken(DecisionConflict):
    """Another steward was first, or a run settled the case.

    Attributes:
        case_id: the case.
        state: what it is now: open, skipped, unsure, waiting, decided, or settled.
        by, at: who changed it and when, UTC; None where a run did.
    """

    def __init__(self, case_id: str, state: str, by: str | None, at: datetime | None) -> None:
        self.case_id, self.state, self.by, self.at = case_id, state, by, at
        who = f"{state}, by {by}" if by else state
        super().__init__(
            f"case {case_id}",
            "somebody was first" if by else "it is not as it was shown",
            found=f"{who}, {at:%Y-%m-%d %H:%M} UTC" if at else who,
            do="Look at it again.",
        )


class PublishError(OnefoldError):
    """The golden table was not published."""

    exit_code = 7


class PublishHeld(PublishError):
    """It would change more than its budgets allow, and waits for somebody to accept it."""


class AccountError(OnefoldError):
    """An account of the review app cannot be made or changed as asked."""

    exit_code = 8
