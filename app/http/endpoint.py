"""Endpoints of the management API: plain functions whose signature says what goes in and what comes out.

    async def update_member(request: web.Request, mid: Id, body: RoleRequest) -> None:

`body` is the JSON body, `query` the query string, every other parameter a part of the path; the annotations
are checked before the function runs, and `app.openapi` describes the endpoint from the same signature.
"""

import inspect
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar, get_type_hints
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from app.harbor.errors import BadRequest, Unprocessable, UnsupportedMediaType
from app.harbor.query import MAX_PAGE_SIZE, WHOLE, Condition, ListQuery, parse_conditions, parse_sort
from app.http.bodies import read_limited

Item = TypeVar("Item")
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Id: TypeAlias = Annotated[int, Meta(ge=1, le=2**63 - 1)]

_MAX_BODY_BYTES: Final = 1 << 20
_SILENCE: Final = timedelta(seconds=30)
_MAX_PAGE: Final = 1 << 31
_JSON: Final = "application/json"
_NOT_KEPT: Final = {"Cache-Control": "no-store"}
"""What is answered depends on who asks and when, and some of it is secret: links, passwords of robots."""
_NUL: Final = re.compile(rb"\\u0000|\0")
"""PostgreSQL takes no NUL, and no name has one."""


class PageParams(Struct, frozen=True):
    """Which page of a list."""

    page: Annotated[int, Meta(ge=0, le=_MAX_PAGE)] = 1
    page_size: Annotated[int, Meta(ge=0, le=MAX_PAGE_SIZE, description=f"0: all, up to {WHOLE}.")] = 10

    def page_query(self, *conditions: Condition) -> ListQuery:
        """Return it with the conditions of the endpoint, of which the client chooses none."""
        return ListQuery(conditions, page=self.number, page_size=self.size)

    @property
    def number(self) -> int:
        """The page to show: clients in Go send 0 for what nobody asked for."""
        return self.page or 1

    @property
    def size(self) -> int:
        """How many entries a page has."""
        return self.page_size or WHOLE


class ListParams(PageParams, frozen=True):
    """What every list takes that clients may filter and sort by all that it shows."""

    q: Annotated[
        str, Meta(max_length=512, description="Conditions: `k=v`, `k=~v`, `k=[a~b]`, `k={a b}`.")
    ] = ""
    sort: Annotated[str, Meta(max_length=255, description="`name` rising, `-name` falling.")] = ""

    def list_query(self, *further: Condition) -> ListQuery:
        """Return it parsed, with conditions that came in parameters of their own; raise BadRequest."""
        conditions = (*parse_conditions(self.q), *further)
        return ListQuery(conditions, parse_sort(self.sort), self.number, self.size)


class Listed(Struct, Generic[Item], frozen=True):
    """A page of a list, of which there are `total` entries: 200 with `X-Total-Count` and `Link`."""

    items: list[Item]
    total: int


class Created(Struct, Generic[Item], frozen=True):
    """Something new: 201 with its `Location`, and a body where the client has to see one."""

    location: str
    body: Item | None = None


class Operation(Struct, frozen=True):
    """An endpoint, as its signature has it; `empty` are further statuses, whose answers have no body."""

    function: Callable[..., Awaitable[Any]]
    path: dict[str, Any]
    query: type[Struct] | None
    body: Any = None
    answer: Any = None
    empty: tuple[int, ...] = ()


def operation_of(function: Callable[..., Awaitable[Any]]) -> Operation:
    """Read the signature of an endpoint."""
    hints = get_type_hints(function, include_extras=True)
    answer = hints.pop("return")
    path = {
        name: hints[name]
        for name in list(inspect.signature(function).parameters)[1:]
        if name not in {"body", "query"}
    }
    return Operation(function, path, hints.get("query"), hints.get("body"), answer)


def handler_of(operation: Operation) -> Handler:
    """Return what aiohttp calls: it reads and checks, runs the function, and renders what it returns.

    Raises:
        Unprocessable: a part of the path, a query parameter or a field is not as described; what the struct
            of the query names as its `refusal` instead.
        BadRequest, UnsupportedMediaType: the body is not JSON.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        given: dict[str, Any] = {
            name: _converted(request.match_info[name], kind, name) for name, kind in operation.path.items()
        }
        if operation.query is not None:
            given["query"] = _converted(dict(request.query), operation.query, "query")
        if operation.body is not None:
            given["body"] = await _body(request, operation.body)
        return _rendered(request, await operation.function(request, **given), given.get("query"))

    return handle


def _converted(value: object, kind: Any, where: str) -> Any:  # noqa: ANN401 - whatever the signature says
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise getattr(kind, "refusal", Unprocessable)(f"{where}: {error}") from None


async def _body(request: web.Request, kind: Any) -> Any:  # noqa: ANN401 - whatever the signature says
    if request.content_type != _JSON:
        raise UnsupportedMediaType(f"the body has to be {_JSON}")
    content = await read_limited(request, _MAX_BODY_BYTES, _SILENCE)
    if _NUL.search(content):
        raise Unprocessable("body: NUL characters are not taken")
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(content)), kind)
    except msgspec.ValidationError as error:
        raise Unprocessable(f"body: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"body: not JSON: {error}") from None


def _without_nulls(document: object) -> object:
    """Return it without fields that are null: clients of Harbor send so what they leave out."""
    match document:
        case dict():
            return {name: _without_nulls(value) for name, value in document.items() if value is not None}
        case list():
            return [_without_nulls(value) for value in document]
        case _:
            return document


def _rendered(request: web.Request, answer: object, query: object) -> web.StreamResponse:
    match answer:
        case web.StreamResponse():
            return answer
        case None:
            return web.Response()
        case Created(location, body):
            response = _json(body, 201) if body is not None else web.Response(status=201)
            response.headers["Location"] = location
            return response
        case Listed(items, total):
            response = _json(items, 200)
            response.headers["X-Total-Count"] = str(total)
            if isinstance(query, PageParams) and (link := _links(request, query, total)):
                response.headers["Link"] = link
            return response
        case _:
            return _json(answer, 200)


def _json(value: object, status: int) -> web.Response:
    body = msgspec.json.encode(value, enc_hook=str)
    return web.Response(status=status, body=body, content_type=_JSON, headers=_NOT_KEPT)


def _links(request: web.Request, query: PageParams, total: int) -> str:
    """Return the way to the pages before and after (RFC 8288), relative as Harbor has it."""
    pages = []
    if query.number > 1:
        pages.append((query.number - 1, "prev"))
    if query.number * query.size < total:
        pages.append((query.number + 1, "next"))
    kept = {name: value for name, value in request.query.items() if name not in {"page", "page_size"}}
    path = request.rel_url.raw_path
    queries = [(urlencode({**kept, "page": page, "page_size": query.page_size}), rel) for page, rel in pages]
    return " , ".join(f'<{path}?{text}>; rel="{rel}"' for text, rel in queries)
