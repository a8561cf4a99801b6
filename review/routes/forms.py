"""Forms whose fields depend on what they are about."""

from collections.abc import Mapping

from starlette.requests import Request

from review.errors import TOO_LONG, Refused

LONGEST = 4000
"""Characters of one field at most, as in the API."""


async def form_fields(request: Request) -> dict[str, str]:
    """Every field of a form that is text; a dependency of routes.

    Raises:
        Refused: one of them is too long.
    """
    form = await request.form()
    found = {name: value for name, value in form.items() if isinstance(value, str)}
    if any(len(text) > LONGEST for pair in found.items() for text in pair):
        raise Refused(422, TOO_LONG, most=LONGEST)
    return found


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
