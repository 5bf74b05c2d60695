"""The OpenAPI document as rows for the page that lets people browse it. Pure: a dict in, rows out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PLAIN = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Field:
    """A parameter or a field of a schema; ``link``: the schema its type names."""

    name: str
    where: str
    type: str
    link: str | None
    required: bool
    meaning: str


@dataclass(frozen=True)
class Operation:
    """One operation: what it asks (``body``: media type, type, link) and what it answers."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: tuple[tuple[str, str, str | None], ...]
    answers: tuple[tuple[str, str, str | None, str | None], ...]


@dataclass(frozen=True)
class Tag:
    """A subject and its operations."""

    name: str
    operations: list[Operation] = field(default_factory=list)


@dataclass(frozen=True)
class Schema:
    """A structure that operations take or answer."""

    name: str
    description: str
    fields: tuple[Field, ...]


def operations(document: Mapping[str, Any]) -> list[Tag]:
    """Every operation, by the first tag of each, in the document's order."""
    tags: dict[str, Tag] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method.upper() in _PLAIN:
                name = (operation.get("tags") or ["other"])[0]
                tags.setdefault(name, Tag(name)).operations.append(_operation(path, method, operation))
    return list(tags.values())


def schemas(document: Mapping[str, Any]) -> list[Schema]:
    """Every structure, by name."""
    return [
        Schema(
            name=name,
            description=schema.get("description", ""),
            fields=tuple(
                _field(field_name, "", of, field_name in schema.get("required", ()))
                for field_name, of in schema.get("properties", {}).items()
            ),
        )
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    ]


def type_of(schema: Mapping[str, Any]) -> tuple[str, str | None]:
    """The type of a schema as a word or two, and the structure it names."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[1]
        return name, name
    if "contentSchema" in schema:  # a file of this structure
        return type_of(schema["contentSchema"])
    for one_of in ("anyOf", "oneOf", "allOf"):
        if one_of in schema:
            kinds = [type_of(one) for one in schema[one_of]]
            return " | ".join(kind for kind, _ in kinds), next((link for _, link in kinds if link), None)
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"]), None
    if "const" in schema:
        return str(schema["const"]), None
    kind = str(schema.get("type", "any"))
    if kind == "array":
        inner, link = type_of(schema.get("items") or {})
        return f"[{inner}]", link
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        inner, link = type_of(schema["additionalProperties"])
        return f"{{name: {inner}}}", link
    return (f"{kind} ({schema['format']})" if "format" in schema else kind), None


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    body = operation.get("requestBody", {}).get("content", {})
    return Operation(
        id=str(operation.get("operationId", f"{method}-{path}")),
        method=method.upper(),
        path=path,
        summary=operation.get("description", "").partition("\n")[0],
        description=operation.get("description", ""),
        parameters=(
            *(
                _field(one["name"], one["in"], one.get("schema", {}), one.get("required", False), one)
                for one in operation.get("parameters", ())
            ),
            *_form(body),
        ),
        body=tuple((kind, *type_of(of.get("schema", {}))) for kind, of in body.items()),
        answers=tuple(_answer(status, answer) for status, answer in operation["responses"].items()),
    )


def _form(body: Mapping[str, Any]) -> list[Field]:
    """The fields of a form; of what has a structure of its own there are none."""
    return [
        _field(name, "form", of, name in form.get("required", ()))
        for form in (of.get("schema", {}) for of in body.values())
        for name, of in form.get("properties", {}).items()
    ]


def _answer(status: str, answer: Mapping[str, Any]) -> tuple[str, str, str | None, str | None]:
    content = answer.get("content", {})
    schema = next((of.get("schema", {}) for of in content.values()), None)
    kind, link = type_of(schema) if schema else (None, None)
    return status, answer.get("description", ""), kind, link


def _field(
    name: str, where: str, schema: Mapping[str, Any], required: bool, more: Mapping[str, Any] | None = None
) -> Field:
    kind, link = type_of(schema)
    meaning = (more or {}).get("description") or schema.get("description") or ""
    return Field(name, where, kind, link, required, meaning)
