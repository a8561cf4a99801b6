"""Raw to staged and quarantine, slice by slice: memory is bounded by a slice, not by the source.

What belongs here: the way of the slices through standardize and suites. The
slices are read twice: some expectations of a source's YAML look at all records
together, so that all are standardized before the first is judged. In between
the standardized records wait in a file without a name.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from connectors.config import SourceConfig
from rules.customer import STAGED_SCHEMA
from rules.quarantine import QUARANTINE_SCHEMA
from rules.repairs import Repairs
from rules.slices import Slices, Spill
from rules.standardize import Standardized, in_slices
from rules.suites import Seen, Suite, Validated


def clean(
    slices: Slices,
    config: SourceConfig,
    country: str,
    repairs: pa.Table | None = None,
    folder: Path | None = None,
) -> Validated:
    """Standardize and check a source: the same for slices of any size.

    Args:
        slices: of a raw table as in ``rules.standardize.standardize``.
        config: the source.
        country: ISO 3166 code of the home, for a source that declares none.
        repairs: ``rules.repairs.REPAIRS_SCHEMA``, those in force for the source.
        folder: where the file is made that holds what waits; None: where temporary files are.

    Raises:
        SourceLayout: a mapped column is not there.
        ConfigError: an expectation in the source's YAML is wrong or cannot be computed.
    """
    known, seen = Repairs(repairs), Seen()
    rest: list[Standardized] = []
    nothing = STAGED_SCHEMA.empty_table()
    with Spill(STAGED_SCHEMA, folder) as waiting:
        for part in in_slices(slices, config, country, known):
            seen.add(part)
            waiting.add(part.staged)
            rest.append(replace(part, staged=nothing, raw=nothing))
        suite = Suite(seen, config, waiting.column)
        parts = _again(slices, config, known, waiting, rest)
        done = [suite.split(part) for part in parts]
    return Validated(
        staged=pa.concat_tables([nothing, *(staged for staged, _, _ in done)]),
        quarantine=pa.concat_tables(
            [QUARANTINE_SCHEMA.empty_table(), *(found for _, found, _ in done)]
        ),
        checks=suite.checks(),
        rejected=suite.rejected,
        accepted=pa.concat_arrays([accepted for _, _, accepted in done]),
        overtaken=known.overtaken,
    )


def _again(
    slices: Slices, config: SourceConfig, repairs: Repairs, waiting: Spill, rest: list[Standardized]
) -> Iterator[Standardized]:
    """The standardized slices once more, with their raw records."""
    for raw, staged, part in zip(slices(None), waiting.tables(), rest, strict=True):
        yield replace(part, staged=staged, raw=repairs.apply(raw, config))
