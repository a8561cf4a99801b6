"""A source whose columns or values are not what they were at the last good sync.

What belongs here: what changed, whether it holds the source back, and what to edit. A
column that is used and gone, or of another type, holds it: its values would be lost or
misread in silence. A new column is only told of. The change is accepted by editing how the
source is mapped, or by ``onefold source accept NAME``.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import mapping, value_kinds
from connectors.config import SourceConfig
from connectors.lake_files import publish, temporary
from connectors.reading import Reading
from onefold.errors import SourceHeld, SourceLayout
from onefold.keys import Keys

_SAMPLE = 5_000
_ALIKE = 0.5
"""Share of a new column's values that stood in the one that is gone, if it was renamed."""
_STAYS = "Its last good records stay in use."
_ACCEPTED = "accepted"


def mapped_as(config: SourceConfig) -> str:
    """Of all settings that say which column means what: another one accepts every change."""
    parts = config.model_dump_json(
        include={"columns", "key", "cursor", "headings", "formats", "day_first", "table", "query"}
    )
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def accept(place: Path, sync_id: str) -> None:
    """Accept whatever the next snapshot changes.

    Args:
        place: the folder of the source's snapshots.
        sync_id: its last one; for a change after the next one it does not hold.
    """
    path = place / f"{sync_id}.{_ACCEPTED}"
    with temporary(place, f"{sync_id}-{_ACCEPTED}") as file:
        publish(file, path)


def is_accepted(place: Path, sync_id: str) -> bool:
    """Whether somebody accepted what changes after a snapshot."""
    return (place / f"{sync_id}.{_ACCEPTED}").is_file()


def used(config: SourceConfig, columns: Sequence[str], key: Sequence[str]) -> dict[str, str]:
    """Columns that something is read from → the setting that says so; not those marked ``?``."""
    try:
        fields = mapping.resolve(config, columns)
    except SourceLayout:
        return {}
    found: dict[str, str] = {}
    for field, names in fields.items():
        optional = {name[:-1] for name in config.columns.get(field, ()) if name.endswith("?")}
        may_go = {mapping.find_column(columns, name) for name in optional}
        found |= {name: f"columns.{field}" for name in names if name not in may_go}
    found |= dict.fromkeys(key, "key")
    cursor = mapping.find_column(columns, config.cursor) if config.cursor else None
    return found | ({cursor: "cursor"} if cursor else {})


def check_columns(
    config: SourceConfig,
    reading: Reading,
    columns: Sequence[str],
    key: Sequence[str],
    types: Mapping[str, str],
    stored: Path,
) -> None:
    """Compare the columns of a reading with those of the last snapshot.

    Args:
        columns, key, types: the last snapshot's.
        stored: its file.

    Raises:
        SourceHeld: one that is used is gone, or of another type.
    """
    wanted = used(config, columns, key)
    gone = [name for name in wanted if mapping.find_column(reading.columns, name) is None]
    new = [name for name in reading.columns if mapping.find_column(columns, name) is None]
    if gone:
        raise _gone(config, reading, {name: wanted[name] for name in gone}, new, columns, stored)
    for name, setting in wanted.items():
        now = reading.types.get(mapping.find_column(reading.columns, name) or "", "")
        before = types.get(name, "")
        if now and before and now != before:
            raise _changed(config, name, setting, before, now)
    for name in new:
        reading.report.note(f'new column "{name}"')
    for name in columns:
        if name not in wanted and mapping.find_column(reading.columns, name) is None:
            reading.report.note(f'column "{name}", which is not mapped, is gone')


def check_kinds(
    config: SourceConfig,
    columns: Sequence[str],
    key: Sequence[str],
    before: Mapping[str, str],
    now: Mapping[str, str],
) -> None:
    """Compare the kinds of values with those of the last snapshot.

    Raises:
        SourceHeld: a column that is used holds values of another kind.
    """
    for name, setting in used(config, columns, key).items():
        if name in before and name in now and before[name] != now[name]:
            raise _changed(config, name, setting, before[name], now[name])


def _changed(config: SourceConfig, name: str, setting: str, before: str, now: str) -> SourceHeld:
    edit = "formats" if "dates" in before + now else setting
    return SourceHeld(
        config.name,
        f'column "{name}" ({setting}) is of another type than at the last sync',
        found=f"{now}, {before} before",
        do=f"Mend the source, or {edit} in {config.file}; if all is as it should be, "
        f"'onefold source accept {config.name}'. {_STAYS}",
    )


def _gone(
    config: SourceConfig,
    reading: Reading,
    gone: Mapping[str, str],
    new: Sequence[str],
    columns: Sequence[str],
    stored: Path,
) -> SourceHeld:
    guesses = _renamed(reading, list(gone), new, columns, stored, config.keys)
    said = [
        f'"{name}" ({setting})' + (f', renamed "{guesses[name]}"?' if name in guesses else "")
        for name, setting in gone.items()
    ]
    settings = ", ".join(dict.fromkeys(gone.values()))
    return SourceHeld(
        config.name,
        f"{'columns are' if len(said) > 1 else 'a column is'} gone: {'; '.join(said)}",
        found=mapping.shown(reading.columns),
        do=f"Mend the source, or {settings} in {config.file}; where the headings alone map it, "
        f"'onefold source accept {config.name}' does without it. {_STAYS}",
    )


def _renamed(
    reading: Reading,
    gone: Sequence[str],
    new: Sequence[str],
    columns: Sequence[str],
    stored: Path,
    keys: Keys | None,
) -> dict[str, str]:
    """Which new column each one that is gone may be now, by its values, else by its place."""
    if not new or not stored.is_file():
        return {}
    sample = list(reading.batches(_SAMPLE))
    if not sample:
        return {}
    now = {
        name: pa.concat_arrays([part.column(2 + reading.columns.index(name)) for part in sample])
        for name in new
    }
    guesses: dict[str, str] = {}
    for name in gone:
        before = _stored(stored, name, keys)
        shares = {other: _share(values, before) for other, values in now.items()}
        best = max(shares, key=lambda other: (shares[other], other))
        if shares[best] >= _ALIKE:
            guesses[name] = best
            continue
        place = list(columns).index(name)
        there = reading.columns[place] if place < len(reading.columns) else ""
        if there in now and value_kinds.of(now[there]) == value_kinds.of(before):
            guesses[name] = there
    return guesses


def _stored(path: Path, name: str, keys: Keys | None) -> pa.Array:
    """A column of a snapshot, in clear."""
    found = pq.read_table(path, columns=[name])[name]
    return (keys.decrypt_column(found) if keys else found).combine_chunks()


def _share(values: pa.Array, among: pa.Array) -> float:
    filled = pc.drop_null(values)
    if not len(filled):
        return 0.0
    return (pc.sum(pc.is_in(filled, value_set=pc.drop_null(among).unique())).as_py() or 0) / len(
        filled
    )
