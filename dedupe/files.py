"""Files → clusters, without a home: read, recognize, standardize, match.

What belongs here: the way of one or several files through the packages, and
what it counts and times. How it looks on a terminal stands in onefold/cli, how
columns are recognized in connectors/recognition.py.

Nothing is kept: tables go from stage to stage in memory, the cleaned records by a file without
a name.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors import columnar, recognition
from connectors.columnar import ROW, SHEET, FileTable
from connectors.config import SourceConfig
from connectors.reading import RESERVED
from connectors.recognition import Recognition
from dedupe import blocking, clusters, matching, membership
from dedupe import features as featuring
from dedupe.comparing.columns import as_array
from dedupe.memory import give_back
from dedupe.model import MatchingSettings, Models
from onefold.errors import ConfigError
from rules import standardize
from rules.customer import STAGED_SCHEMA
from rules.slices import Slices, Spill, of_table

STAGES = ("read", "recognize", "clean", "pair", "compare", "learn", "score", "group")
"""What is done, in this order."""
Progress = Callable[[str, str], None]
"""Called when a stage begins: its name, and what it works on in words, without values."""

_TELLING = frozenset(
    {"name", "organization_name", "family_name", "given_name", "phone", "mobile", "email"}
    | {"national_id", "tax_id", "identifier", "address"}
)
"""Input fields of which a table needs one."""


@dataclass(frozen=True)
class Outcome:
    """What came of some files.

    Attributes:
        records: one row per record, in the order of files and rows: file, sheet (only if a
            file is a workbook), row (as the file shows it), record (number in its file, from
            1), key (only if there is a key column), cluster_id (1, 2, ... in this order),
            confidence (0..1).
        recognition: what the columns were taken for.
        files: the files as read.
        record_ids: what the scored pairs call them, in the order of ``records``.
        scored: the scored pairs, of these ids: left_id, right_id, found_by,
            veto, weight_bits, probability.
        suggestions: of dedupe.clusters: doubtful pairs.
        models: what was learned.
        stats: counts, seconds per stage, weights and thresholds; no values.
    """

    records: pa.Table
    recognition: Recognition
    files: tuple[FileTable, ...]
    record_ids: pa.Array
    scored: pa.Table
    suggestions: pa.Table
    models: Models
    stats: Mapping[str, Any] = field(default_factory=dict)


def dedupe(
    paths: Sequence[Path],
    settings: MatchingSettings,
    *,
    fields: Mapping[str, str] | None = None,
    ignore: Sequence[str] = (),
    country: str | None = None,
    progress: Progress = lambda stage, what: None,
) -> Outcome:
    """Find the records of the same customer in some files.

    Args:
        paths: CSV, TSV, workbooks or Parquet; each is one source.
        settings: with ``link_only`` only records of different files are compared.
        fields: column → input field, ``text`` or ``key``, in place of the guess.
        ignore: columns to leave out.
        country: ISO 3166 code for records that do not say theirs; guessed if None.

    Raises:
        SourceError: a file cannot be read, or has no rows.
        ConfigError: no column can be used, or an option does not fit the files.
    """
    if settings.link_only and len(paths) < 2:
        raise ConfigError("--link-only", "there is one file only", do="Give two or more files.")
    if country is not None and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise ConfigError(
            "--country", "a country has two letters", found=country, do="Say CN, US, GB, ..."
        )
    clock = _Clock(progress)
    with clock.stage("read", ", ".join(path.name for path in paths)):
        files = tuple(columnar.read(path, f"f{i}") for i, path in enumerate(paths, 1))
    count = sum(file.table.num_rows for file in files)
    with clock.stage("recognize", f"{count:,} records"):
        found = recognition.recognize(
            [file.table for file in files], fields=fields, ignore=ignore, country=country
        )
        _require_usable(found, files)
    texts = (*settings.text_fields, *found.text_fields)
    settings = settings.model_copy(update={"text_fields": tuple(dict.fromkeys(texts))})
    with ExitStack() as kept:
        with Spill(STAGED_SCHEMA) as staged:
            with clock.stage("clean", f"{count:,} records"):
                shelved = [_Shelved(file, kept) for file in files]
                del files  # from here on slices of them are read, or some columns
                for part in _staged(shelved, found):
                    staged.add(part)
                del part
            with clock.stage("pair", f"{count:,} records"):
                record_ids = as_array(staged.column("record_id"))
                features = featuring.build(staged, settings.text_fields)
                staged.close()
                give_back()
                candidates = blocking.candidates(features, settings)
        pairs = candidates.pairs.num_rows
        with clock.stage("compare", f"{pairs:,} pairs"):
            counted = matching.Counted(features)
            levels = matching.compare(candidates.pairs, features, counted.counts)
        with clock.stage("learn", f"{pairs:,} pairs"):
            models = matching.learn(levels, features, settings, counted=counted)
        with clock.stage("score", f"{pairs:,} pairs"):
            scored = matching.weigh_pairs(levels, features, models, None, settings, counted)
            ids = as_array(features.column("record_id"))
            del features, levels, counted  # grouping needs the scored pairs alone
        with clock.stage("group", f"{count:,} records"):
            grouped = clusters.cluster(ids, scored, None, settings)
            cluster_ids = as_array(grouped.clusters["cluster_id"]).dictionary_encode()
            found_clusters = grouped.clusters.set_column(1, "cluster_id", cluster_ids)
            sure = membership.confidence(found_clusters, scored)
            grouped_clusters = found_clusters.append_column("confidence", sure)
            files = tuple(one.file() for one in shelved)
            records = _records(files, record_ids, grouped_clusters, found)
    stats = _stats(files, found, candidates, scored, records, models, settings, clock.seconds)
    stats["suggestions"] = grouped.suggestions.num_rows
    return Outcome(records, found, files, record_ids, scored, grouped.suggestions, models, stats)


class _Clock:
    """Seconds per stage, and word of each that begins."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def stage(self, name: str, what: str) -> Iterator[None]:
        self._progress(name, what)
        began = time.perf_counter()
        yield
        give_back()  # what a stage let go; the next is another kind
        self.seconds[name] = round(time.perf_counter() - began, 3)


def _require_usable(found: Recognition, files: Sequence[FileTable]) -> None:
    for file in files:
        mapped = found.mapped(file.table.column_names)
        if not _TELLING.intersection(mapped):
            raise ConfigError(
                file.path.name,
                "no column tells who a customer is",
                found=", ".join(f'"{c.name}" ({c.reason})' for c in found.columns) or "no columns",
                do="Say what they are: --map 'COLUMN=name', phone, email, address, ...",
            )


class _Shelved:
    """A file whose table waits in a spill, slice by slice."""

    def __init__(self, file: FileTable, kept: ExitStack) -> None:
        self._file = replace(file, table=file.table.schema.empty_table())
        self.path, self.columns = file.path, file.table.column_names
        self._rows = kept.enter_context(Spill(file.table.schema))
        for part in of_table(file.table)(None):
            self._rows.add(part)

    @property
    def slices(self) -> Slices:
        """The slices of the table."""
        return self._rows.tables

    def file(self) -> FileTable:
        """The file with its table, but for what only cleaning reads."""
        names = [name for name in self.columns if name not in RESERVED]
        return replace(self._file, table=pa.concat_tables(self._rows.tables(names)))


def _staged(files: Sequence[_Shelved], found: Recognition) -> Iterator[pa.Table]:
    """The files' records, cleaned slice by slice: one row per record, in their order."""
    for number, file in enumerate(files, 1):
        config = SourceConfig(
            name=f"f{number}",
            connector="delimited",
            path=(str(file.path),),
            columns=found.mapped(file.columns),
            defaults={"name": ""},
            customer_type=found.customer_type(file.columns),  # type: ignore[arg-type]
        )
        for part in standardize.in_slices(file.slices, config, found.country):
            yield part.staged


def _records(
    files: Sequence[FileTable], record_ids: pa.Array, grouped: pa.Table, found: Recognition
) -> pa.Table:
    """The result: one row per record, in the order of files and rows."""
    place = pc.index_in(record_ids, value_set=as_array(grouped["record_id"]))
    encoded = as_array(grouped["cluster_id"]).dictionary_encode()
    cluster = encoded.indices.take(place).dictionary_encode()
    tables = [file.table for file in files]
    columns: dict[str, Any] = {
        "file": pa.concat_arrays(
            [pa.repeat(n, t.num_rows) for n, t in zip(_labels(files), tables, strict=True)]
        ),
    }
    if any(table[SHEET].null_count < table.num_rows for table in tables):
        columns["sheet"] = pa.chunked_array([c for t in tables for c in t[SHEET].chunks])
    columns["row"] = pa.chunked_array([c for t in tables for c in t[ROW].chunks])
    columns["record"] = pa.array(
        np.concatenate([np.arange(1, t.num_rows + 1, dtype=np.int64) for t in tables])
    )
    keys = [found.key(table.column_names) for table in tables]
    if any(keys):
        columns["key"] = pa.chunked_array(
            [
                chunk
                for table, key in zip(tables, keys, strict=True)
                for chunk in (table[key].chunks if key else [pa.nulls(table.num_rows, pa.string())])
            ],
            pa.string(),
        )
    columns["cluster_id"] = pc.add(cluster.indices.cast(pa.int64()), 1)
    columns["confidence"] = pc.round(grouped["confidence"].take(place), 4)
    return pa.table(columns)


def _labels(files: Sequence[FileTable]) -> list[str]:
    """The files' names; their whole paths if two have one name."""
    names = [file.path.name for file in files]
    return names if len(set(names)) == len(names) else [str(file.path) for file in files]


def _stats(
    files: Sequence[FileTable],
    found: Recognition,
    candidates: blocking.Candidates,
    scored: pa.Table,
    records: pa.Table,
    models: Models,
    settings: MatchingSettings,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Counts, times, weights and thresholds as plain values; none of a customer's."""
    sizes = pc.value_counts(records["cluster_id"]).field("counts")
    return {
        "files": [
            {
                "file": label,
                "records": file.table.num_rows,
                "left_out": [one.model_dump() for one in file.report.skipped],
                "notes": file.report.lines,
            }
            for label, file in zip(_labels(files), files, strict=True)
        ],
        "columns": [
            {
                "column": column.name,
                "as": column.field or column.role,
                "confidence": column.confidence,
                "reason": column.reason,
            }
            for column in found.columns
        ],
        "country": found.country,
        "records": records.num_rows,
        "clusters": len(sizes),
        "records_with_a_duplicate": pc.sum(pc.if_else(pc.greater(sizes, 1), sizes, 0)).as_py(),
        "largest_cluster": pc.max(sizes).as_py(),
        "pairs_compared": candidates.pairs.num_rows,
        "pairs_added_inside_clusters": scored.num_rows - candidates.pairs.num_rows,
        "keys": candidates.report.to_pylist(),
        "thresholds": {"match": settings.match, "review": settings.review},
        "link_only": settings.link_only,
        "models": {
            kind: {
                "basis": model.basis,
                "prior": model.prior,
                "trained_on": dict(model.trained_on),
                "weights_bits": {
                    name: dict(zip(one.levels, (round(b, 2) for b in one.bits), strict=True))
                    for name, one in model.fields.items()
                },
            }
            for kind, model in models.items()
        },
        "seconds": dict(seconds),
        "seconds_total": round(sum(seconds.values()), 3),
    }
