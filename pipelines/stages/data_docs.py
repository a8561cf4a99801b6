"""The sources' checks as they stand → Great Expectations' Data Docs, when somebody asks for them.

Making them takes seconds, most of which Great Expectations takes to load, so no refresh does it.
"""

from collections.abc import Iterator
from pathlib import Path

from connectors.source import declared
from onefold.settings import Settings
from rules import customer, data_docs, suites
from rules.data_docs import Checked
from warehouse import sync_runs
from warehouse.engine import Warehouse
from warehouse.outcomes import DATA_DOCS


def build(settings: Settings, wh: Warehouse) -> Path:
    """Make the Data Docs of every source that was synced, in the home.

    Returns:
        The first page.

    Raises:
        ConfigError: an expectation of a source's YAML is wrong.
        WarehouseError: the database cannot be reached.
    """
    return data_docs.build(_checked(settings, wh), settings.home / DATA_DOCS)


def _checked(settings: Settings, wh: Warehouse) -> Iterator[Checked]:
    fields = [field.name for field in customer.ALL]
    for name, config in sorted(declared(settings.home).sources.items()):
        last = sync_runs.last_sync(wh, name)
        if last is None:
            continue
        yield Checked(
            source=name,
            sync_id=last.sync_id,
            at=last.finished_at,
            checks=[suites.Check(**one) for one in (last.manifest or {}).get("checks", [])],
            expectations=suites.expectations_of(config, fields),
        )
