"""OpenAPI as people read it: operations by part, what each takes and answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Taken:
    """A parameter, or a field of a body.

    Attributes:
        name, kind, says: what it is called, its type in words, and what it means.
        place: path, query or body.
        required: whether it must be there.
    """

    name: str
    place: str
    kind: str
    says: str
    required: bool


@dataclass(frozen=True)
class Operation:
    """What a program can ask.

    Attributes:
        method, path: of the request.
        role: the least role; None: nobody needs to be logged in.
        says: what it does.
        takes: parameters and fields.
        answers: status and its meaning.
    """

    method: str
    path: str
    role: str | None
    says: str
    takes: list[Taken]
    answers: list[tuple[str, str]]


def parts(said: Mapping[str, Any]) -> list[tuple[str, list[Operation]]]:
    """The operations of a description, by tag."""
    found: dict[str, list[Operation]] = {}
    schemas = said["components"]["schemas"]
    for path, each in said["paths"].items():
        for method in _METHODS:
            if method in each:
                tag = (each[method].get("tags") or ["API"])[0]
                operation = _operation(method, path, each[method], schemas)
                found.setdefault(tag, []).append(operation)
    return list(found.items())


def _operation(
    method: str, path: str, one: Mapping[str, Any], schemas: Mapping[str, Any]
) -> Operation:
    role = one.get("x-role")
    return Operation(
        method.upper(),
        path,
        role if role != "anyone" else None,
        one.get("description", ""),
        [*_parameters(one), *_fields(one, schemas)],
        sorted((status, answer["description"]) for status, answer in one["responses"].items()),
    )


def _parameters(one: Mapping[str, Any]) -> Iterator[Taken]:
    for each in one.get("parameters", ()):
        schema = each.get("schema", {})
        says = each.get("description") or schema.get("description", "")
        yield Taken(each["name"], each["in"], _kind(schema), says, each.get("required", False))


def _fields(one: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Taken]:
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = schemas.get(name, {})
    required = schema.get("required", ())
    for field, each in schema.get("properties", {}).items():
        yield Taken(field, "body", _kind(each), each.get("description", ""), field in required)


def _kind(schema: Mapping[str, Any]) -> str:
    """A type in words.

    >>> _kind({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]})
    'list of string, null'
    >>> _kind({"enum": ["merge", "split"]}), _kind({"$ref": "#/components/schemas/Which"})
    ('merge | split', 'Which')
    """
    if "anyOf" in schema:
        return ", ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("const") or schema.get("type", "any"))
