"""Forms whose fields depend on what they are about."""

from collections.abc import Mapping

from starlette.requests import Request


async def form_fields(request: Request) -> dict[str, str]:
    """Every field of a form that is text; a dependency of routes."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def grouped(form: Mapping[str, str]) -> list[list[str]]:
    """Record ids by group, of fields ``group:RECORD_ID`` with the number of the group.

    >>> grouped({"group:a:1": "2", "group:b:1": "1", "group:c:1": "2", "version": "3"})
    [['b:1'], ['a:1', 'c:1']]
    """
    found: dict[str, list[str]] = {}
    for name, value in sorted(form.items()):
        if name.startswith("group:"):
            found.setdefault(value, []).append(name.removeprefix("group:"))
    return [found[number] for number in sorted(found)]
