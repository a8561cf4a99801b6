"""A proposal as sources/NAME.yml, with comments that say why.

What belongs here: the text of the file. It names columns and codes, never a
customer's values, never a password.
"""

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from onefold.errors import ConfigError
from rules.onboarding.proposal import SURE, Line, Proposal

_PLAIN = re.compile(r"[^\W\d][\w ./()+-]*[\w)]|[^\W\d]")


def text(proposal: Proposal) -> str:
    """The YAML of a source."""
    settings = proposal.settings
    by_column = {line.column: line for line in proposal.lines}
    read = f"{proposal.rows:,} records of {proposal.place.what} were looked at"
    lines = [f"# Proposed by 'onefold source add': {_comment(read)}.", ""]
    for name in (
        "name",
        "template",
        "connector",
        "url",
        "table",
        "path",
        "members",
        "record",
        "layout",
        "encoding",
        "header_row",
    ):
        if name in settings:
            lines += [f"{name}: {_listed(settings[name])}"]
    nested = {name: settings[name] for name in ("lists", "api") if name in settings}
    if nested:
        lines += yaml.safe_dump(nested, sort_keys=False, allow_unicode=True).splitlines()
    if proposal.place.secret:
        lines += [f"# The password stands in the environment: {proposal.place.secret}."]
    if proposal.country:
        lines += ["", f"# {_comment(proposal.country_reason)}", f"country: {proposal.country}"]
    if proposal.customer_type:
        lines += ["", "# no column is of an organization"]
        lines += [f"customer_type: {proposal.customer_type}"]
    if proposal.place.template:
        return "\n".join([*lines, *_mode(proposal), "", '# schedule: "30 2 * * *"', ""])
    lines += ["", f"# {_comment(proposal.key_reason)}"]
    lines += [f"key: {_listed(list(proposal.key))}" if proposal.key else "# key: COLUMN"]
    lines += ["", *_columns(proposal, by_column)]
    if proposal.values:
        lines += ["", "values:"]
        for name, codes in proposal.values.items():
            pairs = ", ".join(f"{_scalar(code)}: {to}" for code, to in codes.items())
            lines += [f"  # {proposal.value_reasons[name]}", f"  {name}: {{{pairs}}}"]
    lines += _unsure(proposal.asked)
    left = [
        line for line in proposal.lines if line.state == "left" and line.column not in proposal.key
    ]
    if left:
        lines += ["", "# Not mapped (attributes.NAME: COLUMN under columns keeps one):"]
        lines += [f"#   {_comment(line.column)}: {_comment(line.reason)}" for line in left]
    lines += _mode(proposal)
    lines += ["", '# schedule: "30 2 * * *"', ""]
    return "\n".join(lines)


def _mode(proposal: Proposal) -> list[str]:
    """What a sync reads. A small table is read whole: that needs no trust in a column."""
    if proposal.mode == "files":
        return ["", "# Only new and changed files are read.", "mode: files"]
    log = _log(proposal)
    if not proposal.cursor:
        return log
    said = f"# {_comment(proposal.cursor)} says when a record changed"
    lines = ["", f"{said} (filled in {proposal.cursor_filled:.0%} of the rows)."]
    if proposal.mode != "cursor":
        return lines
    cursor = [] if proposal.place.template else [f"cursor: {_scalar(proposal.cursor)}"]
    settings = ["mode: cursor", *cursor, "full_every: 1d"]
    if proposal.more:
        lines += [
            "# A sync reads what changed by it; deletes are found once a day. A change that leaves",
            "# it as it was is not seen: without these lines everything is read.",
            *settings,
        ]
    else:
        lines += ["# To read only what changed, and find deletes once a day:"]
        lines += [f"# {line}" for line in settings]
    return lines + log


def _log(proposal: Proposal) -> list[str]:
    """How PostgreSQL says itself what changed: no column has to be trusted."""
    settings = proposal.place.settings
    url = str(settings.get("url", ""))
    if not (url.startswith("postgres") and "table" in settings and proposal.key):
        return []
    slot = re.sub(r"[^a-z0-9]+", "_", f"onefold_{proposal.place.name.lower()}").strip("_")
    return [
        "",
        "# Or by the server's own log, deletes included (docs/sources.md, PostgreSQL's own log):",
        "# mode: changes",
        f"# changes: {{slot: {slot}}}",
    ]


def _columns(proposal: Proposal, by_column: dict[str, Line]) -> list[str]:
    lines = []
    if proposal.headings:
        lines += ["# The files have different headings: columns are mapped by what these say. Now:"]
        lines += [
            f"#   {line.field}: {_comment(line.column)}  ({line.confidence:.0%}, {line.reason})"
            for line in proposal.lines
            if line.state == "mapped"
        ]
        lines += ["headings: auto"]
    if not proposal.columns:
        return lines
    lines += ["columns:"]
    for field, names in proposal.columns.items():
        found = [by_column[name] if name in by_column else by_column[name[:-1]] for name in names]
        value = _listed(list(names)) if names else "[]"
        if len(found) == 1:
            lines += [f"  {field}: {value}  # {found[0].confidence:.0%}, {found[0].reason}"]
        elif not found:
            lines += [f"  {field}: {value}  # what the headings say is not sure"]
        else:
            lines += [
                f"  # {_comment(line.column)}: {line.confidence:.0%}, {line.reason}"
                for line in found
            ]
            lines += [f"  {field}: {value}"]
    return lines


def _unsure(asked: Iterable[Line]) -> list[str]:
    lines = []
    for line in asked:
        codes = f" (codes: {', '.join(line.unknown)})" if line.unknown else ""
        lines += [
            f"#   {line.field}: {_comment(_scalar(line.column))}"
            f"  ({line.confidence:.0%}, {line.reason}{_comment(codes)})"
        ]
    if not lines:
        return []
    return [
        "",
        f"# Left out, not sure enough ({SURE:.0%}); put under columns what is right:",
        *lines,
    ]


def _comment(text: str) -> str:
    """A text on one line."""
    return " ".join(text.split())


def _listed(value: Any) -> str:
    if isinstance(value, str):
        return _scalar(value)
    if len(value) == 1:
        return _scalar(value[0])
    return f"[{', '.join(map(_scalar, value))}]"


def _scalar(value: str) -> str:
    """A text as YAML: plain where it can only be read as text.

    >>> _scalar("Tax ID / SSN"), _scalar("NO"), _scalar("a: b"), _scalar("联系方式 (必填)")
    ('Tax ID / SSN', '"NO"', '"a: b"', '联系方式 (必填)')
    """
    if _PLAIN.fullmatch(value) and isinstance(yaml.safe_load(value), str):
        return value
    quoted = yaml.dump(value, allow_unicode=True, default_style='"', width=10_000)
    return quoted.removesuffix("\n").removesuffix("...").strip()


def write(proposal: Proposal, home: Path, *, force: bool = False) -> Path:
    """Write ``sources/NAME.yml``; a whole file or none.

    Raises:
        ConfigError: there is such a file, and not ``force``.
    """
    folder = home / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{proposal.place.name}.yml"
    require_free(file, force=force)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text(proposal))
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return file


def require_free(file: Path, *, force: bool) -> None:
    """Refuse to write over a source.

    Raises:
        ConfigError: the file is there, and not ``force``.
    """
    if file.exists() and not force:
        raise ConfigError(
            f"sources/{file.name}",
            "there is such a source already",
            do="Give another --name, or --force to write it anew.",
        )
