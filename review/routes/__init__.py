"""The routes, one module per part of the app. A new module is added to ROUTERS."""

from review.routes import (
    api,
    audit,
    batches,
    cases,
    customers,
    home,
    judgements,
    login,
    me,
    openid,
    people,
    quality,
    quarantine,
    second,
    system,
)

ROUTERS = (
    system.router,
    login.router,
    openid.router,
    me.router,
    home.router,
    cases.router,
    customers.router,
    judgements.router,
    batches.router,
    quarantine.router,
    quality.router,
    second.router,
    people.router,
    audit.router,
    *api.ROUTERS,
)
"""In the order in which they are tried."""
