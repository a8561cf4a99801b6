"""A viewer reads no personal value on any page and in no answer of the API.

Values that stand nowhere else are planted in every personal field of records, golden customers,
their history, a case, the quarantine and in what stewards wrote. Then every route that a viewer may
read is asked.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from review.presenters.masking import HIDDEN
from review.security import roles
from rules.customer import BY_NAME
from warehouse import batches, case_states, cases, judgements, overrides, repairs
from warehouse.cases import Filter
from warehouse.engine import Warehouse
from warehouse.tables import (
    golden_customer,
    golden_customer_history,
    quarantine,
    review_case,
    staged_customer,
)

Client = Callable[..., TestClient]
pytestmark = pytest.mark.demo_home

LETTERS, HAN = "qxzjvkw", "龘靐齉爩鱻麤龗灪吁厵滟麣"
BORN = {"latin": date(1931, 7, 23), "han": date(1934, 8, 27)}
KEYS = frozenset({"name_key", "address_key", "id_keys", "phone_keys", "name_readings"})
"""Personal, too, but for matching only: nobody sees them."""


def planted(script: str) -> dict[str, Any]:
    """Field → a value that stands nowhere else, of every field of which a viewer sees a part."""
    numbers = itertools.count(7_300_911 if script == "latin" else 8_411_922, 6_173)
    letters = itertools.permutations(LETTERS if script == "latin" else HAN[:7], 7)
    some = itertools.islice(letters, 0, None, 37)

    def word() -> str:
        return "".join(next(some))

    found: dict[str, Any] = {}
    for field in sorted(HIDDEN):
        kind = BY_NAME[field].kind
        if field == "birth_date":
            found[field] = BORN[script]
        elif field == "sex":
            found[field] = "F"
        elif field == "attributes":
            found[field] = {"note": word()}
        elif field == "emails":
            found[field] = [f"{''.join(LETTERS)}@{LETTERS[::-1]}{next(numbers)}.example"]
        elif field in ("phones", "phone_keys", "phone_extensions"):
            found[field] = [f"+4917{next(numbers)}5"]
        elif field in ("national_id", "house_number", "unit", "postal_code"):
            found[field] = f"{next(numbers)}{next(numbers)}"
        else:
            text = f"{word()} {word()}" if script == "latin" else word()
            found[field] = [text] if kind == "list" else text
    return found


def texts(value: Any) -> Iterator[str]:
    """The texts that a value is made of."""
    if isinstance(value, dict):
        value = list(value.values())
    for one in value if isinstance(value, list) else [value]:
        yield str(one)


def telling(values: Iterable[str]) -> set[str]:
    """Pieces of values that tell of them: five letters, seven digits, two characters, a day."""
    found: set[str] = set()
    for whole in values:
        value = whole.removesuffix(".example")
        for run, most in ((r"[a-z]+", 5), (r"[0-9]+", 7), (r"[\u4e00-\U0003ffff]+", 2)):
            for part in re.findall(run, value.lower()):
                found |= {part[at : at + most] for at in range(len(part) - most + 1)}
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            year, month, day = value.split("-")
            found |= {value, f"{month}-{day}", f"{int(month)}月{int(day)}日", f"{year}{month}{day}"}
    return found


@pytest.fixture
def world(wh: Warehouse) -> dict[str, Any]:
    """Plants; gives ids for every placeholder of a path, and the values by script."""
    case = cases.get(wh, cases.queue(wh, Filter(kind="merge"), limit=1).rows[0].case_id)
    values = {"latin": planted("latin"), "han": planted("han")}
    one, other = case.row.golden_ids[:2]
    holders = {one: values["latin"], other: values["han"]}
    with wh.write() as connection:
        for member in case.members:
            said = holders.get(member["golden_id"], values["latin"])
            where = staged_customer.c.record_id == member["record_id"]
            connection.execute(sa.update(staged_customer).where(where).values(said))
        for table in (golden_customer, golden_customer_history):
            for golden_id, said in holders.items():
                kept = {name: value for name, value in said.items() if name in table.c}
                where = table.c.golden_id == golden_id
                connection.execute(sa.update(table).where(where).values(kept))
        title = f"{values['latin']['name']} / {values['han']['name']}"
        connection.execute(
            sa.update(review_case)
            .where(review_case.c.case_id == case.row.case_id)
            .values(title=title)
        )
        # two versions of a customer, whose values differ, so that its history tells of them
        version = connection.execute(
            sa.select(golden_customer_history).where(golden_customer_history.c.golden_id == one)
        ).first()
        assert version is not None
        former = {name: value for name, value in values["han"].items() if name in version._mapping}
        begun = version.valid_from.replace(year=version.valid_from.year - 1)
        connection.execute(
            sa.insert(golden_customer_history).values(
                {
                    **version._mapping,
                    **former,
                    "valid_from": begun,
                    "valid_to": version.valid_from,
                    "is_current": False,
                }
            )
        )
        quarantine_id = connection.execute(
            sa.select(sa.func.min(quarantine.c.quarantine_id)).where(quarantine.c.field == "phones")
        ).scalar_one()
        raw = f"{values['latin']['phones'][0]}, {values['han']['name']}"
        connection.execute(
            sa.update(quarantine)
            .where(quarantine.c.quarantine_id == quarantine_id)
            .values(raw_value=raw)
        )
    phone, mail = values["latin"]["phones"][0], values["latin"]["emails"][0]
    free = f"she says {phone} or {mail}"
    pinned = overrides.override(wh, one, "name", values["latin"]["name"], "li", reason=free)
    overrides.override(wh, other, "emails", f'["{mail}"]', "li", reason=free)
    made = judgements.judge(wh, case.row.case_id, "no_link", "li", 0, reason=free)
    judgements.undo(wh, made.judgement_id, "li", free)
    case_states.comment(wh, case.row.case_id, free, "li")
    batch = batches.start(wh, Filter(kind="merge"), "link", 2, "li")
    repairs.add(wh, quarantine_id, "value", "li", value=phone, reason=free)
    return {
        "values": values,
        "ids": {
            "case_id": [case.row.case_id],
            "golden_id": [one, other],
            "judgement_id": [made.judgement_id, pinned.judgement_id],
            "batch_id": [batch.batch_id],
            "quarantine_id": [quarantine_id],
        },
    }


def paths(app: FastAPI, ids: dict[str, list[str]]) -> Iterator[str]:
    """Every address that a viewer may read, with the planted ids in it."""
    for route in app.routes:
        if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()):
            continue
        needed = roles.declared(route)
        if needed is None or needed.role not in (None, "viewer"):
            continue
        names = re.findall(r"{(\w+)}", route.path)
        if route.path in ("/api/v1/customers", "/quality/docs/{path:path}"):
            continue  # asks for words, see below; files, see tests/rules/test_data_docs.py
        for chosen in itertools.product(*(ids[name] for name in names)):
            yield route.path.format(**dict(zip(names, chosen, strict=True)))
    for golden_id in ids["golden_id"]:
        yield f"/customers?q={golden_id[:6]}"
        yield f"/api/v1/customers?q={golden_id}"
    yield "/cases?state=open&kind=merge"
    yield "/quarantine?field=phones"
    yield "/quarantine?state=waiting"


def everything(one: TestClient, app: FastAPI, ids: dict[str, list[str]]) -> dict[str, str]:
    """Address → what it tells, lower case, without signs that only mark differences."""
    found = {}
    for path in paths(app, ids):
        answer = one.get(path, follow_redirects=True)
        assert answer.status_code == 200 or path.startswith("/openid"), (path, answer.status_code)
        found[path] = answer.text
    return found


def test_no_planted_value_is_told_to_a_viewer_by_any_route(
    app: FastAPI, client: Client, world: dict[str, Any], reading: Any
) -> None:
    shown = {
        text
        for said in world["values"].values()
        for field, value in said.items()
        if field not in KEYS
        for text in texts(value)
    }
    hidden = telling(
        text
        for said in world["values"].values()
        for value in said.values()
        for text in texts(value)
    )
    assert len(hidden) > 200
    told = everything(client("steward"), app, world["ids"])
    all_of = "".join(reading.all_of(text) for text in told.values())
    missing = {text for text in shown if text not in all_of} - {"F"}
    assert not missing, "a steward sees each of them: the test looks where they are"
    for path, text in everything(client("viewer"), app, world["ids"]).items():
        seen = reading.all_of(text).lower()
        assert not {piece for piece in hidden if piece in seen}, path


def test_a_viewer_is_told_the_sex_of_nobody(client: Client, world: dict[str, Any]) -> None:
    path = f"/api/v1/customers/{world['ids']['golden_id'][0]}"
    assert client("steward").get(path).json()["values"]["sex"] == "F"
    told = client("viewer").get(path).json()
    assert told["values"]["sex"] == "*"
    assert all(record["values"].get("sex", "*") == "*" for record in told["records"])


def test_no_page_tells_a_viewer_the_sex_in_words(client: Client, world: dict[str, Any]) -> None:
    ids = world["ids"]
    for path in (f"/customers/{ids['golden_id'][0]}", f"/cases/{ids['case_id'][0]}"):
        assert re.search(r"\bfemale\b", client("steward").get(path).text), path
        assert not re.search(r"\bfemale\b", client("viewer").get(path).text), path


def test_a_pinned_value_that_is_not_published_yet_is_masked_too(
    wh: Warehouse, client: Client, world: dict[str, Any]
) -> None:
    golden_id = world["ids"]["golden_id"][1]
    with wh.write() as connection:
        where = golden_customer.c.golden_id == golden_id
        connection.execute(sa.update(golden_customer).where(where).values(address_line=None))
    overrides.override(wh, golden_id, "address_line", "Zyxwvut Lane 7", "li", reason="a letter")
    path = f"/customers/{golden_id}"
    assert "Zyxwvut Lane" in client("steward").get(path).text
    told = client("viewer").get(path).text
    assert "Z***" in told
    assert "Zyxwvut" not in told
