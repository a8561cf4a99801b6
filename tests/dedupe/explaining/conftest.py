"""A small invented world, matched with the shipped weights: what explanations are asked about."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from dedupe import blocking, clusters, features, matching
from dedupe.explain import Evidence
from dedupe.model import MatchingSettings
from dedupe.prior import shipped_model
from rules.customer import STAGED_SCHEMA

SWITCHBOARD = "+865715550017"


def person(key: str, name: str, reading: str, **values: object) -> dict:
    """A staged person; ``reading`` is family name and given name."""
    phones = values.pop("phones", [])
    return {
        "record_id": f"crm:{key}",
        "source": "crm",
        "source_key": key,
        "customer_type": "person",
        "name": name,
        "name_key": name,
        "name_readings": [reading],
        "family_name": name[:1],
        "given_name": name[1:],
        "phones": phones,
        "phone_kinds": ["fixed" if p == SWITCHBOARD else "mobile" for p in phones],
        "phone_keys": phones,
        "country": "CN",
        **values,
    }


def firm(key: str, brand: str, reading: str, industry: str, **values: object) -> dict:
    """A staged organization of Hangzhou."""
    name = f"杭州{brand}{industry}有限公司"
    return person(key, name, reading) | {
        "customer_type": "organization",
        "name_readings": [reading],
        "family_name": None,
        "given_name": None,
        "org_region": "杭州",
        "org_brand": brand,
        "org_industry": industry,
        "org_legal_form": "有限公司",
        **values,
    }


def rows() -> list[dict]:
    """Pairs of every outcome; 甲 and 乙 share a switchboard with twelve others."""
    born = date(1980, 5, 4)
    found = [
        person("same-1", "钱清涵", "qian qinghan", phones=["+8613900000001"], birth_date=born),
        person("same-2", "钱清涵", "qian qinghan", phones=["+8613900000001"], birth_date=born),
        person("same-3", "钱清涵", "qian qinghan", phones=["+8613900000001"]),
        person("born-1", "孙建国", "sun jianguo", birth_date=date(1951, 2, 3), city="杭州市"),
        person("born-2", "孙建国", "sun jianguo", birth_date=date(1990, 8, 9), city="杭州市"),
        person("low-1", "周海燕", "zhou haiyan", phones=["+8613900000011"], emails=["a@a.example"]),
        person("low-2", "周海燕", "zhou haiyan", phones=["+8613900000022"], emails=["b@b.example"]),
        person("alone", "吴雨桐", "wu yutong", phones=["+8613900000099"]),
        firm("firm", "星辰", "xingchen", "商贸", phones=["+8613900000099"], phone_keys=[]),
        firm("sister", "星辰", "xingchen", "物流"),
    ]
    names = "甲乙丙丁戊己庚辛壬癸子丑寅卯"
    for number, letter in enumerate(names):
        reading = f"{'abcdefghijklmn'[number] * 2}o {'opqrstuvwxyzab'[number] * 2}i"
        found.append(
            person(f"desk-{number:02}", f"{letter}{letter}", reading, phones=[SWITCHBOARD])
        )
    found.append(person("desk-00-again", "甲甲", "aao ooi", phones=[SWITCHBOARD]))
    return found


DECISIONS = pa.schema(
    [(n, pa.string()) for n in ("decision_id", "kind", "left_id", "right_id")]
    + [("decided_at", pa.timestamp("us", tz="UTC"))]
)

Make = Callable[..., Evidence]


@pytest.fixture(scope="session")
def matched() -> Make:
    """Match records: ``matched(rows, *decisions)``, a decision being (kind, left, right)."""

    def make(
        records: list[dict],
        *decided: tuple[str, str, str],
        settings: MatchingSettings | None = None,
        golden: dict[str, str] | None = None,
    ) -> Evidence:
        settings = settings or MatchingSettings()
        staged = pa.Table.from_pylist(records, schema=STAGED_SCHEMA)
        table = features.build(staged)
        decisions = pa.Table.from_pylist(
            [
                {"decision_id": f"D{number}", "kind": kind, "left_id": left, "right_id": right}
                | {"decided_at": datetime(2026, 1, 1, tzinfo=UTC)}
                for number, (kind, left, right) in enumerate(decided, 1)
            ],
            schema=DECISIONS,
        )
        models = {kind: shipped_model(kind) for kind in ("person", "organization")}
        pairs = blocking.candidates(table, settings).pairs
        scored = matching.score_pairs(pairs, table, models, decisions, settings)
        ids = table["record_id"].to_pylist()
        found = clusters.cluster(ids, scored, decisions, settings)
        golden = golden or {}
        return Evidence(
            features=table,
            scored=ds.dataset(scored),
            clusters=found.clusters,
            suggestions=found.suggestions,
            models=models,
            settings=settings,
            staged=lambda wanted: staged.filter(pc.is_in(staged["record_id"], pa.array(wanted))),
            decisions=decisions,
            crosswalk=pa.table(
                {"record_id": pa.array(list(golden), pa.string())}
                | {"golden_id": pa.array(list(golden.values()), pa.string())}
            ),
            redirects={"G0000000008": "G0000000001", "G0000000009": None},
        )

    return make


@pytest.fixture(scope="session")
def world(matched: Make) -> Evidence:
    """The records of :func:`rows` without any decision."""
    return matched(rows(), golden={f"crm:same-{n}": "G0000000001" for n in (1, 2, 3)})


@pytest.fixture(scope="session")
def records() -> list[dict]:
    """The records of the world."""
    return rows()
