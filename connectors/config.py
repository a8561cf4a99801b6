"""One source as declared in ``sources/NAME.yml``, validated.

What belongs here: the settings of a source and the sentences about wrong ones; the files
are read in connectors/declarations.py.
What a heading means stands in connectors/mapping.py; how a source is read in
the connector of its kind.
"""

import contextlib
import re
import urllib.parse
import zoneinfo
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from connectors import cron, durations, templates
from connectors.change_settings import ChangeFeed, Deleted, FullEvery, Mode, Overlap
from connectors.fields import is_input_field, nearest_input_field
from connectors.flattening import ListRule
from connectors.web.settings import ApiSettings
from onefold.keys import Keys

_NAME = re.compile(r"^[^\W_][\w.-]*$")
Connector = Literal[
    "sql",
    "api",
    "spreadsheet",
    "delimited",
    "fixed_width",
    "parquet",
    "dbf",
    "json",
    "xml",
    "cobol",
    "access",
]
FILE_KINDS = tuple(name for name in get_args(Connector) if name not in ("sql", "api"))
"""The connectors that read files."""
_ONLY_FOR = {
    "url": ("sql", "api"),
    "api": ("api",),
    "table": ("sql", "access"),
    "query": ("sql",),
    "database_schema": ("sql",),
    "only": ("sql",),
    "changes": ("sql",),
    "backfill_from": ("sql",),
    "path": FILE_KINDS,
    "members": FILE_KINDS,
    "timeout": ("sql",),
    "fast": ("sql",),
    "sheets": ("spreadsheet",),
    "hidden_sheets": ("spreadsheet",),
    "header_row": ("spreadsheet", "delimited"),
    "encoding": ("delimited", "fixed_width", "dbf", "json", "xml", "cobol", "access"),
    "record": ("json", "xml"),
    "lists": ("api", "json", "xml"),
    "count": ("json", "xml"),
    "memos": ("dbf",),
    "check_counts": ("dbf", "fixed_width", "cobol", "access", "json", "xml"),
    "delimiter": ("delimited",),
    "layout": ("fixed_width", "cobol"),
}
_ONLY_IN: dict[str, tuple[Mode, ...]] = {
    "overlap": ("cursor", "changes"),
    "changes": ("changes", "cursor"),
    "full_every": ("cursor", "changes"),
    "backfill_from": ("cursor",),
    "removed_files": ("files",),
}


class SourceConfig(BaseModel):
    """One source. Paths are absolute and ``${NAME}`` replaced once it is loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Short lasting name; the first half of every record id. Default: the file's name."""
    description: str = ""
    """One sentence for people; no effect."""
    owner: str = ""
    """Who answers for it: an e-mail address or a team; shown in Dagster and in alerts."""
    connector: Connector
    """Kind of the source."""
    url: str | None = Field(default=None, repr=False)
    """sql: SQLAlchemy URL, its password as ``${NAME}``; api: address of the records."""
    api: ApiSettings | None = None
    """api: how it is asked (connectors/web/settings.py)."""
    table: str | None = None
    """sql: table or view, ``schema.table`` where it has a schema; access: table."""
    query: str | None = None
    """sql: a SELECT in place of a table."""
    template: str | None = None
    """A known system (connectors/templates); its settings stand beneath those of the source."""
    database_schema: str | None = None
    """sql with a template: schema of its tables; default: the one schema that has them."""
    timeout: float = Field(default=300, gt=0)
    """sql: seconds that the server may be silent, or a lock be waited for."""
    fast: bool = False
    """sql: read whole tables through connectorx (connectors/fast.py)."""
    only: dict[str, tuple[str, ...]] = {}
    """sql with a template: column of its main table → values; other rows are left out."""
    path: tuple[str, ...] = Field(default=(), repr=False)
    """Files: paths or globs (``**`` too), relative to the home; URLs that fsspec opens."""
    members: tuple[str, ...] = ()
    """Files that are archives: names or globs of the members to read; empty: all."""
    sheets: tuple[str, ...] = ()
    """spreadsheet: names or globs of the sheets to read; empty: every sheet with a table."""
    hidden_sheets: bool = False
    """spreadsheet: read hidden sheets too."""
    header_row: int | None = Field(default=None, ge=0)
    """Row of the headings, from 1; 0: there are none; default: found by itself."""
    encoding: str | None = None
    """Text files: encoding of the bytes; default: detected, or what file or layout say."""
    record: str | None = None
    """json: where the list of records is, names with dots; xml: the element that is a record,
    names with slashes. Default: found by itself."""
    count: str | None = None
    """json, xml: where the file says how many records it has: ``meta.total``, ``head/count``,
    ``customers@count``; compared with those that are there."""
    lists: dict[str, ListRule] = {}
    """json, xml: column of a list of objects → what is taken of it; default: all, joined."""
    memos: bool = True
    """dbf: whether the memo file must be there; False: do without."""
    check_counts: bool = True
    """Whether a file that says another number of records than it has is held back."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    """delimited: one character; default: found by itself."""
    layout: str | None = None
    """fixed_width, cobol: the layout file; cobol: or the copybook."""
    key: tuple[str, ...] = ()
    """Column or columns that identify a record; empty: the key is made of the content."""
    columns: dict[str, tuple[str, ...]] = {}
    """Input field → column or columns that hold it."""
    headings: Literal["auto", "none"] = "none"
    """auto: columns that ``columns`` does not name are mapped by their headings."""
    values: dict[str, dict[str, str]] = {}
    """Input field → value in the source → value of the canonical model."""
    defaults: dict[str, str] = {}
    """Input field → value where the source has none."""
    formats: dict[str, tuple[str, ...]] = {}
    """Input field → date formats, such as YYMMDD or %d.%m.%Y, tried first."""
    html: tuple[str, ...] = ()
    """Input fields whose values are HTML: entities become characters, tags blanks."""
    day_first: bool = False
    """Whether 3/4/2020 is the third of April."""
    time_zone: str = "UTC"
    """Zone of the moments that name none, such as Asia/Shanghai."""
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """ISO 3166 code assumed where a record names no country; default: the home's."""
    customer_type: Literal["person", "organization"] | None = None
    """Kind of every customer of the source, if they are all of one kind."""
    schedule: str | None = None
    """When to sync: cron, five fields."""
    fresh_within: timedelta | None = None
    """How old the last good sync may be, such as 26h; default: what ``schedule`` leaves."""
    mode: Mode = "snapshot"
    """What a sync reads: everything; rows by a cursor or a change table; new and changed files."""
    cursor: str | None = None
    """Mode cursor: the column that grows when a row changes."""
    overlap: Overlap | None = None
    """How far behind the highest cursor a sync begins; default: 10m, a day for dates."""
    changes: ChangeFeed | None = None
    """sql, modes cursor and changes: what notes the keys that changed or were deleted."""
    deleted: Deleted | None = None
    """Which rows are kept in the source although they are deleted; they are left out."""
    full_every: FullEvery = timedelta(days=1)
    """Modes cursor and changes: how often all keys are compared, or by which cron; or never."""
    backfill_from: date | None = None
    """Mode cursor: first day that can be read again, by a partition of Dagster for each."""
    removed_files: Literal["drop", "keep"] = "drop"
    """Mode files: what becomes of the rows of a file that is gone."""
    raw_keep_days: int | None = Field(default=None, ge=1)
    """How long its raw snapshots are kept, in place of ``privacy: raw_keep_days``."""
    hold_if_shrinks_by: float = Field(default=0.5, gt=0, le=1)
    """Share of rows, 0..1, whose loss holds a sync back; 1: never."""
    severity: dict[str, Literal["error", "warning"]] = {}
    """Rule or field → severity, in place of the built-in one."""
    required: tuple[str, ...] = ()
    """Columns of the canonical model that every record must have; one without is kept out."""
    expectations: tuple[dict[str, Any], ...] = ()
    """Further expectations of Great Expectations on staged columns (rules/suites.py)."""
    _file: str = PrivateAttr(default="")
    _held: Any = PrivateAttr(default=None)
    _keys: Keys | None = PrivateAttr(default=None)
    _encrypted: frozenset[str] = PrivateAttr(default=frozenset())

    @field_validator("path", "members", "sheets", "key", "required", "html", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("columns", "formats", "only", mode="before")
    @classmethod
    def _one_or_many_each(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: _listed(v) for k, v in value.items()}

    @field_validator("headings", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        if isinstance(value, bool):
            return "auto" if value else "none"
        return {"off": "none", "false": "none", "no": "none", "on": "auto", "true": "auto"}.get(
            value, value
        )

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.match(value):
            raise ValueError("a name holds letters, digits, '_', '-' and '.' only")
        return value

    @field_validator("columns", "values", "defaults", "formats", "html")
    @classmethod
    def _known_fields(cls, value: Any) -> Any:
        for name in value:
            if not is_input_field(name):
                near = nearest_input_field(name)
                hint = f"; did you mean '{near}'?" if near else ""
                raise ValueError(f"'{name}' is no input field{hint}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                "there is no such time zone; write it as Europe/Berlin or UTC"
            ) from None
        return value

    @field_validator("schedule")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        if value is not None and not cron.is_cron(value):
            raise ValueError(
                "a schedule is cron: minute, hour, day of month, month and day of week,"
                " such as '0 2 * * *'"
            )
        return value

    @field_validator("fresh_within", mode="before")
    @classmethod
    def _length_of_time(cls, value: Any) -> Any:
        return durations.parse(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name, kinds in _ONLY_FOR.items():
            if name in self.model_fields_set and self.connector not in kinds:
                raise ValueError(f"'{name}' has no meaning for connector {self.connector}")
        if self.connector == "sql":
            if not self.url:
                raise ValueError("connector sql needs 'url'")
            if self.table and self.query:
                raise ValueError("connector sql needs either 'table' or 'query'")
            if not (self.table or self.query or self._has_tables()):
                raise ValueError(
                    "connector sql needs either 'table' or 'query', or a template with tables"
                )
            if (self.only or self.database_schema) and (self.table or self.query):
                raise ValueError(
                    "'only' and 'database_schema' are for the tables of a template;"
                    " put them in 'query'"
                )
        elif self.connector == "api":
            if not re.match(r"https?://[^/\s]", self.url or ""):
                raise ValueError("connector api needs 'url': https://HOST/PATH of the records")
        elif not self.path:
            raise ValueError(f"connector {self.connector} needs 'path'")
        if self.connector == "access" and not self.table:
            raise ValueError("connector access needs 'table'")
        if self.connector in ("fixed_width", "cobol") and not self.layout:
            raise ValueError(f"connector {self.connector} needs 'layout'")
        if self.mode != "snapshot":
            self._can_sync_changes()
        for name, modes in _ONLY_IN.items():
            if name in self.model_fields_set and self.mode not in modes:
                wanted = " or ".join(f"'mode: {mode}'" for mode in modes)
                raise ValueError(f"'{name}' is not for mode {self.mode}: write {wanted}")
        if self.headings == "none" and not self.columns:
            raise ValueError("nothing is mapped: write 'columns', or 'headings: auto'")
        return self

    def _can_sync_changes(self) -> None:
        if (self.mode == "files") != (self.connector in _ONLY_FOR["path"]):
            others = "snapshot or files" if self.mode != "files" else "snapshot, cursor or changes"
            raise ValueError(f"connector {self.connector} has the modes {others}")
        if self.mode == "files":
            return
        if not self.key:
            raise ValueError(f"mode {self.mode} needs 'key'")
        if self.mode == "cursor" and not self.cursor:
            raise ValueError(
                "mode cursor needs 'cursor': the column that says when a row changed"
                + self._no_cursor()
            )
        if self.connector == "api":
            kind, since = (self.api.kind, self.api.since) if self.api else ("rest", None)
            told = kind == "odata" or (self.api is not None and self.api.changes is not None)
            if self.mode == "changes" and not told:
                more = ", and changes with 'api.changes'" if kind == "rest" else ""
                raise ValueError(f"kind {kind} of an api has the modes snapshot and cursor{more}")
            if self.mode == "cursor" and kind == "rest" and since is None:
                raise ValueError(
                    "mode cursor needs 'api.since': the parameter that asks for what changed"
                )
            numbers = kind == "odata" or (self.api is not None and self.api.by_number)
            if isinstance(self.overlap, int) and not numbers:
                raise ValueError("'overlap' of an api is a length of time, such as 10m")
        elif self.mode == "changes" and not self.changes:
            raise ValueError(
                "mode changes needs 'changes': the table of what changed, or a slot of PostgreSQL"
            )
        if self.changes:
            self._can_follow(self.changes)

    def _can_follow(self, changes: ChangeFeed) -> None:
        columns = list(changes.tables.values()) if changes.slot else [changes.key]
        if any(len(some) != len(self.key) for some in columns):
            raise ValueError("'changes' needs as many key columns as the source has")
        if not changes.slot:
            return
        if self.mode != "changes":
            raise ValueError("'changes.slot' is for mode changes: it tells of new rows, too")
        if not (self.url or "").partition("://")[0].startswith("postgres"):
            raise ValueError("'changes.slot' is for PostgreSQL; name a table of changes")
        if not (self.table or changes.tables):
            raise ValueError(
                "'changes.slot' needs 'changes.tables': which tables the records are made of, and"
                " which of their columns hold the key, as {public.address: customer_id}"
            )

    def _no_cursor(self) -> str:
        """Why the source's template has none."""
        why = templates.load(self.template).without_cursor if self.template else ""
        return f"; template {self.template} has none, because {why}" if why else ""

    def _has_tables(self) -> bool:
        return self.template is not None and bool(templates.load(self.template).main)

    @property
    def file(self) -> str:
        """Where the source is declared, for messages."""
        return f"sources/{self._file or f'{self.name}.yml'}"

    @property
    def fresh_for(self) -> timedelta | None:
        """How old the last good sync may be before the source is stale; None: as old as it is.

        Without ``fresh_within`` it is the longest time that ``schedule`` leaves between two
        syncs, and a twelfth of it, half an hour at least, for the sync itself.
        """
        if self.fresh_within is not None or self.schedule is None:
            return self.fresh_within
        gap = cron.longest_gap(self.schedule)
        return gap and gap + max(gap / 12, timedelta(minutes=30))

    @property
    def server(self) -> str | None:
        """Host that the source is read from; None for files and databases on this machine."""
        for place in (self.url, *self.path):
            if place and "://" in place:
                with contextlib.suppress(ValueError):
                    split = urllib.parse.urlsplit(place)
                    asked = urllib.parse.parse_qs(split.query).get("host", [None])[0]
                    return split.hostname or asked
        return None

    @property
    def held(self) -> Any:
        """Its files while it is read (connectors/holding.py), or None."""
        return self._held

    @property
    def keys(self) -> Keys | None:
        """The home's keys, where some columns are kept encrypted; see :meth:`with_keys`."""
        return self._keys

    @property
    def encrypted(self) -> frozenset[str]:
        """Columns of the canonical model that are kept encrypted; see :meth:`with_keys`."""
        return self._encrypted

    def with_keys(self, keys: Keys | None, encrypted: frozenset[str]) -> "SourceConfig":
        """The same settings in a home with these keys, which keeps these columns encrypted."""
        if keys is None or not encrypted:
            return self
        changed = self.model_copy()
        changed._keys, changed._encrypted = keys, encrypted
        return changed

    def of_any_age(self) -> "SourceConfig":
        """The same settings for snapshots of other times, which may lack any column."""
        columns = {
            field: tuple(name if name.endswith("?") else f"{name}?" for name in names)
            for field, names in self.columns.items()
        }
        return self.model_copy(update={"columns": columns})

    def files(self) -> list[Path]:
        """The files of the source that are there now, layout included; none for a server."""
        from connectors.source import files

        return [Path(path) for path, _, _ in files(self)]


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        return (value,) if value else ()
    return value
