"""What stewards say of findings, as pages and API do it alike: mend, accept, take back.

What belongs here: trying a value before it is kept, and refusals in the
reader's language. The repairs themselves stand in warehouse/repairs.py.
"""

from dataclasses import dataclass

from starlette.requests import Request

from onefold.errors import DecisionConflict
from review import pages, records
from review.errors import Refused
from review.language import N_
from review.presenters import quarantine as words
from review.records import Tried
from warehouse import findings, repairs
from warehouse.engine import Warehouse
from warehouse.findings import Filter, Finding

_WHOLE = N_("The record as a whole was rejected: it can be accepted, or mended in the source.")
_GONE = N_("It is not found any more: the source was corrected, or the record is gone.")
_UNDECLARED = N_("Its source is not declared any more, so nothing said of it would be used.")
_TAKEN = N_("%(who)s dealt with it already. Undo that first, if it is wrong.")
_MEANWHILE = N_("Somebody dealt with it meanwhile; look at it again.")
_SAME = N_("This is the source's own value. Accept it as it is, or enter another one.")
_PART = N_(
    "The source's value is only part of a cell, or was changed since: mend it in the source."
)
_WRONG = N_("This value cannot be used either: %(why)s")
_CHANGED = N_("They are not as many as you were told; look at the list again.")
_BACK = N_("It was undone already.")


@dataclass(frozen=True)
class Mended:
    """A value that was put in place of the source's.

    Attributes:
        repair_id: the repair; None if it was only tried.
        tried: what it becomes; None where the record is not at hand.
    """

    repair_id: str | None
    tried: Tried | None


def tried(request: Request, wh: Warehouse, one: Finding, value: str) -> Tried | None:
    """What the record would become with another value; None where it is not at hand."""
    if one.field is None:
        return None
    record = records.find(request.app.state.settings, one.source, one.source_key)
    return records.attempt(wh, record, one, "value", value)


def same(one: Finding, value: str) -> bool:
    """Whether a value is the source's own."""
    return value.strip() == (one.raw_value or "").strip()


def mend(
    request: Request,
    wh: Warehouse,
    one: Finding,
    login: str,
    value: str,
    reason: str,
    *,
    dry_run: bool = False,
) -> Mended:
    """Use another value in place of the source's; a value that its rules refuse is not kept.

    Raises:
        Refused: 409: somebody was first, it is not found any more, its source is
            gone, or it is a whole record; 422: the value is the source's own, cannot
            be put in, or cannot be used either.
    """
    _open(request, one)
    if one.field is None:
        raise Refused(409, _WHOLE)
    if same(one, value):
        raise Refused(422, _SAME)
    found = tried(request, wh, one, value)
    refused = _refused(request, one, found)
    if refused is not None:
        _open(request, findings.get(wh, one.quarantine_id))  # whoever was first explains it
        raise refused
    return Mended(None if dry_run else _add(wh, one, "value", login, value, reason), found)


def _refused(request: Request, one: Finding, found: Tried | None) -> Refused | None:
    if found is not None and not found.found:
        return Refused(422, _PART)
    for problem in found.problems if found is not None else ():
        if problem.severity == "error":
            language = pages.language_of(request)
            why = words.reason(problem.reason, problem.rule, one.field, language)
            return Refused(422, _WRONG, why=why)
    return None


def accept(request: Request, wh: Warehouse, one: Finding, login: str, reason: str) -> str:
    """Accept a finding; gives the repair's id.

    Raises:
        Refused: 409: somebody was first, it is not found any more, or its source is gone.
    """
    _open(request, one)
    return _add(wh, one, "accept", login, None, reason)


def _open(request: Request, one: Finding) -> None:
    if one.repaired_by is not None:
        raise Refused(409, _TAKEN, who=one.repaired_by)
    if one.state == "repaired":
        raise Refused(409, _GONE)
    if not records.is_declared(request.app.state.settings, one.source):
        raise Refused(409, _UNDECLARED)


def _add(
    wh: Warehouse, one: Finding, kind: repairs.Kind, login: str, value: str | None, reason: str
) -> str:
    try:
        return repairs.add(wh, one.quarantine_id, kind, login, value=value, reason=reason)
    except DecisionConflict as error:
        raise Refused(409, _MEANWHILE) from error


def accept_all(
    wh: Warehouse, wanted: Filter, login: str, expected: int, reason: str
) -> tuple[str, int]:
    """Accept the open findings of a filter: the act's id, and how many they are.

    Raises:
        Refused: 409: they are more or fewer than was said.
    """
    try:
        return repairs.accept_all(wh, wanted, login, expected, reason=reason)
    except DecisionConflict as error:
        raise Refused(409, _CHANGED) from error


def take_back(wh: Warehouse, repair_id: str, login: str) -> int:
    """Take a repair or a whole act back; gives how many.

    Raises:
        NotThere: there is no such repair.
        Refused: 409: it was taken back already.
    """
    try:
        return repairs.undo(wh, repair_id, login)
    except DecisionConflict as error:
        raise Refused(409, _BACK) from error
