"""Golden customers of any number, with provenance and crosswalk, for the bench of publishing.

What belongs here: invented records with the fields that real ones have, put
together by dedupe/survivorship.py as a refresh does it, and kept as Parquet.
One customer in five has two records or three, one in three is an organization.
The same for the same number, whenever it is made.

python -m benchmarks.golden_rows FOLDER CUSTOMERS makes them in a process of its own: the memory
of one that made them would count as that of the ones it starts.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dedupe.identity import CROSSWALK_SCHEMA, EVENTS_SCHEMA, golden_id
from dedupe.survivorship import (
    GOLDEN_SCHEMA,
    PART,
    PROVENANCE_SCHEMA,
    Consolidated,
    Policy,
    in_parts,
)
from rules.customer import STAGED_SCHEMA

SEED = 20261122
SOURCES = ("crm", "erp", "web shop")
CHANGED = 100
"""One customer in so many has another name in :func:`changed`."""
_FAMILY = ("王", "李", "张", "刘", "陈", "欧阳", "Meyer", "O'Brien", "Garcia")
_GIVEN = ("伟", "芳", "小明", "秀英", "敏", "Anna", "Jean-Luc", "Maria", "磊")
_BRAND = ("海棠", "蓝天", "Acme", "Northwind", "长河", "Contoso", "青松")
_CITIES = ("北京市", "上海市", "广州市", "深圳市", "London", "Paris")
_STREETS = ("示例路", "翠湖路", "人民大道", "Example Street", "High Road")
_PARTS = ("golden", "provenance", "crosswalk")


def make(folder: Path, customers: int) -> None:
    """Write golden, provenance and crosswalk as Parquet, unless they are there."""
    if all((folder / f"{name}.parquet").exists() for name in _PARTS):
        return
    folder.mkdir(parents=True, exist_ok=True)
    staged, crosswalk = _records(customers)
    schemas = (GOLDEN_SCHEMA, PROVENANCE_SCHEMA, crosswalk.schema)
    with ExitStack() as open_files:
        files = [
            open_files.enter_context(
                pq.ParquetWriter(folder / f"{name}.half", schema, compression="zstd")
            )
            for name, schema in zip(_PARTS, schemas, strict=True)
        ]
        for made in in_parts(staged, crosswalk, Policy()):
            files[0].write_table(made.golden)
            files[1].write_table(made.provenance)
        files[2].write_table(crosswalk.sort_by("record_id"))
    for name in _PARTS:
        (folder / f"{name}.half").rename(folder / f"{name}.parquet")


def crosswalk(folder: Path) -> pa.Table:
    """record_id, golden_id of what was made."""
    return pq.read_table(folder / "crosswalk.parquet").cast(CROSSWALK_SCHEMA)


def parts(folder: Path) -> Iterator[Consolidated]:
    """The golden customers that were made, with provenance, PART at a time."""
    golden, trails = (pq.ParquetFile(folder / f"{name}.parquet") for name in _PARTS[:2])
    following = trails.iter_batches(PART)
    held: list[pa.RecordBatch] = []
    for batch in golden.iter_batches(PART):
        last = batch["golden_id"][-1].as_py()
        while not held or held[-1]["golden_id"][-1].as_py() <= last:
            more = next(following, None)
            if more is None:
                break
            held.append(more)
        rows = pa.Table.from_batches(held, trails.schema_arrow)
        own = pc.sum(pc.less_equal(rows["golden_id"], last)).as_py()
        yield Consolidated(pa.Table.from_batches([batch]), rows.slice(0, own))
        held = rows.slice(own).to_batches()


def created(crosswalk: pa.Table) -> pa.Table:
    """The events of a first publish: every customer is created."""
    sizes = crosswalk.group_by("golden_id").aggregate([("record_id", "count")])
    sizes = sizes.sort_by("golden_id")
    columns = {
        "event": pa.repeat("created", len(sizes)),
        "golden_id": sizes["golden_id"],
        "other_golden_id": pa.nulls(len(sizes), pa.string()),
        "record_count": sizes["record_id_count"].cast(EVENTS_SCHEMA.field("record_count").type),
        "reason": pa.repeat("new records", len(sizes)),
    }
    return pa.table({name: columns[name] for name in EVENTS_SCHEMA.names}).cast(EVENTS_SCHEMA)


def changed(made: Consolidated) -> Consolidated:
    """One customer in CHANGED, with another name: what a publish of few changes is given."""
    golden = made.golden.take(pa.array(np.arange(0, made.golden.num_rows, CHANGED)))
    names = pc.binary_join_element_wise(golden["name"], " II", "")
    golden = golden.set_column(golden.column_names.index("name"), "name", names)
    mine = pc.is_in(made.provenance["golden_id"], value_set=golden["golden_id"].combine_chunks())
    return Consolidated(golden, made.provenance.filter(mine))


def _records(customers: int) -> tuple[pa.Table, pa.Table]:
    """STAGED_SCHEMA and record_id, golden_id."""
    dice = np.random.default_rng(SEED)
    sizes = dice.choice([1, 2, 3], customers, p=[0.8, 0.16, 0.04])
    of = np.repeat(np.arange(customers), sizes)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    organization = (of % 3 == 0).tolist()
    source = pa.array(SOURCES).take(pa.array((of + nth) % len(SOURCES)))
    key = pc.utf8_lpad(pa.array(np.arange(len(of))).cast(pa.string()), 8, "0")
    record_id = pc.binary_join_element_wise(source, key, ":")
    crosswalk = pa.table(
        {
            "record_id": record_id,
            "golden_id": pa.array([golden_id(number + 1) for number in range(customers)]).take(
                pa.array(of)
            ),
        }
    )
    columns = _values(of, pa.array(organization), dice)
    columns |= {
        "record_id": record_id,
        "source": source,
        "source_key": key,
        "position": key,
        "row_hash": key,
    }
    arrays = [
        columns[field.name].cast(field.type)
        if field.name in columns
        else pa.nulls(len(of), field.type)
        for field in STAGED_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=STAGED_SCHEMA), crosswalk


def _values(
    of: np.ndarray, organization: pa.Array, dice: np.random.Generator
) -> dict[str, pa.Array]:
    """The fields of records: the same for one customer's, but e-mail and time of change."""

    def pick(words: tuple[str, ...], step: int) -> pa.Array:
        return pa.array(words).take(pa.array(of * step // 7 % len(words)))

    def digits(step: int, width: int, start: str) -> pa.Array:
        text = pa.array(of * step % 10**width).cast(pa.string())
        return pc.binary_join_element_wise(start, pc.utf8_lpad(text, width, "0"), "")

    def some(values: pa.Array, share: float) -> pa.Array:
        return pc.if_else(pa.array(dice.random(len(of)) < share), values, None)

    def listed(values: pa.Array) -> pa.Array:
        filled = np.asarray(values.is_valid())
        offsets = pa.array(np.concatenate([[0], np.cumsum(filled)]), pa.int32())
        return pa.ListArray.from_arrays(offsets, values.drop_null())

    number = pa.array(of).cast(pa.string())
    person = pc.invert(organization)
    family, given, brand = pick(_FAMILY, 3), pick(_GIVEN, 5), pick(_BRAND, 11)
    full = pc.binary_join_element_wise(family, given, number, "")
    company = pc.binary_join_element_wise(brand, number, "贸易有限公司", "")
    phones = some(digits(7_919, 9, "+8613"), 0.8)
    street, house = pick(_STREETS, 13), pc.binary_join_element_wise(digits(31, 3, ""), "号", "")
    born = pa.array(np.datetime64("1950-01-01") + of % 20_000)
    told = np.datetime64("2024-01-01T00:00:00") + dice.integers(0, 60_000_000, len(of))
    return {
        "customer_type": pc.if_else(organization, "organization", "person"),
        "name": pc.if_else(organization, company, full),
        "family_name": pc.if_else(person, family, None),
        "given_name": pc.if_else(person, pc.binary_join_element_wise(given, number, ""), None),
        "sex": some(pc.if_else(person, pick(("M", "F"), 17), None), 0.7),
        "org_brand": pc.if_else(organization, brand, None),
        "org_industry": pc.if_else(organization, "贸易", None),
        "org_legal_form": pc.if_else(organization, "有限公司", None),
        "tax_id": some(pc.if_else(organization, digits(104_729, 16, "91"), None), 0.7),
        "birth_date": some(pc.if_else(person, born, None), 0.6),
        "emails": listed(
            some(pc.binary_join_element_wise("user", number, "@example.com", ""), 0.6)
        ),
        "phones": listed(phones),
        "phone_kinds": listed(pc.if_else(phones.is_valid(), "mobile", None)),
        "phone_extensions": listed(pc.if_else(phones.is_valid(), "", None)),
        "address_line": pc.binary_join_element_wise(street, house, ""),
        "street": street,
        "house_number": house,
        "city": pick(_CITIES, 19),
        "region": pick(_CITIES, 19),
        "postal_code": digits(899, 6, ""),
        "country": pa.repeat("CN", len(of)),
        "status": pick(("active", "blocked"), 29),
        "consent_marketing": pa.array(of % 4 > 0),
        "do_not_contact": pa.array(of % 50 == 0),
        "created_at": pa.array(
            (np.datetime64("2015-01-01T00:00:00") + of * 60).astype("datetime64[us]")
        ).cast(pa.timestamp("us", "UTC")),
        "updated_at": pa.array(told.astype("datetime64[us]")).cast(pa.timestamp("us", "UTC")),
    }


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
