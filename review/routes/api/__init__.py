"""The API: one module per part, thin routes that call what the pages call."""

from review.routes.api import (
    audit,
    cases,
    customers,
    description,
    judgements,
    overview,
    people,
    session,
)

ROUTERS = (
    description.router,
    session.router,
    overview.router,
    cases.router,
    judgements.router,
    customers.router,
    people.router,
    audit.router,
)
