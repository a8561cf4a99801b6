"""Labels from the command line: asking for them in the terminal, keeping files of them."""

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
from rich import box
from rich.table import Table
from rich.text import Text

from dedupe import label_files, teaching
from dedupe.model import Model
from onefold.cli.console import out
from onefold.errors import DecisionConflict
from onefold.settings import Settings
from rules.customer import ALL
from warehouse import decisions, engine

HIDDEN = frozenset(
    {
        "record_id", "row_hash", "customer_type", "type_basis", "country", "attributes",
        "national_id_kind", "tax_id_kind", "phone_kinds", "consent_marketing", "do_not_contact",
        "consent_marketing_at", "do_not_contact_at", "verified",
        "created_at", "updated_at", "family_name", "given_name", "middle_name", "org_region",
        "org_brand", "org_industry", "org_legal_form", "org_code", "street", "house_number",
        "unit",
    }
)  # fmt: skip
"""Columns that say nothing to a person beside the others."""
SHOWN = tuple(field for field in ALL if field.name not in HIDDEN and not field.key)

QUESTION = "One customer?  y yes   n no   u not sure   b back   q stop  "
KEYS = {"y": "link", "n": "no_link", "u": "unsure", "b": "back", "q": "stop"}
CHINESE_KEYS = {"是": "y", "否": "n"}


@dataclass(frozen=True)
class Pair:
    """Two records to judge.

    Attributes:
        left, right: rows of staged, as plain values.
        probability: what the model thinks now, 0..1.
    """

    left: dict[str, Any]
    right: dict[str, Any]
    probability: float


@dataclass(frozen=True)
class Training:
    """What training made.

    Attributes:
        models: the saved models by customer type.
        changed: customer types whose model is a new version.
    """

    models: dict[str, Model]
    changed: tuple[str, ...]


def train(config: Settings) -> Training:
    """Train the home's models anew.

    Raises:
        ConfigError: a file of labeled pairs cannot be used.
    """
    from dedupe import model
    from pipelines import stages

    with stages.opened(config.home) as deployment:
        before = model.newest_versions(config.models_dir)
        made = stages.train(deployment)
    changed = [kind for kind, one in made.items() if one.version != before.get(kind)]
    return Training(made, tuple(sorted(changed)))


def keep(config: Settings, file: Path) -> Path:
    """Copy a file of labeled pairs into the home, if it can be read.

    Returns:
        the copy; a file of that name is replaced.

    Raises:
        ConfigError: the file is no file of labeled pairs.
    """
    from pipelines.stages.matching import LABELS

    label_files.read(file)
    folder = config.home / LABELS
    folder.mkdir(exist_ok=True)
    kept = folder / (file.name if file.suffix.lower() == ".parquet" else f"{file.stem}.csv")
    if kept.exists() and kept.samefile(file):
        return kept
    temporary = kept.with_name(f".{kept.name}.{os.getpid()}.tmp")
    shutil.copyfile(file, temporary)
    temporary.replace(kept)
    return kept


def choose(config: Settings, count: int) -> list[Pair]:
    """The pairs that would teach most, with their records."""
    from pipelines import lake, stages

    with stages.opened(config.home) as deployment:
        scored = stages.scored_pairs(deployment)
        table = lake.read(deployment.lake, scored.table, scored.fingerprint)
        chosen = teaching.teaching(table, stages.known_labels(deployment), count)
        return pairs(chosen, deployment.staged())


def interview(config: Settings, asked: Sequence[Pair], who: str) -> None:
    """Ask about each pair; each answer is a decision at once."""
    if not asked:
        out.print("There is no uncertain pair left to ask about.")
        return
    answers: list[tuple[str, str | None]] = []
    with closing(engine.connect(config)) as wh:
        while len(answers) < len(asked):
            show(asked[len(answers)], len(answers) + 1, len(asked))
            said = ask()
            if said == "stop":
                break
            if said == "back":
                _take_back(wh, answers, who)
                continue
            try:
                answers.append((said, _keep_answer(wh, asked[len(answers)], said, who)))
            except DecisionConflict as conflict:
                out.print(str(conflict), style="yellow")
                answers.append(("unsure", None))
    out.print(summary([said for said, _ in answers]))
    if any(decision for _, decision in answers):
        out.print("Next: onefold train, then onefold refresh.")


def _keep_answer(wh: engine.Warehouse, pair: Pair, said: str, who: str) -> str | None:
    if said == "unsure":
        return None
    return decisions.add(
        wh,
        "link" if said == "link" else "no_link",
        left_id=pair.left["record_id"],
        right_id=pair.right["record_id"],
        reason="answered onefold label",
        decided_by=who,
        evidence={"probability": round(pair.probability, 4)},
    )


def _take_back(wh: engine.Warehouse, answers: list[tuple[str, str | None]], who: str) -> None:
    """Undo the last answer, if there is one."""
    if not answers:
        out.print("This is the first pair.")
        return
    _, decision = answers.pop()
    if decision is not None:
        decisions.revoke(wh, decision, revoked_by=who, reason="taken back in onefold label")


def pairs(chosen: pa.Table, staged: pa.Table) -> list[Pair]:
    """The chosen pairs with their records, in the order of the table."""
    wanted = {*chosen["left_id"].to_pylist(), *chosen["right_id"].to_pylist()}
    ids = staged.column("record_id").to_pylist()
    rows = staged.take(pa.array([i for i, name in enumerate(ids) if name in wanted], pa.int64()))
    of_id = {row["record_id"]: row for row in rows.to_pylist()}
    found = zip(
        chosen["left_id"].to_pylist(),
        chosen["right_id"].to_pylist(),
        chosen["probability"].to_pylist(),
        strict=True,
    )
    return [Pair(of_id[left], of_id[right], float(p)) for left, right, p in found]


def show(pair: Pair, number: int, count: int) -> None:
    """Print two records side by side; what differs stands out, what only one has is dim."""
    title = f"{number} of {count}   the model says {pair.probability:.0%}"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 2, 0, 0))
    table.add_column("", style="dim")
    table.add_column(pair.left["record_id"], overflow="fold", ratio=1)
    table.add_column(pair.right["record_id"], overflow="fold", ratio=1)
    for field in SHOWN:
        if field.name in ("source", "source_key", "position"):
            continue
        left, right = _text(pair.left[field.name]), _text(pair.right[field.name])
        if not left and not right:
            continue
        style = "green" if left == right else "bold yellow" if left and right else "dim"
        name = field.name.replace("_", " ")
        table.add_row(name, Text(left or "-", style), Text(right or "-", style))
    out.print(table)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value if one)
    return "" if value is None else str(value)


def ask() -> str:
    """One key from a terminal, or one line from anything else, as a value of :data:`KEYS`.

    The end of the input stops.
    """
    while True:
        out.print(QUESTION, end="", style="bold")
        if sys.stdin.isatty():
            said = click.getchar()
            out.print(said)
        else:
            line = sys.stdin.readline()
            said = line.strip() or ("q" if not line else "")
            out.print()
        said = CHINESE_KEYS.get(said, said).casefold()[:1]
        if said in ("\x03", "\x04", "\x1b"):
            said = "q"
        if said in KEYS:
            return KEYS[said]
        out.print("Press one of y, n, u, b, q.")


def summary(answers: Sequence[str]) -> str:
    """What was answered, in one sentence.

    >>> summary(["link", "no_link", "no_link", "unsure"])
    '3 decisions kept (1 link, 2 no-link); 1 not sure.'
    """
    yes, no, unsure = (answers.count(kind) for kind in ("link", "no_link", "unsure"))
    end = f"; {unsure} not sure." if unsure else "."
    return f"{yes + no} decisions kept ({yes} link, {no} no-link){end}"
