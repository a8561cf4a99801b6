"""``onefold subject``: everything held on one person, as a file for the person."""

import json
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from onefold.cli.options import Home, Lang, language_of
from onefold.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.stages.subjects import Subject


def subject(
    out: Annotated[Path, typer.Option(help="Where to: .json, .html or .xlsx.")],
    customer: Annotated[str, typer.Option(metavar="ID", help="A golden customer.")] = "",
    source_key: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="SOURCE KEY", help="Whoever this source record belongs to."),
    ] = None,
    by: Annotated[str, typer.Option(help="Who asks for it; it is noted in the audit log.")] = "",
    lang: Lang = None,
    home: Home = None,
) -> None:
    """Write everything held on one person: values and their origin, records, decisions, history.

    HTML is a page to hand out, in Chinese or English; JSON and xlsx keep the names of columns.

    It is gathered as erasure gathers it: what is shown is what 'onefold erase' would take out.
    """
    from onefold import settings
    from onefold.cli import console, subject_page
    from pipelines import stages
    from pipelines.stages import subjects
    from pipelines.stages.held import Whom
    from pipelines.timezone import time_zone
    from warehouse import audit

    if bool(customer) == bool(source_key):
        raise ConfigError(
            "onefold subject", "who?", do="Give --customer ID or --source-key SOURCE KEY."
        )
    if not by.strip():
        raise ConfigError("onefold subject", "who asks for it?", do="Give --by.")
    language = language_of(lang)
    kind_of_file = _checked(out)
    source, key = source_key or ("", "")
    with stages.opened(settings.find_home(home)) as opened:
        found = subjects.gather(opened, Whom(customer, source, key))
        zone = ZoneInfo(time_zone(opened.settings))
        kind = "customer" if found.golden_id else "record"
        audit.note(opened.warehouse, by.strip(), "export_subject", kind, found.golden_id)
    if kind_of_file == ".html":
        subject_page.write(found, out, language, zone)
    else:
        {".json": _json, ".xlsx": _xlsx}[kind_of_file](found, out)
    rows = sum(len(one) for one in found.tables.values())
    console.out.print(
        f"{out}: {len(found.golden):,} golden values, {len(found.raw):,} records as read,"
        f" {rows:,} rows of {len(found.tables):,} tables"
    )


def _checked(path: Path) -> str:
    """The suffix of a file that can be written."""
    suffix = path.suffix.lower()
    if suffix not in (".json", ".html", ".xlsx"):
        raise ConfigError(
            f"--out {path}",
            "this kind of file cannot be written",
            found=path.suffix or "no suffix",
            do="Name it .json, .html or .xlsx.",
        )
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--out {path}", "the folder is not there", do="Make it first.")
    return suffix


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value


def _json(found: "Subject", path: Path) -> None:
    text = json.dumps(asdict(found), ensure_ascii=False, indent=1, default=_plain)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def _sections(found: "Subject") -> dict[str, list[dict[str, Any]]]:
    """Tables as people read them: name → rows without columns that are empty everywhere."""
    sections: dict[str, list[dict[str, Any]]] = {
        "golden values": [{**asdict(one), "value": _text(one.value)} for one in found.golden],
        "records as read": [
            {
                "source": one.source,
                "source_key": one.source_key,
                "position": one.position,
                "snapshots": one.snapshots,
                "column": column,
                "value": value,
            }
            for one in found.raw
            for column, value in one.values.items()
        ],
    }
    for table, rows in found.tables.items():
        filled = {name for row in rows for name, value in row.items() if value not in (None, [])}
        sections[table] = [
            {name: _text(value) for name, value in row.items() if name in filled} for row in rows
        ]
    if found.sources:
        sections["sources"] = [{"source": name, **one} for name, one in found.sources.items()]
    if found.exports:
        sections["exports"] = [{"golden customers were exported to": one} for one in found.exports]
    return sections


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return str(_plain(value))


def _xlsx(found: "Subject", path: Path) -> None:
    import pyarrow as pa

    from warehouse import export

    tables = {}
    for name, rows in _sections(found).items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        tables[name] = pa.table(
            {one: pa.array([_text(row.get(one)) for row in rows], pa.string()) for one in columns}
        )
    export.write_book(tables, path)
