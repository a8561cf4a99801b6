"""The glue between the packages: one function per stage, the same for Dagster and for tests.

Every stage can be killed at any moment and run again: what it writes is one
renamed file or one transaction, named by (or stored with) the fingerprint of
all that it depends on. A stage that finds its fingerprint there already
computes and writes nothing. A matching stage whose input is missing makes it
first, so that any stage may be run alone. No Dagster here.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from connectors import snapshot
from connectors.source import SourceConfig, extract, load_sources
from dedupe import blocking, identity, matching, scoring, survivorship
from dedupe import clusters as clustering
from dedupe import features as featuring
from dedupe import model as models
from dedupe.levels import LEVELS
from dedupe.model import MatchingSettings, Models
from onefold import settings as settings_module
from onefold.errors import ConfigError, ModelError, SourceError, SourceHeld
from onefold.settings import Settings
from pipelines import fingerprint, lake
from pipelines.lock import exclusive
from pipelines.report import Computed, PublishedReport, Staged, Status, Synced
from rules import standardize, suites
from rules.suites import Check
from warehouse import decisions, engine, tables
from warehouse import publish as publishing
from warehouse import staged as staging
from warehouse.engine import Warehouse

log = logging.getLogger("onefold.refresh")

TRAIN_AGAIN_AT = 1.5
"""Records of a customer type, as a multiple of those its model was trained on."""

PAIR_DECISIONS = ("link", "no_link")
SAMPLE_ROWS = 10


@dataclass(frozen=True)
class Deployment:
    """An opened home: what every stage works on.

    Attributes:
        settings: the home's settings.
        sources: its sources by name.
        warehouse: the open warehouse, its tables up to date.
        lake: the lake's folder.
        matching: section ``matching`` of onefold.yml.
        policy: section ``survivorship`` of onefold.yml.
    """

    settings: Settings
    sources: dict[str, SourceConfig]
    warehouse: Warehouse
    lake: Path
    matching: MatchingSettings
    policy: survivorship.Policy
    _staged: dict[str, pa.Table] = field(default_factory=dict, repr=False)
    _read: set[str] = field(default_factory=set, repr=False)

    def staged(self) -> pa.Table:
        """Every live record; read once, and again when a sync changed one."""
        name = staging.content_fingerprint(self.warehouse)
        if name not in self._staged:
            self._staged.clear()
            self._staged[name] = staging.read(self.warehouse)
        return self._staged[name]


def check_settings(settings: Settings) -> tuple[MatchingSettings, survivorship.Policy]:
    """The behavior sections of onefold.yml, validated.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """
    matching_settings = MatchingSettings.read(settings.sections.get("matching"))
    return matching_settings, survivorship.load_policy(settings.sections.get("survivorship"))


@contextmanager
def opened(home: Path) -> Iterator[Deployment]:
    """Lock and open a home, bring its tables up to date, clean up after killed runs.

    Raises:
        ConfigError: the home or a source's YAML is wrong.
        WarehouseError: a database cannot be reached or refuses.
    """
    settings = settings_module.load(home)
    matching_settings, policy = check_settings(settings)
    configs = load_sources(settings.home)
    folder = lake.folder(settings)
    with exclusive(settings.home):
        engine.migrate(settings)
        lake.clean(folder, settings.models_dir)
        warehouse = engine.connect(settings)
        try:
            yield Deployment(settings, configs, warehouse, folder, matching_settings, policy)
        finally:
            warehouse.close()


# ---------------------------------------------------------------- source → raw → staged
def sync(deployment: Deployment, source: str, *, last_try: bool = True) -> Synced:
    """Read one source into the lake, if it changed since its last snapshot.

    A source that cannot be read, or lost too many rows, is no error here: the
    outcome says so, sync_run notes it once, and its last good records stay.

    Args:
        deployment: the opened home.
        source: the source's name.
        last_try: whether a source that does not answer counts as failed now.

    Raises:
        SourceError: a transient one, unless this is the last try.
    """
    began, started_at = time.monotonic(), datetime.now(UTC)
    config = deployment.sources[source]
    log.info("raw/%s: reading", source)
    previous = snapshot.latest(deployment.lake, source)
    try:
        found = extract(config, deployment.lake, previous)
    except SourceError as error:
        if error.transient and not last_try:
            raise
        status: Status = "held" if isinstance(error, SourceHeld) else "failed"
        _note_failure(deployment, source, status, error, started_at)
        return Synced(
            source=source,
            status=status,
            message=str(error),
            error=type(error).__name__,
            sync_id=previous.sync_id if previous else "",
            read=previous.rows if previous else 0,
            seconds=time.monotonic() - began,
        )
    deployment._read.add(source)
    manifest = found.manifest
    log.info("raw/%s: %s, %s rows", source, found.status, f"{manifest.rows:,}")
    skipped: Counter[str] = Counter()
    for one in manifest.skipped:
        skipped[one.what] += one.count
    return Synced(
        source=source,
        status=found.status,
        sync_id=manifest.sync_id,
        read=manifest.rows,
        skipped=dict(sorted(skipped.items())),
        notes=list(manifest.notes),
        key_basis=manifest.key_basis,
        seconds=time.monotonic() - began,
    )


def stage(deployment: Deployment, source: str) -> Staged:
    """Bring staged and quarantine to the source's newest snapshot, in one transaction.

    Nothing is computed or written when they stand on the same snapshot, YAML
    and rules already. As in sync, a source that cannot be staged is an outcome.
    """
    began, started_at = time.monotonic(), datetime.now(UTC)
    config = deployment.sources[source]
    good = staging.last_sync(deployment.warehouse, source)
    last = staging.last_sync(deployment.warehouse, source, good=False)
    # A source that could be read again, though it is unchanged, is noted as good again.
    failed = last if last != good and source in deployment._read else None
    manifest = snapshot.latest(deployment.lake, source)
    if manifest is None:
        return _stands(source, good, "failed", "The source was never read.", began)
    depends_on = _staging_fingerprint(deployment, config, manifest)
    if good is not None and good.fingerprint == depends_on and failed is None:
        log.info("staged/%s: unchanged, %s records", source, f"{good.rows_staged:,}")
        return _stands(source, good, "unchanged", "", began)
    log.info("staged/%s: cleaning %s rows", source, f"{manifest.rows:,}")
    path = snapshot.path_of(deployment.lake, manifest)
    country = config.country or deployment.settings.country
    try:
        standardized = standardize.standardize(snapshot.read(path), config, country)
        log.info("staged/%s: checking", source)
        validated = suites.validate(standardized, config)
    except (SourceError, ConfigError) as error:
        _note_failure(deployment, source, "failed", error, started_at)
        return _stands(source, good, "failed", str(error), began, type(error).__name__)
    log.info("staged/%s: writing", source)
    changes = staging.replace(
        deployment.warehouse,
        source,
        validated.staged,
        validated.quarantine,
        staging.Sync(
            sync_id=_staging_id(manifest, depends_on, good, failed),
            started_at=started_at,
            rows_read=manifest.rows,
            snapshot=path.relative_to(deployment.lake).as_posix(),
            content_hash=manifest.content_hash,
            key_basis=manifest.key_basis,
            fingerprint=depends_on,
            manifest=manifest.model_dump(mode="json")
            | {"checks": [asdict(check) for check in validated.checks]},
        ),
    )
    log.info(
        "staged/%s: %s records, %s added, %s changed, %s deleted, %s kept out",
        source,
        *(
            f"{number:,}"
            for number in (
                changes.staged,
                changes.added,
                changes.changed,
                changes.deleted,
                changes.quarantined,
            )
        ),
    )
    return Staged(
        source=source,
        status="changed" if changes else "unchanged",
        sync_id=manifest.sync_id,
        read=manifest.rows,
        staged=changes.staged,
        quarantined=changes.quarantined,
        findings=changes.findings,
        added=changes.added,
        changed=changes.changed,
        deleted=changes.deleted,
        checks=validated.checks,
        seconds=time.monotonic() - began,
    )


def _note_failure(
    deployment: Deployment, source: str, status: Status, error: Exception, started_at: datetime
) -> None:
    """Write a row of sync_run, unless the last one says the same already."""
    log.warning("%s: %s. %s", source, status, error)
    last = staging.last_sync(deployment.warehouse, source, good=False)
    if last is None or (last.status, last.message) != (status, str(error)):
        staging.record_failure(
            deployment.warehouse,
            source,
            "held" if status == "held" else "failed",
            str(error),
            started_at,
        )


def _stands(
    source: str,
    good: staging.SyncRun | None,
    status: Status,
    message: str,
    began: float,
    error: str = "",
) -> Staged:
    """The report of a source whose staged records stay as they are."""
    seconds = time.monotonic() - began
    if good is None:
        return Staged(source, status, message, error, seconds=seconds)
    checks = (good.manifest or {}).get("checks", [])
    return Staged(
        source=source,
        status=status,
        message=message,
        error=error,
        sync_id=good.sync_id,
        read=good.rows_read,
        staged=good.rows_staged,
        quarantined=good.rows_quarantined,
        findings=good.findings,
        checks=[Check(**check) for check in checks],
        seconds=seconds,
    )


_NOT_STAGING = {
    "description", "url", "table", "query", "path", "layout", "schedule", "hold_if_shrinks_by",
}  # fmt: skip
"""Settings of a source that say where and when to read, not what the records become."""


def _staging_fingerprint(
    deployment: Deployment, config: SourceConfig, manifest: snapshot.Manifest
) -> str:
    return fingerprint.of(
        manifest.content_hash,
        config.model_dump(mode="json", exclude=_NOT_STAGING),
        config.country or deployment.settings.country,
        fingerprint.of_code("connectors", "rules"),
    )


def _staging_id(
    manifest: snapshot.Manifest,
    depends_on: str,
    good: staging.SyncRun | None,
    failed: staging.SyncRun | None,
) -> str:
    """Name of the sync: the snapshot's; with an addition when it was staged before.

    Other rules, or a failure since then, make another row of sync_run.
    """
    if good is None or not good.sync_id.startswith(manifest.sync_id):
        return manifest.sync_id
    return f"{manifest.sync_id}-{fingerprint.of(depends_on, failed and failed.sync_id)[:8]}"


# ---------------------------------------------------------------- what must hold of staged
def accounting(deployment: Deployment) -> list[Check]:
    """No record is lost: rows in the snapshot = staged + quarantined, per source.

    Three counts that come about apart: rows of the snapshot's file, what the
    sync says it kept out, and rows that are in staged_customer now.
    """
    live = staging.sources(deployment.warehouse)
    checks = []
    for source in sorted({*deployment.sources, *live}):
        good = staging.last_sync(deployment.warehouse, source)
        if good is None:
            continue
        read = good.rows_read
        if good.snapshot and (deployment.lake / good.snapshot).is_file():
            read = pq.read_metadata(deployment.lake / good.snapshot).num_rows
        missing = read - live.get(source, 0) - good.rows_quarantined
        checks.append(
            Check(
                name=f"no_record_lost_{source}",
                passed=missing == 0,
                severity="error",
                blocking=True,
                evaluated=read,
                failed=abs(missing),
                description=f"{source}: {read} rows read = {live.get(source, 0)} staged"
                f" + {good.rows_quarantined} in quarantine.",
            )
        )
    return checks


def canonical(deployment: Deployment) -> list[Check]:
    """The canonical model's rules on all staged records together.

    Their outcome is kept in the lake, so that unchanged records are not checked again.
    """
    name = fingerprint.of(
        staging.content_fingerprint(deployment.warehouse), fingerprint.of_code("rules")
    )
    if not lake.has(deployment.lake, "canonical_checks", name):
        log.info("quarantine: checking all staged records")
        found = [asdict(check) for check in suites.validate_canonical(deployment.staged())]
        table = pa.Table.from_pylist(found)
        lake.write(deployment.lake, "canonical_checks", name, table)
        lake.forget(deployment.lake, {"canonical_checks": name})
    rows = lake.read(deployment.lake, "canonical_checks", name).to_pylist()
    return [Check(**row) for row in rows]


def orphans(deployment: Deployment) -> Check:
    """Sources that have records, but no YAML file any more."""
    live = staging.sources(deployment.warehouse)
    lost = {name: count for name, count in live.items() if name not in deployment.sources}
    return Check(
        name="sources_declared",
        passed=not lost,
        severity="warning",
        blocking=False,
        evaluated=len(live),
        failed=len(lost),
        description=" ".join(
            f"sources/{name}.yml is gone; its {count} records stay." for name, count in lost.items()
        )
        or "Every source that has records is declared.",
    )


def quarantine_counts(deployment: Deployment) -> list[dict[str, Any]]:
    """Open findings by source, field, rule and severity, most frequent first."""
    table = tables.quarantine
    by = [table.c[name] for name in ("source", "field", "rule", "severity")]
    query = (
        sa.select(*by, sa.func.count().label("findings"))
        .where(table.c.status == "open")
        .group_by(*by)
    )
    with deployment.warehouse.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return sorted(rows, key=lambda row: (-row["findings"], row["source"], row["rule"]))


# ---------------------------------------------------------------- staged → clusters
def candidates(deployment: Deployment) -> Computed:
    """Pairs worth comparing, in the lake; made only if staged, settings or code changed."""
    began = time.monotonic()
    name = _candidates_fingerprint(deployment)
    reused = lake.has(deployment.lake, "candidates", name)
    if not reused:
        records = _features(deployment, name)
        log.info("candidates: looking among %s records", f"{records.num_rows:,}")
        found = blocking.candidates(records, deployment.matching)
        lake.write(deployment.lake, "candidates", name, found.pairs, _left_out(found.report))
    return _computed(deployment, "candidates", name, reused, began)


def _left_out(report: pa.Table) -> dict[str, Any]:
    """What blocking left out, in all and by kind of key."""
    kinds = report.to_pylist()
    return {"left_out": sum(kind["left_out"] for kind in kinds), "keys": kinds}


def scored_pairs(deployment: Deployment) -> Computed:
    """Candidates with levels, weight and probability, and the pairs that close components.

    Trains the models first if there are none, if the code's levels are others,
    or if a customer type has grown by half since; else the saved ones are used.
    """
    began = time.monotonic()
    pairs_name = candidates(deployment).fingerprint
    known = _saved_models(deployment)
    name = _scored_fingerprint(deployment, pairs_name, known)
    if known and lake.has(deployment.lake, "scored_pairs", name):
        return _computed(deployment, "scored_pairs", name, True, began)
    records = _features(deployment, pairs_name)
    pairs = lake.read(deployment.lake, "candidates", pairs_name)
    if _must_train(known, records):
        log.info("scored_pairs: training on %s pairs", f"{pairs.num_rows:,}")
        learned = matching.learn(pairs, records, deployment.matching)
        known = models.save(learned, deployment.settings.models_dir)
        name = _scored_fingerprint(deployment, pairs_name, known)
    reused = lake.has(deployment.lake, "scored_pairs", name)
    if not reused:
        log.info("scored_pairs: scoring %s pairs", f"{pairs.num_rows:,}")
        scored = matching.score_pairs(pairs, records, known, None, deployment.matching)
        versions = {f"{kind}_model": one.version for kind, one in known.items()}
        lake.write(deployment.lake, "scored_pairs", name, scored, versions)
    return _computed(deployment, "scored_pairs", name, reused, began)


def clusters(deployment: Deployment) -> Computed:
    """Records held to be one customer, and suggestions, both in the lake.

    Raises:
        DecisionConflict: stewards' decisions in force contradict each other.
    """
    began = time.monotonic()
    scored_name = scored_pairs(deployment).fingerprint
    decided = _pair_decisions(deployment)
    name = _clusters_fingerprint(deployment, scored_name, decided)
    reused = all(lake.has(deployment.lake, table, name) for table in ("suggestions", "clusters"))
    if not reused:
        pairs = lake.read(deployment.lake, "scored_pairs", scored_name)
        records = _features(deployment, _candidates_fingerprint(deployment))
        ids = records.column("record_id").to_pylist()
        if decided.num_rows:
            pairs = _closed(deployment, pairs, records, decided)
        log.info("clusters: grouping %s records", f"{len(ids):,}")
        found = clustering.cluster(ids, pairs, decided, deployment.matching)
        lake.write(deployment.lake, "suggestions", name, found.suggestions)
        lake.write(deployment.lake, "clusters", name, found.clusters, found.report)
    return _computed(deployment, "clusters", name, reused, began)


def _closed(
    deployment: Deployment, pairs: pa.Table, records: pa.Table, decided: pa.Table
) -> pa.Table:
    """The scored pairs, and the ones inside components that link decisions joined."""
    ids = records.column("record_id").to_pylist()
    unseen = clustering.missing_pairs(ids, pairs, decided, deployment.matching)
    if not unseen.num_rows:
        return pairs
    unseen = unseen.cast(pa.schema([pairs.schema.field(name) for name in unseen.column_names]))
    known = _saved_models(deployment)
    added = scoring.score(matching.compare(unseen, records), records, known)
    return pa.concat_tables([pairs, added.select(pairs.column_names)])


def _features(deployment: Deployment, candidates_name: str) -> pa.Table:
    """The features of all staged records, kept in the lake beside the candidates."""
    if lake.has(deployment.lake, "features", candidates_name):
        return lake.read(deployment.lake, "features", candidates_name)
    log.info("candidates: preparing the staged records")
    built = featuring.build(deployment.staged())
    lake.write(deployment.lake, "features", candidates_name, built)
    return built


_AFTER_BLOCKING = {"match", "review", "ignore", "closure_limit", "leiden_above", "refit"}
"""Settings that do not change which pairs are candidates."""


def _candidates_fingerprint(deployment: Deployment) -> str:
    return fingerprint.of(
        staging.content_fingerprint(deployment.warehouse),
        deployment.matching.model_dump(mode="json", exclude=_AFTER_BLOCKING),
        fingerprint.of_code("rules", "dedupe"),
    )


def _scored_fingerprint(deployment: Deployment, pairs_name: str, known: Models) -> str:
    return fingerprint.of(
        pairs_name,
        deployment.matching.model_dump(mode="json"),
        {kind: one.fingerprint for kind, one in known.items()},
    )


def _clusters_fingerprint(deployment: Deployment, scored_name: str, decided: pa.Table) -> str:
    # A steward who decides the same again, or says it in other words, changes nothing.
    said = decided.select(["kind", "left_id", "right_id"]).to_pylist()
    return fingerprint.of(scored_name, sorted(said, key=str))


def _pair_decisions(deployment: Deployment) -> pa.Table:
    table = decisions.read(deployment.warehouse)
    return table.filter(pc.is_in(table["kind"], value_set=pa.array(PAIR_DECISIONS)))


def _saved_models(deployment: Deployment) -> Models:
    """The saved models; none if a type has none, or if they fit other levels than the code's."""
    try:
        known = models.load(deployment.settings.models_dir)
    except ModelError as error:
        log.warning("models: training again. %s", error)
        return {}
    return known if set(known) == set(LEVELS) else {}


def _must_train(known: Models, records: pa.Table) -> bool:
    if not known:
        return True
    counted = Counter(records.column("customer_type").to_pylist())
    return any(
        counted[kind] >= max(one.trained_on.get("records", 0), 1) * TRAIN_AGAIN_AT
        for kind, one in known.items()
    )


def _computed(
    deployment: Deployment, table: str, name: str, reused: bool, began: float
) -> Computed:
    rows = lake.rows(deployment.lake, table, name)
    log.info("%s: %s rows%s", table, f"{rows:,}", ", unchanged" if reused else "")
    return Computed(
        table=table,
        fingerprint=name,
        reused=reused,
        rows=rows,
        counts=lake.counts(deployment.lake, table, name),
        seconds=time.monotonic() - began,
    )


def clustering_checks(deployment: Deployment, report: Computed) -> list[Check]:
    """Every staged record is in one cluster, and decisions hold.

    Args:
        deployment: the opened home.
        report: what clusters returned.
    """
    table = lake.read(deployment.lake, "clusters", report.fingerprint)
    cluster_of = dict(
        zip(table["record_id"].to_pylist(), table["cluster_id"].to_pylist(), strict=True)
    )
    staged_ids = set(deployment.staged()["record_id"].to_pylist())
    wrong = len(staged_ids ^ cluster_of.keys()) + table.num_rows - len(cluster_of)
    broken = sum(
        (cluster_of[row["left_id"]] == cluster_of[row["right_id"]]) != (row["kind"] == "link")
        for row in _pair_decisions(deployment).to_pylist()
        if row["left_id"] in cluster_of and row["right_id"] in cluster_of
    )
    return [
        _invariant(
            "each_record_once",
            len(staged_ids),
            wrong,
            "Every staged record is in exactly one cluster.",
        ),
        _invariant(
            "decisions_hold",
            _pair_decisions(deployment).num_rows,
            broken,
            "Records a steward linked are together, those set apart are apart.",
        ),
    ]


def _invariant(name: str, evaluated: int, failed: int, description: str) -> Check:
    return Check(name, failed == 0, "error", True, evaluated, failed, description)


# ---------------------------------------------------------------- clusters → golden_customer
def publish(deployment: Deployment) -> PublishedReport:
    """Give clusters their lasting ids, choose golden values, publish in one transaction.

    Then tables of older fingerprints leave the lake.

    Raises:
        DecisionConflict: stewards' decisions in force contradict each other.
        PublishError: the result would lose a record or misuse an id.
    """
    began = time.monotonic()
    found = clusters(deployment)
    overrides = decisions.read(deployment.warehouse)
    overrides = overrides.filter(pc.equal(overrides["kind"], "override"))
    name = fingerprint.of(
        found.fingerprint,
        staging.content_fingerprint(deployment.warehouse),
        deployment.policy.model_dump(mode="json"),
        overrides.to_pylist(),
        fingerprint.of_code("rules", "dedupe", "warehouse"),
    )
    published = publishing.standing(deployment.warehouse, name)
    if published is None:
        log.info("golden_customer: choosing ids and values")
        base = publishing.read_identity(deployment.warehouse)
        assigned = identity.assign(
            lake.read(deployment.lake, "clusters", found.fingerprint),
            base.crosswalk,
            base.live,
            base.next_number,
        )
        consolidated = survivorship.consolidate(
            deployment.staged(), assigned.crosswalk, deployment.policy, overrides
        )
        log.info("golden_customer: publishing %s", f"{consolidated.golden.num_rows:,}")
        published = publishing.publish(
            deployment.warehouse,
            assigned,
            consolidated,
            lake.read(deployment.lake, "suggestions", found.fingerprint),
            name,
            base=base,
        )
    _forget(deployment, found.fingerprint)
    log.info(
        "golden_customer: %s customers%s",
        f"{published.golden:,}",
        "" if published.written else ", unchanged",
    )
    return PublishedReport(
        fingerprint=name,
        written=published.written,
        golden=published.golden,
        added=published.count("golden_customer", "added"),
        changed=published.count("golden_customer", "changed"),
        ended=published.count("golden_customer", "deleted"),
        suggestions=published.suggestions,
        seconds=time.monotonic() - began,
    )


def _forget(deployment: Deployment, clusters_name: str) -> None:
    pairs_name = _candidates_fingerprint(deployment)
    scored_name = _scored_fingerprint(deployment, pairs_name, _saved_models(deployment))
    current = {"features": pairs_name, "candidates": pairs_name, "scored_pairs": scored_name}
    current |= {"clusters": clusters_name, "suggestions": clusters_name}
    lake.forget(deployment.lake, current)


def published_checks(deployment: Deployment) -> list[Check]:
    """Every staged record is in exactly one golden customer, by what is in the warehouse."""
    crosswalk = publishing.read_identity(deployment.warehouse).crosswalk
    published = crosswalk["record_id"].to_pylist()
    staged_ids = set(deployment.staged()["record_id"].to_pylist())
    wrong = len(staged_ids ^ set(published)) + len(published) - len(set(published))
    return [
        _invariant(
            "each_record_has_a_customer",
            len(staged_ids),
            wrong,
            "Every staged record is in exactly one golden customer.",
        )
    ]


# ---------------------------------------------------------------- what the web page shows
def sample(deployment: Deployment, report: Computed) -> pa.Table:
    """The first rows of a table in the lake."""
    path = lake.path_of(deployment.lake, report.table, report.fingerprint)
    file = pq.ParquetFile(path)
    batch = next(file.iter_batches(batch_size=SAMPLE_ROWS), None)
    return file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch])


def staged_sample(
    deployment: Deployment, source: str, columns: Sequence[str]
) -> list[dict[str, Any]]:
    """These columns of the source's first staged records."""
    table = tables.staged_customer
    return _rows(deployment, table, columns, table.c.record_id, table.c.source == source)


def golden_sample(deployment: Deployment, columns: Sequence[str]) -> list[dict[str, Any]]:
    """These columns of the first golden customers."""
    table = tables.golden_customer
    return _rows(deployment, table, columns, table.c.golden_id)


def _rows(
    deployment: Deployment,
    table: sa.Table,
    columns: Sequence[str],
    order: sa.ColumnElement[Any],
    *where: sa.ColumnElement[bool],
) -> list[dict[str, Any]]:
    query = sa.select(*(table.c[name] for name in columns)).where(*where)
    with deployment.warehouse.read() as connection:
        found = connection.execute(query.order_by(order).limit(SAMPLE_ROWS))
        return [dict(row) for row in found.mappings()]
