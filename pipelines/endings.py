"""How a run ended, from the events that Dagster keeps of it: in words, and what stopped it.

What belongs here: reading events. The report of a refresh, the status and the
alerts are made of it, so that a run says the same wherever it ran.
"""

from collections.abc import Collection, Iterable

import dagster as dg

from onefold import errors
from onefold.errors import OnefoldError
from pipelines.checks import SOURCE_CHECKS
from warehouse.outcomes import GoldenOutcome


def failed_checks(
    events: Iterable[dg.DagsterEvent], but: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """The failed checks that held the golden table back, and those that did not, as sentences.

    Args:
        events: of the run.
        but: names of checks to leave out.
    """
    blocked: list[str] = []
    warnings: list[str] = []
    for event in events:
        if event.event_type_value != "ASSET_CHECK_EVALUATION":
            continue
        check = event.asset_check_evaluation_data
        if check.passed or check.asset_key.path[0] in SOURCE_CHECKS or check.check_name in but:
            continue
        place = "/".join(check.asset_key.path)
        sentence = f"{place}, check {check.check_name}: {check.description or 'failed.'}"
        holds = check.blocking and check.severity == dg.AssetCheckSeverity.ERROR
        (blocked if holds else warnings).append(sentence)
    return blocked, warnings


def error(events: Iterable[dg.DagsterEvent], run_id: str) -> OnefoldError:
    """What stopped a failed run: the stage's own error, or that it has a bug."""
    for event in events:
        if event.event_type_value == "PIPELINE_FAILURE" and (said := _ours(event)):
            return OnefoldError(f"run {run_id}", "it could not begin", found=said)
        if event.event_type_value != "STEP_FAILURE":
            continue
        data = event.step_failure_data
        if data.user_failure_data is not None:
            parts = {name: str(one.value) for name, one in data.user_failure_data.metadata.items()}
            if "traceback" in parts:
                parts["where"] = f"stage {event.step_key}"
                parts["do"] = f"Its traceback is in run {run_id}; see it with 'onefold up'."
            kind = getattr(errors, parts.get("error", ""), OnefoldError)
            return kind(parts["where"], parts["what"], found=parts["found"], do=parts["do"])
        info = data.error and (data.error.cause or data.error)
        return OnefoldError(
            f"stage {event.step_key}",
            "it stopped on an error that Onefold did not expect",
            found=str(info and info.cls_name),
            do=f"Its traceback is in run {run_id}; see it with 'onefold up'.",
        )
    return OnefoldError(
        f"run {run_id}",
        "it was ended from outside, or did not start",
        do="See it with 'onefold up'.",
    )


def golden(events: Collection[dg.DagsterEvent], run_id: str, ended_at: str = "") -> GoldenOutcome:
    """What a failed run means for the golden table.

    Args:
        events: of the run.
        run_id: its id.
        ended_at: when it ended, UTC, ISO 8601; now.
    """
    blocked, _ = failed_checks(events)
    if blocked:
        return GoldenOutcome("held", " ".join(blocked), tried_at=ended_at)
    return GoldenOutcome("failed", str(error(events, run_id)), tried_at=ended_at)


def _ours(event: dg.DagsterEvent) -> str:
    """What an error of Onefold said that ended a run before its first stage; else nothing.

    The words of any other error may hold a customer's value.
    """
    info = event.job_failure_data.error
    while info is not None:
        kind = getattr(errors, info.cls_name or "", None)
        if isinstance(kind, type) and issubclass(kind, OnefoldError):
            return info.message.partition(": ")[2].strip().rstrip(".")
        info = info.cause
    return ""
