"""The API: one module per part, thin routes that call what the pages call."""

from review.routes.api import (
    audit,
    batches,
    cases,
    customers,
    description,
    judgements,
    overrides,
    overview,
    people,
    quality,
    quarantine,
    second,
    session,
)

ROUTERS = (
    description.router,
    session.router,
    overview.router,
    cases.router,
    judgements.router,
    customers.router,
    overrides.router,
    batches.router,
    second.router,
    quarantine.router,
    quality.router,
    people.router,
    audit.router,
)
