"""Raw to staged and quarantine, slice by slice: memory is bounded by a slice, not by the source.

What belongs here: the way of the slices through standardize and suites, of all
records of a source or of those that changed. Some expectations of a source's
YAML look at all records together, so that all are standardized before the
first is judged: then the standardized records wait in a file without a name,
and of records that are not cleaned now the columns are read that stand.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.config import SourceConfig
from connectors.mapping import resolve
from rules import habits, suites
from rules.cells import staged_fields
from rules.customer import STAGED_SCHEMA
from rules.expectations import Result
from rules.habits import Habits
from rules.repairs import Repairs
from rules.slices import SLICE, Slices, Spill, column_names
from rules.standardize import Standardized, in_slices
from rules.suites import Part, Validated


def clean(
    slices: Slices,
    config: SourceConfig,
    country: str,
    repairs: pa.Table | None = None,
    folder: Path | None = None,
) -> Validated:
    """Standardize and check a source, all of it in memory: the same for slices of any size.

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
    known = Repairs(repairs)
    found = habits.of(slices, config, country, known)
    cleaning = Cleaning(config, country, found, known, folder)
    parts = list(cleaning.all_parts(slices))
    fed = fed_by(config, column_names(slices))
    done = suites.validated(parts, config, fed, cleaning.own)
    return replace(done, overtaken=known.overtaken)


def fed_by(config: SourceConfig, columns: Sequence[str]) -> set[str]:
    """The staged fields that a source feeds.

    Args:
        config: the source.
        columns: of its raw table.
    """
    mapped = resolve(config, [name for name in columns if name[:1] != "_"])
    return {fed for name in [*mapped, *config.defaults] for fed in staged_fields(name)}


JUDGED = 4 * SLICE
"""Records that are judged at a time, about: each judgement takes .3 s, however few they are."""


@dataclass(frozen=True)
class Some:
    """Some records of a source, to be cleaned alone: the others were, and did not change.

    Records are counted from 0 in the order of the source.

    Attributes:
        numbers: of the records, ascending. Records that are not staged with all their
            values (kept out, or with a value that a suite took out) must be among them
            where the source's YAML has expectations.
        rows: how many records the source has.
        slices: the raw records of some numbers.
        standing: staged columns of all records that are not among some numbers, in order.
    """

    numbers: np.ndarray
    rows: int
    slices: Callable[[np.ndarray], Slices]
    standing: Callable[[Sequence[str], np.ndarray], pa.Table]


@dataclass
class Cleaning:
    """The way of one source's records, or of some of them, from raw to staged.

    Args:
        config: the source.
        country: ISO 3166 code of the home, for a source that declares none.
        habits: how the source writes: ``rules.habits.of`` all of its records.
        repairs: those in force for the source.
        folder: where files are made that hold what waits; None: where temporary files are.

    Attributes:
        own: what the expectations of the YAML gave; known before the first part is.
    """

    config: SourceConfig
    country: str
    habits: Habits
    repairs: Repairs
    folder: Path | None = None
    own: dict[str, Result] = field(default_factory=dict)

    def all_parts(self, slices: Slices) -> Iterator[Part]:
        """Clean all records of a source.

        Raises:
            SourceLayout: a mapped column is not there.
            ConfigError: an expectation in the source's YAML is wrong or cannot be computed.
        """
        if not self.config.expectations:
            yield from self._judged(in_slices(slices, *self._how), None)
            return
        with Spill(STAGED_SCHEMA, self.folder) as waiting:
            rest = self._wait(slices, waiting)
            self.own = suites.own_results(self.config, waiting.column)
            yield from self._judged(self._again(slices, waiting, rest), None)

    def some_parts(self, some: Some) -> Iterator[Part]:
        """Clean some records of a source, and those to which its expectations now say otherwise.

        Raises:
            as for all_parts.
        """
        numbers, slices = some.numbers, some.slices(some.numbers)
        if not self.config.expectations:
            yield from self._judged(in_slices(slices, *self._how), numbers)
            return
        with Spill(STAGED_SCHEMA, self.folder) as waiting:
            rest = self._wait(slices, waiting)
            self.own = suites.own_results(self.config, partial(_column, waiting, some))
            failing = {row for result in self.own.values() for row in result.failing}
            more = np.setdiff1d(np.array(sorted(failing), dtype=np.int64), numbers)
            yield from self._judged(self._again(slices, waiting, rest), numbers)
        if len(more):
            yield from self._judged(in_slices(some.slices(more), *self._how), more)

    @property
    def _how(self) -> tuple[SourceConfig, str, Repairs, Habits]:
        return self.config, self.country, self.repairs, self.habits

    def _wait(self, slices: Slices, waiting: Spill) -> list[Standardized]:
        """Standardize all slices; what is left of them without their records."""
        rest = []
        for part in in_slices(slices, *self._how):
            waiting.add(part.staged)
            nothing = STAGED_SCHEMA.empty_table()
            rest.append(replace(part, staged=nothing, raw=nothing))
        return rest

    def _again(
        self, slices: Slices, waiting: Spill, rest: list[Standardized]
    ) -> Iterator[Standardized]:
        """The standardized slices once more, with their raw records."""
        for raw, staged, part in zip(slices(None), waiting.tables(), rest, strict=True):
            yield replace(part, staged=staged, raw=self.repairs.apply(raw, self.config))

    def _judged(self, parts: Iterator[Standardized], numbers: np.ndarray | None) -> Iterator[Part]:
        start = 0
        for part in _merged(parts):
            end = start + part.staged.num_rows
            own = np.arange(start, end) if numbers is None else numbers[start:end]
            yield suites.split(part, self.config, self.own, own)
            start = end


def _merged(parts: Iterable[Standardized]) -> Iterator[Standardized]:
    """The slices put together to larger ones, as many as are judged at a time."""
    waiting: list[Standardized] = []
    held = 0
    for part in parts:
        waiting.append(part)
        held += part.staged.num_rows
        if held >= JUDGED:
            yield _together(waiting)
            waiting, held = [], 0
    if waiting:
        yield _together(waiting)


def _together(parts: Sequence[Standardized]) -> Standardized:
    """Several slices as one."""
    start, problems = 0, []
    for part in parts:
        place = part.problems.schema.get_field_index("row")
        rows = pc.add(part.problems["row"], pa.scalar(start, pa.int32()))
        problems.append(part.problems.set_column(place, part.problems.schema.field(place), rows))
        start += part.staged.num_rows
    return replace(
        parts[0],
        staged=pa.concat_tables([part.staged for part in parts]),
        problems=pa.concat_tables(problems),
        raw=pa.concat_tables([part.raw for part in parts]),
    )


def _column(waiting: Spill, some: Some, name: str) -> pa.ChunkedArray:
    """A staged column of all records of the source, in its order."""
    rest = np.setdiff1d(np.arange(some.rows), some.numbers, assume_unique=True)
    place = np.argsort(np.concatenate([some.numbers, rest]), kind="stable")
    standing = some.standing([name], some.numbers)[name]
    both = pa.chunked_array([*waiting.column(name).chunks, *standing.chunks], standing.type)
    return both.take(pa.array(place))
