"""The OpenAPI document (3.1): every path, parameter and schema from the signatures of the endpoints."""

import inspect
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from types import UnionType
from typing import Any, Final, get_args, get_origin

import msgspec
from aiohttp import web
from msgspec import Struct

from app.access import Permission
from app.access.routing import Route
from app.http.endpoint import Created, Listed, Operation

_REFERENCE: Final = "#/components/schemas/{name}"
_PLACE: Final = re.compile(r"{(\w+)(?::[^{}]*)?}")
_ALWAYS: Final = (400, 429, 503)
_WITH_BODY: Final = (413, 415, 422)
_HEADERS: Final = {
    "X-Request-Id": {"description": "What the logs call the request.", "schema": {"type": "string"}},
    "X-Total-Count": {"description": "Entries on all pages.", "schema": {"type": "integer"}},
    "Link": {"description": "The pages before and after (RFC 8288).", "schema": {"type": "string"}},
    "Location": {"description": "Where it is.", "schema": {"type": "string"}},
}
_IS_NAME: Final = {
    "name": "X-Is-Resource-Name",
    "in": "header",
    "description": "Take an id in the path for a name.",
    "schema": {"type": "boolean"},
}


class Error(Struct, frozen=True):
    """One error."""

    code: str
    message: str


class Errors(Struct, frozen=True):
    """What every refusal says."""

    errors: list[Error]


def describe(routes: Iterable[Route], *, version: str) -> dict[str, Any]:
    """Return the document of the management API, and of what the registry's own has beyond the spec."""
    described = [(route, operation) for route in routes if (operation := route.operation or route.shown)]
    schemas = _Schemas([kind for _, operation in described for kind in _kinds(operation)])
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in described:
        path = paths.setdefault(_PLACE.sub(r"{\1}", route.path), {})
        path[route.method.lower()] = _described(route, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Roadstead management API",
            "version": version,
            "description": "Harbor's paths, names and statuses, so that Harbor's tools work unchanged.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"basic": []}],
        "tags": [{"name": tag} for tag in sorted({route.tag for route, _ in described})],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        },
    }


class _Schemas:
    """Schemas of types, the named ones by reference."""

    def __init__(self, kinds: list[Any]) -> None:
        found, self.components = msgspec.json.schema_components([Errors, *kinds], ref_template=_REFERENCE)
        self._by_kind = dict(zip(map(repr, [Errors, *kinds]), found, strict=True))

    def of(self, kind: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever an endpoint says
        if isinstance(kind, UnionType):
            return {"oneOf": [self.of(one) for one in get_args(kind)]}
        return self._by_kind[repr(kind)]

    def fields(self, kind: type[Struct]) -> Iterator[tuple[str, dict[str, Any], bool]]:
        """Yield name, schema and necessity of each field."""
        schema = self.components[self.of(kind)["$ref"].rpartition("/")[2]]
        for name, field in schema["properties"].items():
            yield name, field, name in schema.get("required", [])


def _kinds(operation: Operation) -> Iterator[Any]:
    yield from operation.path.values()
    yield from (kind for kind in (operation.query, operation.body) if kind is not None)
    kind = _content(operation.answer)
    if kind is not None:
        yield from get_args(kind) if isinstance(kind, UnionType) else [kind]


def _content(answer: Any) -> Any:  # noqa: ANN401 - whatever an endpoint says
    """Return what is in the body of an answer; None for nothing, or for what is no JSON."""
    match get_origin(answer) or answer:
        case kind if kind is Listed:
            return list[get_args(answer)[0]]  # type: ignore[misc]  # a type made at run time
        case kind if kind is Created:
            (kind,) = get_args(answer)
            return _content(kind)
        case kind if kind is type(None) or (isinstance(kind, type) and issubclass(kind, web.StreamResponse)):
            return None
        case _:
            return answer


def _described(route: Route, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    summary, _, further = inspect.cleandoc(operation.function.__doc__ or "").partition("\n\n")
    described: dict[str, Any] = {
        "operationId": operation.function.__name__,
        "tags": [route.tag],
        "summary": summary.rstrip("."),
        "parameters": _parameters(route, operation, schemas),
        "responses": _responses(route, operation, schemas),
    }
    if further:
        described["description"] = further
    if operation.body is not None:
        content = {"application/json": {"schema": schemas.of(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    if route.permission in {Permission.ANYONE, Permission.EVERYBODY}:
        described["security"] = [{}, {"basic": []}]
    described["x-permission"] = route.permission.value
    return described


def _parameters(route: Route, operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    names = _PLACE.findall(route.path)
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schemas.of(operation.path[name]) if name in operation.path else {"type": "string"},
        }
        for name in names
    ]
    if "project_name_or_id" in names:
        parameters.append(_IS_NAME)
    for name, schema, is_required in schemas.fields(operation.query) if operation.query else ():
        shown = {key: value for key, value in schema.items() if key != "description"}
        parameter = {"name": name, "in": "query", "required": is_required, "schema": shown}
        parameters.append(
            parameter | ({"description": schema["description"]} if "description" in schema else {})
        )
    return parameters


def _responses(route: Route, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    kind = _content(operation.answer)
    origin = get_origin(operation.answer) or operation.answer
    good: dict[str, Any] = {"description": "Done.", "headers": {"X-Request-Id": _HEADERS["X-Request-Id"]}}
    if kind is not None:
        good["content"] = {"application/json": {"schema": schemas.of(kind)}}
    if origin is Listed:
        good["headers"] |= {name: _HEADERS[name] for name in ("X-Total-Count", "Link")}
    if origin is Created:
        good["headers"] |= {"Location": _HEADERS["Location"]}
    errors = {"application/json": {"schema": schemas.of(Errors)}}
    refusals = {
        str(status): {"description": HTTPStatus(status).phrase, "content": errors}
        for status in sorted({*route.errors, *_usual(route, operation)})
    }
    empty = {str(status): {"description": HTTPStatus(status).phrase} for status in operation.empty}
    return {"201" if origin is Created else "200": good, **empty, **refusals}


def _usual(route: Route, operation: Operation) -> Iterator[int]:
    """Yield the statuses of refusals that the framework itself can answer."""
    yield from _ALWAYS
    if route.permission is not Permission.ANYONE:
        yield 401
    if route.permission not in {Permission.ANYONE, Permission.EVERYBODY}:
        yield 403
    if "{project_name" in route.path:
        yield 404
    if operation.body is not None:
        yield from _WITH_BODY
    if route.operation is not None and (operation.query is not None or operation.path):
        yield 422
