"""``onefold trust``: how often each source is right, and what survivorship may make of it."""

import json
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.options import Home

if TYPE_CHECKING:
    from dedupe.trust import Estimate
    from pipelines.stages.trusting import Trusting

_SECTION = "survivorship"


def trust(
    write: Annotated[
        bool, typer.Option("--write", help="Put the proposal into onefold.yml; comments stay.")
    ] = False,
    least: Annotated[
        int, typer.Option(min=1, help="Judged values from which something is proposed.")
    ] = 30,
    examples: Annotated[
        bool, typer.Option("--examples", help="Show values that are likely wrong, masked.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    home: Home = None,
) -> None:
    """Learn from records, stewards and corrections how far each source can be trusted."""
    from onefold import settings, yaml_section
    from onefold.cli.console import out
    from pipelines.stages import trusting
    from warehouse import engine

    found = settings.load(home)
    with closing(engine.connect(found)) as warehouse:
        learned = trusting.learn(found, warehouse, least)
    section = _section(found.sections.get(_SECTION) or {}, learned)
    if as_json:
        out.print_json(json.dumps(_plain(learned, section, least), ensure_ascii=False))
    else:
        _show(learned, least)
        if examples:
            _show_examples(learned)
    if not section:
        if not as_json:
            out.print("Nothing is proposed: no field in which sources surely differ.")
        return
    if not as_json:
        out.print(f"\nProposed, in section {_SECTION} of onefold.yml:\n")
        out.print(f"{_SECTION}:\n{yaml_section.lines(section, 2)}", markup=False, highlight=False)
    if write:
        file = found.home / "onefold.yml"
        text = file.read_text(encoding="utf-8")
        made = yaml_section.with_settings(text, _SECTION, section, "onefold.yml")
        temporary = file.with_name(f"{file.name}.tmp")
        temporary.write_text(made, encoding="utf-8")
        temporary.replace(file)
        if not as_json:
            out.print("Written. 'onefold rehearse --settings onefold.yml' shows what it changes.")
    elif not as_json:
        out.print("Not written yet: look at it, then run 'onefold trust --write'.")


def _section(before: dict[str, object], learned: "Trusting") -> dict[str, object]:
    """The keys to set; what is said of sources without evidence stays."""
    if not learned.proposed:
        return {}
    kept = before.get("trust") or {}
    proposed = {**(kept if isinstance(kept, dict) else {}), **learned.proposed}
    return {"default_trust": learned.default_trust, "trust": proposed}


def _show(learned: "Trusting", least: int) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from dedupe.explaining.messages import say
    from dedupe.explaining.words import golden_name
    from onefold.cli.console import out

    out.print(f"{learned.customers:,} customers are of two sources or more.")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 1))
    for heading in ("Field", "Source"):
        table.add_column(heading)
    for heading in ("Agrees", "Right", "Of", "90 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Evidence")
    for head, one in learned.fields.items():
        if not one.estimates:
            continue
        for number, each in enumerate(one.estimates):
            label = say(golden_name(head)) if not number else ""
            table.add_row(label, *map(escape, _row(each, least)))
        table.add_row("", _verdict(one.differ(least)), style="dim")
        table.add_section()
    out.print(table)


def _show_examples(learned: "Trusting") -> None:
    from dedupe.explaining.messages import say
    from dedupe.explaining.words import golden_name
    from onefold.cli.console import out

    out.print("Likely wrong:")
    for (head, _), found in learned.examples.items():
        for one in found:
            text = f"  {say(golden_name(head))}, {one.record_id}: {one.said}; others say "
            out.print(text + ", ".join(one.others), markup=False, highlight=False)


def _verdict(differ: bool) -> str:
    return "differ surely" if differ else "not surely"


def _row(one: "Estimate", least: int) -> list[str]:
    told = []
    for known, what in ((one.stewards, "stewards"), (one.corrections, "corrections")):
        if known.judged:
            told.append(f"{what}: {known.right} of {known.judged} right")
    for other, (same, both) in one.copies.items():
        told.append(f"as wrong as {other} in {same} of {both}: counted as one")
    share = f"{one.agreeing / one.compared:.1%}" if one.compared else "–"
    if one.judged < least:
        return [one.source, share, "–", f"{one.judged:,}", "too few", "\n".join(told[:1])]
    right = f"{one.right / one.judged:.1%}"
    ends = f"{one.low:.1%}–{one.high:.1%}"
    return [one.source, share, right, f"{one.judged:,}", ends, "\n".join(told)]


def _plain(learned: "Trusting", section: dict[str, object], least: int) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "customers": learned.customers,
        "fields": {
            head: {
                "differ": one.differ(least),
                "sources": [
                    {
                        **asdict(each),
                        "examples": [asdict(it) for it in learned.examples[head, each.source]],
                    }
                    for each in one.estimates
                ],
            }
            for head, one in learned.fields.items()
            if one.estimates
        },
        "proposed": {_SECTION: section} if section else None,
    }
