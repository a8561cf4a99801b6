"""The API keeps what its OpenAPI says, whatever is sent: generated requests as two roles.

Half of the requests name things that are there, so that they reach the stores; each role
works on its own copy of the home. Derandomized: every run sends the same requests, as many
more as ONEFOLD_API_EXAMPLES says.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup

from review.routes.api.description import description, ours
from warehouse import batches, cases, decisions, findings, judgements, repairs
from warehouse.cases import Filter
from warehouse.engine import Warehouse

pytestmark = pytest.mark.demo_home
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]
EXAMPLES = {
    "admin": int(os.environ.get("ONEFOLD_API_EXAMPLES", "2")),
    "viewer": int(os.environ.get("ONEFOLD_API_EXAMPLES", "1")),
}
"""Requests of each kind (fitting or not, about something there or not) per operation;
ONEFOLD_API_EXAMPLES=50 for a long look."""


def test_the_description_is_valid_and_its_names_are_stable(app: FastAPI) -> None:
    said = description(app.routes, app.state.cookies)
    schemathesis.openapi.from_dict(said).validate()
    names = [one["operationId"] for each in said["paths"].values() for one in each.values()]
    assert len(names) == len(set(names)) == sum(len(route.methods) for route in ours(app.routes))
    assert {"list_cases", "judge_case", "get_customer", "apply_batch", "list_events"} <= set(names)
    for path, each in said["paths"].items():
        for method, one in each.items():
            assert one["summary"] and one["description"], (method, path)
            assert {"401", "403", "422"} <= one["responses"].keys(), (method, path)


def test_every_model_says_what_it_is(app: FastAPI) -> None:
    schemas = description(app.routes, app.state.cookies)["components"]["schemas"]
    assert len(schemas) > 40
    assert not [name for name, one in schemas.items() if not one.get("description")]


def there(wh: Warehouse) -> dict[str, str]:
    """Path parameters of things that are there."""
    first = cases.queue(wh, Filter(kind="merge"), limit=3).rows
    judged = judgements.judge(wh, first[1].case_id, "no_link", "li.na", 0)
    pinned = decisions.add(
        wh,
        "override",
        reason="told by phone",
        decided_by="li.na",
        golden_id=first[2].golden_ids[0],
        field="city",
        value="上海市",
    )
    started = batches.start(wh, Filter(), "no_link", 1, "li.na")
    found = findings.page(wh, limit=2).rows
    repaired = repairs.add(wh, found[0].quarantine_id, "accept", "li.na")
    return {
        "case_id": first[0].case_id,
        "golden_id": first[0].golden_ids[0],
        "judgement_id": judged.judgement_id,
        "batch_id": started.batch_id,
        "decision_id": pinned,
        "field": "city",
        "login": "zhao",
        "quarantine_id": found[1].quarantine_id,
        "repair_id": repaired,
    }


@pytest.mark.parametrize("role", EXAMPLES)
@pytest.mark.timeout(900)
def test_no_request_breaks_it_or_gets_an_answer_that_is_not_described(
    app: FastAPI,
    wh: Warehouse,
    client: Callable[..., TestClient],
    account: Callable[..., str],
    role: str,
) -> None:
    account("viewer", "zhao")
    known = there(wh)
    said = description(app.routes, app.state.cookies)
    for each in said["paths"].values():
        for described in each.values():
            del described["security"]  # who may call what is walked in test_routes.py
    schema = schemathesis.openapi.from_dict(said)
    one = client(role)
    broken: list[str] = []
    answered: dict[str, set[int]] = {}
    for operation in operations(schema):
        sender = client(role) if operation.label == "DELETE /api/v1/session" else one
        answered[operation.label] = set()
        for strategy in requests(operation, known):
            try:
                send(strategy, sender, EXAMPLES[role], answered[operation.label])
            except FailureGroup as found:
                broken += [f"{operation.label}: {each}" for each in found.exceptions]
    assert not broken, "\n".join(broken)
    assert len(answered) > 35
    reached = [label for label, found in answered.items() if found & {200, 201, 204}]
    assert len(reached) > (26 if role == "admin" else 14), sorted(answered.keys() - set(reached))


def operations(schema: Any) -> Iterator[Any]:
    """Every operation; what it says must be usable."""
    for found in schema.get_all_operations():
        yield found.ok()


def requests(operation: Any, known: dict[str, str]) -> Iterator[st.SearchStrategy[Any]]:
    """Requests that fit the description, and such that do not, where there are any."""
    named = {one.name for one in operation.path_parameters}
    yield operation.as_strategy()
    if named:
        yield operation.as_strategy(path_parameters={name: known[name] for name in named})
    if operation.body or operation.query:
        yield operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def send(strategy: Any, client: TestClient, examples: int, answered: set[int]) -> None:
    """Send some requests, and check the answers."""

    @given(case=strategy)
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def sent(case: Any) -> None:
        kept = case.as_transport_kwargs(base_url=str(client.base_url))
        kept.pop("cookies", None)
        if "data" in kept and isinstance(kept["data"], bytes):
            kept["content"] = kept.pop("data")
        token = {"X-CSRF-Token": client.headers["X-CSRF-Token"]}
        kept["headers"] = {**dict(kept.get("headers") or {}), **token}
        answer = client.request(**kept)
        answered.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    sent()
