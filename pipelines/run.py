"""Running the job ``refresh`` from the command line, in this process.

The run is recorded in the home's own Dagster instance, so that it shows in the
web page like any other; what it did comes back as a report.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import dagster as dg

from onefold import settings
from onefold.errors import ConfigError, OnefoldError
from onefold.settings import Settings
from pipelines import alerting, dead_runs, definitions, endings, stages
from pipelines.jobs import REFRESH
from pipelines.naming import asset_name
from pipelines.report import (
    Computed,
    PublishedReport,
    RefreshReport,
    SourceReport,
    Staged,
    Synced,
    from_plain,
)
from warehouse import outcomes
from warehouse.outcomes import GoldenOutcome

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def refresh(
    home: Path,
    sources: Sequence[str] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> RefreshReport:
    """Sync sources, match all staged records and publish the golden table.

    Progress is also logged, by the loggers below ``onefold``.

    Args:
        home: the home folder.
        sources: names of the sources to sync; None is all. Matching and
            publishing are always of all staged records.
        on_progress: called with one line of text at every step, without
            customer values.

    Returns:
        what was done. A source that failed or was held, and a golden table that
        a check held back, are in the report (``report.ok``) and raise nothing.

    Raises:
        ConfigError: the home or a name in ``sources`` is wrong.
        OnefoldError: of any other kind, if a stage could not do its work.
    """
    began = time.monotonic()
    config = settings.load(home)
    home = config.home
    alerting.AlertPolicy.of(config)
    with _told(on_progress), _noted(config), stages.opened(home) as deployment:
        known = sorted({*deployment.sources, *deployment.broken})
    wanted = _wanted(sources, known)
    defs = definitions.build(home)
    job = defs.resolve_job_def(REFRESH)
    selection = None
    if sources is not None:
        keys = dg.AssetSelection.all() - dg.AssetSelection.assets(
            *(
                dg.AssetKey([stage, asset_name(name)])
                for name in known
                if name not in wanted
                for stage in ("raw", "staged")
            )
        )
        selection = list(keys.resolve(defs.resolve_asset_graph()))
    with _told(on_progress), _noted(config), instance(home) as dagster:
        dead_runs.end(dagster)
        result = job.execute_in_process(
            instance=dagster,
            run_config=_QUIET,
            raise_on_error=False,
            asset_selection=selection,
            tags=dead_runs.tags(),
        )
        if not result.success:
            outcomes.note_golden(home, endings.golden(result.all_events, result.run_id))
        report = _report(result, time.monotonic() - began, every_source=sources is None)
        alerting.tell(config)
    return report


@contextmanager
def _noted(config: Settings) -> Iterator[None]:
    """Keep and tell that a refresh stopped on an error, which goes on its way."""
    try:
        yield
    except OnefoldError as error:
        outcomes.note_golden(config.home, GoldenOutcome("failed", str(error)))
        alerting.tell(config)
        raise


def write_instance(home: Path) -> Path:
    """Give the home its ``dagster.yaml`` if it has none, and return its path.

    Telemetry can be switched off there only, so Dagster never runs without it.
    """
    path = home / "dagster.yaml"
    if not path.is_file():
        text = (resources.files("onefold") / "templates" / "dagster.yaml").read_text("utf-8")
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    return path


@contextmanager
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The home's Dagster instance."""
    write_instance(home)
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)
    try:
        with dg.DagsterInstance.from_config(str(home)) as opened:
            yield opened
    finally:
        if before is None:
            del os.environ["DAGSTER_HOME"]
        else:
            os.environ["DAGSTER_HOME"] = before


def _wanted(sources: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    if not known:
        raise ConfigError(
            "sources/",
            "no source is declared",
            do="Write sources/NAME.yml, one file per source; see the README.",
        )
    for name in sources or ():
        if name not in known:
            raise ConfigError(
                f"source {name}",
                "there is no such source",
                found=", ".join(known),
                do="Name one of these, or write its file in sources/.",
            )
    return list(known if sources is None else sources)


class _Teller(logging.Handler):
    """Hands what the ``onefold`` loggers say to a function."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self.tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self.tell(record.getMessage())


@contextmanager
def _told(on_progress: Callable[[str], None] | None) -> Iterator[None]:
    if on_progress is None:
        yield
        return
    logger = logging.getLogger("onefold")
    handler, level = _Teller(on_progress), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _report(
    result: dg.ExecuteInProcessResult, seconds: float, *, every_source: bool
) -> RefreshReport:
    """Put the stages' reports, the checks and the errors of a run together."""
    plain: dict[tuple[str, ...], dict[str, Any]] = {}
    for event in result.all_events:
        if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key is not None:
            metadata = event.step_materialization_data.materialization.metadata
            plain[tuple(event.asset_key.path)] = {
                name: value.value for name, value in metadata.items()
            }
    # Of every source there is a line already; a wrong declaration is not said twice.
    but = {stages.READABLE} if every_source else set()
    blocked, warnings = endings.failed_checks(result.all_events, but)
    if not result.success and not blocked:
        raise endings.error(result.all_events, result.run_id)
    synced = {path[1]: from_plain(Synced, plain[path]) for path in plain if path[0] == "raw"}
    sources = [
        SourceReport.of(synced.get(path[1]), from_plain(Staged, plain[path]))
        for path in sorted(plain)
        if path[0] == "staged"
    ]
    computed = {
        name: from_plain(Computed, plain[(name,)])
        for name in ("candidates", "scored_pairs", "clusters")
        if (name,) in plain
    }
    golden = plain.get(("golden_customer",))
    published = from_plain(PublishedReport, golden) if golden else None
    return RefreshReport(
        run_id=result.run_id,
        sources=sources,
        records=computed["clusters"].rows if "clusters" in computed else 0,
        pairs=computed["scored_pairs"].rows if "scored_pairs" in computed else 0,
        clusters=int(computed["clusters"].counts["clusters"]) if "clusters" in computed else 0,
        golden=published.golden if published else 0,
        suggestions=published.suggestions if published else 0,
        published=published is not None and not published.held,
        changed=any(one.status == "changed" for one in sources)
        or not all(one.reused for one in computed.values())
        or (published is not None and published.written),
        blocked=blocked,
        warnings=warnings,
        seconds=seconds,
    )
