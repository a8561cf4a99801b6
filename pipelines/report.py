"""What a refresh did, in numbers: for the closing table, the metadata and the log.

Nothing here holds a customer's value: sources, counts, states and messages only.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeVar

from rules.suites import Check

Status = Literal["changed", "unchanged", "failed", "held"]
GOOD = ("changed", "unchanged")


@dataclass(frozen=True)
class Synced:
    """One source → raw.

    Attributes:
        source: name of the source.
        status: changed (a new snapshot), unchanged, failed or held (kept back).
        message: for failed and held: what happened and what to do.
        error: class name of the error, empty if there was none.
        sync_id: the newest good snapshot; empty if there never was one.
        read: rows in that snapshot.
        fetched: rows that were read from the source now, whether they changed or not.
        new, changed, deleted: rows of the snapshot that this sync brought or took.
        held: rows that would have gone, had the sync not been held back.
        withheld: rows of erased customers, which did not land.
        skipped: empty rows, totals rows, hidden sheets: what → how many.
        notes: what the connector found worth saying.
        key_basis: columns, or content if the source has no key.
        seconds: time taken.
    """

    source: str
    status: Status
    message: str = ""
    error: str = ""
    sync_id: str = ""
    read: int = 0
    fetched: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    held: int = 0
    withheld: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    key_basis: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the source was read."""
        return self.status in GOOD

    @property
    def news(self) -> tuple[str, ...]:
        """The notes, if they are of a snapshot that this sync made; else they were told before."""
        return tuple(self.notes) if self.status == "changed" else ()


@dataclass(frozen=True)
class Staged:
    """One source raw → staged and quarantine.

    Attributes:
        source: name of the source.
        status: as for Synced.
        message, error: as for Synced.
        sync_id: the snapshot that staged now stands on.
        read: its rows; always staged + quarantined.
        staged: live records.
        quarantined: records kept out whole.
        findings: rows in quarantine, of values and of records.
        added, changed, deleted: staged records that this run wrote or removed.
        checks: every rule's outcome, when the source was staged in this run.
        seconds: time taken.
    """

    source: str
    status: Status
    message: str = ""
    error: str = ""
    sync_id: str = ""
    read: int = 0
    staged: int = 0
    quarantined: int = 0
    findings: int = 0
    added: int = 0
    changed: int = 0
    deleted: int = 0
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether staged stands on the newest snapshot."""
        return self.status in GOOD

    @property
    def unchanged(self) -> int:
        """Staged records that stayed as they were."""
        return self.staged - self.added - self.changed


@dataclass(frozen=True)
class Computed:
    """One matching stage.

    Attributes:
        table: candidates, scored_pairs or clusters.
        fingerprint: of all it depends on; names the file in the lake.
        reused: whether the table was there already and nothing was computed.
        rows: rows of the table.
        counts: what else was counted (what blocking left out, suggestions, ...).
        seconds: time taken.
    """

    table: str
    fingerprint: str
    reused: bool
    rows: int
    counts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class PublishedReport:
    """Clusters → golden_customer.

    Attributes:
        fingerprint: of all it depends on; "held" where nothing was published.
        written: whether the warehouse was written at all.
        golden: golden customers now.
        added, changed, ended: golden rows that this run wrote or ended.
        suggestions: doubtful merges and splits waiting for a steward.
        restatement: what became of the number of customers, in a sentence; empty if not written.
        held: why nothing was published though it should be; empty if that is not so.
        seconds: time taken.
    """

    fingerprint: str
    written: bool
    golden: int
    added: int = 0
    changed: int = 0
    ended: int = 0
    suggestions: int = 0
    restatement: str = ""
    held: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class SourceReport:
    """One source in the closing table: its sync and its staging together.

    ``status`` is the worse of both: failed or held before changed before unchanged.
    ``read`` is of the snapshot that staged stands on, so that always
    read = staged + quarantined (a duplicate key is in quarantine too).
    """

    source: str
    status: Status
    message: str
    read: int
    staged: int
    quarantined: int
    findings: int
    added: int
    changed: int
    deleted: int
    unchanged: int
    seconds: float
    withheld: int = 0
    """Rows of erased customers, which did not land."""
    notes: tuple[str, ...] = ()
    """What the connector found worth saying of a snapshot that this sync made."""

    @classmethod
    def of(cls, synced: Synced | None, staged: Staged) -> "SourceReport":
        """Join what sync and stage said."""
        bad = synced if synced and synced.status in ("failed", "held") else staged
        status: Status = bad.status
        if status == "unchanged" and synced and synced.status == "changed":
            status = "changed"
        return cls(
            source=staged.source,
            status=status,
            message=bad.message,
            read=staged.read,
            staged=staged.staged,
            quarantined=staged.quarantined,
            findings=staged.findings,
            added=staged.added,
            changed=staged.changed,
            deleted=staged.deleted,
            unchanged=staged.unchanged,
            seconds=(synced.seconds if synced else 0.0) + staged.seconds,
            withheld=synced.withheld if synced else 0,
            notes=synced.news if synced else (),
        )


@dataclass(frozen=True)
class RefreshReport:
    """What one refresh did.

    Attributes:
        run_id: the Dagster run.
        sources: one per source, in order of name.
        records: staged records of all sources, also of those not synced now.
        pairs: scored pairs.
        clusters: clusters found.
        golden: golden customers published now.
        suggestions: doubtful merges and splits waiting.
        published: whether the golden table was (or already is) up to date with
            all staged records; False when a check held it back.
        changed: whether anything was written to the lake or the warehouse.
        blocked: failed checks that held the golden table back, as sentences.
        warnings: failed checks that did not hold it back, as sentences.
        seconds: wall time.
    """

    run_id: str
    sources: list[SourceReport]
    records: int
    pairs: int
    clusters: int
    golden: int
    suggestions: int
    published: bool
    changed: bool
    blocked: list[str]
    warnings: list[str]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every source was read and the golden table is up to date."""
        return self.published and all(source.status in GOOD for source in self.sources)


Report = Synced | Staged | Computed | PublishedReport
_R = TypeVar("_R", Synced, Staged, Computed, PublishedReport)


def as_plain(report: Report) -> dict[str, Any]:
    """The report as plain values by name, for Dagster's metadata.

    Without what is empty, and without the rules' outcomes: the checks hold those.
    """
    values = {name: value for name, value in asdict(report).items() if name != "checks"}
    values["seconds"] = round(values["seconds"], 3)
    return {name: value for name, value in values.items() if value not in ("", [], {})}


def from_plain(kind: type[_R], plain: Mapping[str, Any]) -> _R:
    """The report again, from what as_plain made of it; other names are ignored."""
    return kind(**{one.name: plain[one.name] for one in fields(kind) if one.name in plain})
