"""How ``onefold source`` looks: proposals, questions, records raw and staged.

Examples in questions are masked; only ``source check`` shows values, on the
terminal, because that is what it is for.
"""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from connectors.fields import INPUT_FIELDS, is_input_field, nearest_input_field
from connectors.locating import Place
from connectors.sampling import Sample
from rules.onboarding import code_values, statistics
from rules.onboarding.proposal import LEAVE, Line, Proposal
from rules.onboarding.trial import Record, Trial

out = Console(highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)
_NOTHING = "-"
_EXAMPLES = 3


# -- a proposal


def show_proposal(proposal: Proposal) -> None:
    """The columns: what each is taken for, how sure, and why."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("column", overflow="ellipsis", no_wrap=True, min_width=12, max_width=28)
    table.add_column("taken for", no_wrap=True, min_width=18)
    table.add_column("sure", justify="right", no_wrap=True, min_width=4)
    table.add_column("why", overflow="ellipsis", no_wrap=True)
    for line in proposal.lines:
        style = "dim" if line.state == "left" else "yellow" if line.state == "asked" else ""
        table.add_row(
            line.column, _taken(line, proposal), f"{line.confidence:.0%}", line.reason, style=style
        )
    out.print()
    out.print(table)
    out.print()
    key = ", ".join(proposal.key) or "made of the content"
    out.print(f"key       {key}: {proposal.key_reason}")
    if proposal.cursor:
        filled = f"filled in {proposal.cursor_filled:.0%} of the rows"
        out.print(f"cursor    {proposal.cursor}: {filled}")
    if proposal.mode != "snapshot":
        how = {"cursor": "rows by the cursor", "files": "new and changed files"}[proposal.mode]
        out.print(f"mode      {proposal.mode}: a sync may read {how} only")
    if proposal.country:
        out.print(f"country   {proposal.country}: {proposal.country_reason}")
    for field, codes in proposal.values.items():
        pairs = ", ".join(f"{code} = {meaning}" for code, meaning in codes.items())
        out.print(f"codes     {field.replace('_', ' ')}: {pairs} ({proposal.value_reasons[field]})")


def _taken(line: Line, proposal: Proposal) -> str:
    if line.state == "mapped":
        return line.field.replace("_", " ")
    if line.column in proposal.key:
        return "key"
    return "not mapped" if line.state == "left" else f"{line.field.replace('_', ' ')}? left out"


def show_written(path: Path, proposal: Proposal, place: Place) -> None:
    """What was written, and what comes next."""
    out.print(f"wrote {path} ({proposal.rows:,} records looked at)")
    if place.secret:
        out.print(
            f"The password is not in it: set the environment variable {place.secret}"
            " (special characters as %XX)."
        )
    out.print(f"Next: onefold source check {place.name}")


# -- questions


def agrees(question: str) -> bool:
    """Yes, if somebody just presses Enter."""
    return typer.confirm(question, default=True)


def confirmed(question: str) -> bool:
    """Yes, only if somebody says so."""
    return typer.confirm(question, default=False)


def choice(question: str, options: Sequence[str]) -> str:
    """One of some options; the first, if somebody just presses Enter."""
    out.print(question)
    for i, option in enumerate(options, 1):
        out.print(f"  {i}  {option}")
    while True:
        number = int(typer.prompt("Number", default=1, type=int))
        if 1 <= number <= len(options):
            return options[number - 1]


def interview(
    proposal: Proposal, samples: Sequence[Sample]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Ask about every column that is not sure.

    Returns:
        Column → input field, '' to leave it out; column → code → meaning.
    """
    answers: dict[str, str] = {}
    codes: dict[str, dict[str, str]] = {}
    for line in proposal.asked:
        out.print()
        out.print(f'Column "{line.column}": {line.field.replace("_", " ")}? {_why(line)}')
        _show_examples(line, samples)
        if line.unknown:
            meanings = _meanings(line)
            answers[line.column] = line.field if meanings else LEAVE
            codes[line.column] = meanings
        else:
            answers[line.column] = _field(line)
    return answers, codes


def _why(line: Line) -> str:
    return f"({line.confidence:.0%} sure: {line.reason})"


def _show_examples(line: Line, samples: Sequence[Sample]) -> None:
    described = statistics.describe(line.column, [sample.table for sample in samples])
    out.print(
        f"  {described.filled:,} of {described.rows:,} rows are filled,"
        f" {described.distinct:,} different values",
        style="dim",
    )
    masks = "   ".join(pattern for pattern, _ in described.patterns[:_EXAMPLES])
    out.print(f"  like {masks}", style="dim")


def _field(line: Line) -> str:
    """An input field, or '' for none."""
    hint = f"Enter: {line.field}, {_NOTHING}: leave it out, or another field"
    while True:
        answer = str(typer.prompt(f"  {hint}", default=line.field, show_default=False)).strip()
        if answer == _NOTHING:
            return LEAVE
        if is_input_field(answer):
            return answer
        near = nearest_input_field(answer)
        fields = f"The fields are {', '.join(INPUT_FIELDS)}."
        out.print(f"  '{answer}' is no field. " + (f"Did you mean '{near}'?" if near else fields))


def _meanings(line: Line) -> dict[str, str]:
    """The meaning of every code; empty if somebody leaves the column out."""
    options = code_values.CHOICES[line.field]
    found = {}
    for code in line.unknown:
        hint = f"{', '.join(options)}; Enter: leave the column out"
        while True:
            answer = str(typer.prompt(f"  {code} means ({hint})", default="", show_default=False))
            if not answer.strip():
                return {}
            matches = [option for option in options if option.startswith(answer.strip().lower())]
            if len(matches) == 1:
                found[code] = matches[0]
                break
    return found


# -- a trial


def show_trial(trial: Trial) -> None:
    """Records raw and staged, the quarantine rate, and the expectations that would fail."""
    for record in trial.records:
        _show_record(record)
    out.print()
    read = f"{trial.rows:,} records read" + ("" if trial.sample.complete else " (a sample)")
    rate = trial.rejected / trial.rows
    flagged = trial.flagged / trial.rows
    out.print(f"{read}, {trial.staged:,} would be staged, {trial.rejected:,} kept out ({rate:.1%})")
    out.print(
        f"{trial.flagged:,} records with a finding ({flagged:.1%}), {trial.findings:,} findings"
    )
    for one in trial.sample.skipped:
        out.print(f"  {one.where}: {one.count:,} {one.what}", style="dim")
    for note in trial.sample.notes:
        out.print(f"  {note}", style="dim")
    if not trial.failed:
        out.print("Every expectation is met.")
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    for heading in ("expectation not met", "severity"):
        table.add_column(heading, no_wrap=heading == "severity")
    for heading in ("failed", "of", "share"):
        table.add_column(heading, justify="right", no_wrap=True)
    for check in trial.failed:
        share = check.failed / max(check.evaluated, 1)
        style = "red" if check.severity == "error" else "yellow"
        table.add_row(
            check.description,
            check.severity,
            f"{check.failed:,}",
            f"{check.evaluated:,}",
            f"{share:.1%}",
            style=style,
        )
    out.print()
    out.print(table)
    out.print("Nothing was written.")


def _show_record(record: Record) -> None:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("field", no_wrap=True, min_width=14)
    table.add_column("raw", ratio=1, overflow="fold")
    table.add_column("staged", ratio=1, overflow="fold")
    for value in record.values:
        table.add_row(value.field, value.raw, value.staged or _NOTHING)
        if value.finding:
            table.add_row("", "", value.finding, style="yellow")
    out.print()
    out.print(record.position, style="bold")
    if record.rejected:
        out.print(f"kept out: {record.rejected}", style="red")
    out.print(table)


# -- a profile


def show_accepted(name: str) -> None:
    """That the next sync takes a source as it is."""
    out.print(
        f"{name}: its next sync takes it as it is; 'onefold refresh --source {name}' does it now"
    )


def show_profiled(path: Path, columns: int, rows: int, *, masked: bool) -> None:
    """What was written."""
    how = "values are masked" if masked else "values are shown in it"
    out.print(f"wrote {path}: {columns} columns of {rows:,} records; {how}")
