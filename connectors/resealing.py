"""Snapshots that are there, written again as the settings want them encrypted now.

What belongs here: turning encryption on and off, and replacing a key, for what was landed
before. A snapshot stays what it is but for the form of its values and, where encryption
begins or ends, the hashes of its rows: each is replaced whole, under its own name, and says
itself what it is encrypted with, so that a killed run is simply run again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from connectors import row_hashes, sealing, snapshot
from connectors.config import SourceConfig
from connectors.lake_files import publish, temporary
from connectors.reading import POSITION, PROBLEM, ROW_HASH
from connectors.repeated_keys import repeats, without_repeats
from connectors.sealing import Seal
from connectors.snapshot import MANIFEST, Manifest
from connectors.snapshot_writer import SnapshotWriter
from onefold.errors import SourceLayout
from onefold.keys import Keys

_ROWS = 20_000
_ADDED = 4
"""Columns of a snapshot that are not the source's own."""


def wanted(config: SourceConfig | None, manifest: Manifest, keys: Keys) -> Seal | None:
    """What is to be encrypted of a snapshot.

    Of a source that is not declared any more, or otherwise, it is what is encrypted in it.

    Args:
        config: the source, with the home's keys; None: it is not declared.
        manifest: of the snapshot.
        keys: the home's keys.
    """
    if not keys.policy.encrypted:
        return None
    stays = frozenset(manifest.sealed)
    try:
        seal = sealing.of(config, manifest.columns) if config else None
    except SourceLayout:  # a column that is mapped now was not there then
        seal = None
    if seal is None:
        return Seal(keys, stays) if stays else None
    return replace(seal, columns=seal.columns | stays)


def check(config: SourceConfig, manifest: Manifest) -> None:
    """Refuse a source whose key would carry an encrypted value into every table.

    Raises:
        ConfigError: a column of the key is to be encrypted.
    """
    keys = config.keys
    seal = wanted(config, manifest, keys) if keys else None
    if seal:
        seal.check_key(config, manifest.key)


def reseal(path: Path, config: SourceConfig | None, keys: Keys) -> bool:
    """Write a snapshot again if it is not encrypted as it should be.

    Returns:
        whether it was written.

    Raises:
        ConfigError: the key that it is encrypted with is not declared.
    """
    manifest = snapshot.read_manifest(path)
    seal = wanted(config, manifest, keys)
    columns = tuple(sorted(seal.columns)) if seal else ()
    used = keys.key.id if seal else ""
    if (manifest.sealed, manifest.sealed_with) == (columns, used):
        return False
    total = placed = 0
    again = bool(columns) != bool(manifest.sealed)
    with temporary(path.parent, f"{path.stem}-again") as file:
        with SnapshotWriter(file, manifest.columns) as writer:
            for part in _parts(path, manifest, keys):
                if again:
                    part = _rehashed(part, manifest.columns, seal)
                found = bytes.fromhex("".join(part[ROW_HASH].to_pylist()))
                total += row_hashes.total(found)
                placed += row_hashes.placed(found, part[POSITION].combine_chunks())
                writer.write(_sealed(part, manifest.columns, seal))
            told = {"sealed": columns, "sealed_with": used}
            if again:
                total, placed = total & row_hashes.MASK, placed & row_hashes.MASK
                told |= {
                    "rows_sum": f"{total:032x}",
                    "positions_hash": f"{placed:032x}",
                    "content_hash": snapshot.content_hash(total, manifest.columns, manifest.key),
                }
            manifest = manifest.model_copy(update=told)
            writer.add_metadata({MANIFEST: manifest.model_dump_json().encode()})
        publish(file, path)
    return True


def _parts(path: Path, manifest: Manifest, keys: Keys) -> Iterator[pa.Table]:
    """The rows of a snapshot in clear, some at a time."""
    for part in snapshot.slices(path, _ROWS):
        yield sealing.opened(part, manifest.sealed, keys)


def _sealed(part: pa.Table, columns: Sequence[str], seal: Seal | None) -> pa.Table:
    if seal is None:
        return part
    arrays = [column.combine_chunks() for column in part.columns]
    kept = seal.sealed(columns, arrays[_ADDED:])
    return pa.table([*arrays[:_ADDED], *kept], schema=part.schema)


def _rehashed(part: pa.Table, columns: Sequence[str], seal: Seal | None) -> pa.Table:
    """The rows with hashes as landing makes them: of what they say and of what is wrong."""
    values = [part[name].combine_chunks() for name in columns]
    found = row_hashes.digests(columns, values)
    hashes = row_hashes.hexadecimal(seal.hashes(found) if seal else found)
    odd = pc.indices_nonzero(part[PROBLEM].is_valid()).to_pylist()
    if odd:
        texts = hashes.to_pylist()
        for row, problem in zip(odd, part[PROBLEM].take(odd).to_pylist(), strict=True):
            for said in (without_repeats(problem), repeats(problem)):
                if said:
                    texts[row] = row_hashes.of(texts[row], said).hex()
        hashes = pa.array(texts, pa.string())
    place = part.schema.get_field_index(ROW_HASH)
    return part.set_column(place, part.schema.field(place), hashes)
