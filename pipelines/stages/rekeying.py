"""Bringing a home to what ``privacy:`` says: encrypting, replacing the key, decrypting.

What belongs here: the order of it. Snapshots are written again one by one, the stores in one
transaction each, tables of the lake that hold values or follow from them are removed where
they are made anew, else written again. What the home is encrypted with is noted last, and
nothing else writes to the home until it is: a killed run is run again, and finds what is
done. All the while old values and new ones can be read.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from connectors import resealing, snapshot
from dedupe import model
from onefold import settings as settings_module
from onefold.errors import ConfigError
from onefold.keys import Keys
from pipelines import lake, table_files
from pipelines.lock import exclusive
from pipelines.stages import changes, protecting
from rules.protection import declared
from warehouse import engine, rekeying

log = logging.getLogger("onefold.key")

OF_RECORDS = ("features", "kin", "kinships")
"""Tables of the lake that hold values of records."""
_FOLLOWING = ("records", "keys", *OF_RECORDS)
"""Tables that are worthless when the hashes of records are others, or may not be there then."""


@dataclass(frozen=True)
class Rekeyed:
    """What was written again.

    Attributes:
        was, now: what the home is encrypted with, in words.
        snapshots: of sources.
        tables: files of the lake, written again or removed.
        rows: table of the stores → rows.
    """

    was: str
    now: str
    snapshots: int
    tables: int
    rows: dict[str, int]


def apply(home: Path) -> Rekeyed:
    """Make every store of a home what its settings say.

    Args:
        home: the home.

    Raises:
        ConfigError: there is no key, one that is in use is not declared, or the key of a
            source holds values that are to be encrypted.
        SourceMissing: a file among the snapshots is none.
        WarehouseError: a database cannot be reached or refuses.
    """
    settings = settings_module.load(home)
    keys = Keys.of(settings)
    folder = lake.folder(settings)
    with exclusive(settings.home):
        keys.check()
        want, have = protecting.wanted(keys), protecting.noted(keys)
        sources = declared(settings.home, keys)
        for error in sources.broken.values():
            raise error  # which of its columns are to be encrypted could not be told
        paths = sorted((folder / "raw").glob("*/*.parquet"))
        for path in paths:
            manifest = snapshot.read_manifest(path)
            if manifest.source in sources.sources:
                resealing.check(sources.sources[manifest.source], manifest)
        engine.migrate(settings)
        lake.clean(folder)
        written = 0
        for number, path in enumerate(paths, 1):
            log.info("snapshot %s of %s", number, len(paths))
            written += resealing.reseal(path, sources.sources.get(path.parent.name), keys)
        log.info("tables of the lake")
        tables = _lake(folder, keys, anew=bool(want) != bool(have))
        tables += model.rekey_values(settings.models_dir, keys)
        log.info("databases")
        warehouse = engine.connect(settings)
        try:
            rows = rekeying.rekey(warehouse)
            if want != have:
                rekeying.forget(warehouse)
        finally:
            warehouse.close()
        if want != have:
            keys.rewrap()
            keys.note(**{protecting.APPLIED: want})
    return Rekeyed(protecting.words(have), protecting.words(want), written, tables, rows)


def check(home: Path) -> None:
    """Refuse what :func:`apply` would refuse at once.

    Raises:
        ConfigError: no key is declared.
    """
    settings = settings_module.load(home)
    if not Keys.of(settings).policy.has_key:
        raise ConfigError(
            "onefold.yml, privacy",
            "no key is declared",
            do="Make one with 'onefold key new'. To decrypt a home, keep 'key' and say"
            " 'encrypt: []'.",
        )


def _lake(folder: Path, keys: Keys, *, anew: bool) -> int:
    """Tables of records: written again, or removed where the next refresh makes them anew."""
    count = 0
    for table in _FOLLOWING if anew else OF_RECORDS:
        for path in sorted(lake.path_of(folder, table, name) for name in lake.names(folder, table)):
            if anew:
                path.unlink()
                count += 1
                continue
            kept = table_files.read(path)
            new = changes.sealed(changes.opened(kept, keys), keys)
            if not new.equals(kept):
                lake.replace(path, new)
                count += 1
    return count
