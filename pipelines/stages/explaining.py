"""The last matching of a home as evidence for explanations; only reads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from dedupe.explain import Evidence
from onefold import settings as settings_module
from onefold.errors import ConfigError
from onefold.settings import Settings
from pipelines import lake
from pipelines.stages import changes, matching
from pipelines.stages.deployment import Deployment, check_settings
from warehouse import engine, publish, staged_records
from warehouse.engine import Warehouse


@contextmanager
def evidence_of(home: Path | None) -> Iterator[Evidence]:
    """What the last matching of a home found; the warehouse is open within the block.

    Raises:
        ConfigError: the home is wrong, or was not refreshed since something changed.
        WarehouseError: a database cannot be reached or refuses.
    """
    settings = settings_module.load(home)
    warehouse = engine.connect(settings)
    try:
        yield evidence(settings, warehouse)
    finally:
        warehouse.close()


def evidence(settings: Settings, warehouse: Warehouse) -> Evidence:
    """What the last matching found.

    Takes no lock: the files it reads never change, and a refresh that is
    running makes others.

    Raises:
        ConfigError: records, decisions, settings or the program changed since the last refresh.
    """
    behavior = check_settings(settings)
    folder = lake.folder(settings)
    keys = warehouse.keys
    deployment = Deployment(settings, {}, {}, warehouse, folder, *behavior, keys)
    names = matching.names(deployment)
    missing = [table for table, name in names.items() if not lake.has(folder, table, name)]
    models = matching.saved_models(deployment)
    if missing or not models:
        raise ConfigError(
            str(settings.home),
            "there is no finished matching of the records, decisions and settings as they are now",
            do="Run 'onefold refresh' first.",
        )

    def shown(ids: Sequence[str]) -> pa.Table:
        return staged_records.read(warehouse, ids)

    return Evidence(
        features=changes.opened(lake.read(folder, "features", names["features"]), keys),
        scored=lake.dataset(folder, "scored_pairs", names["scored_pairs"]),
        clusters=lake.read(folder, "clusters", names["clusters"]),
        suggestions=lake.read(folder, "suggestions", names["suggestions"]),
        models=models,
        settings=behavior[0],
        staged=shown,
        decisions=matching.pair_decisions(deployment),
        crosswalk=publish.read_identity(warehouse).crosswalk,
        redirects=publish.redirects(warehouse),
    )
