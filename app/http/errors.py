"""The only place where an exception becomes an answer."""

import json
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web

from app.db import DatabaseUnavailable, StatementTimeout
from app.http.requests import request_id
from app.oci.errors import OciError, Unsupported
from app.storage import StorageError, StorageFull

log = structlog.get_logger()

_FRAMEWORK_CODES: Final = {404: "NOT_FOUND", 405: "UNSUPPORTED", 413: "SIZE_INVALID", 400: "BAD_REQUEST"}
_RETRY: Final = {"Retry-After": "2"}


@web.middleware
async def answered(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error as the spec's JSON, with the request's identifier."""
    try:
        return await handler(request)
    except OciError as error:
        response = _json(error.status, error.body(), dict(error.headers))
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 - a redirect is no error
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        response = _plain(error.status, _FRAMEWORK_CODES.get(error.status, "UNKNOWN"), error.reason, headers)
    except StorageFull:
        log.warning("storage_filled_up", request_id=request_id(request))
        response = _plain(
            507, "INSUFFICIENT_STORAGE", "the storage of this registry is full; nothing was stored", {}
        )
    except (DatabaseUnavailable, StatementTimeout, StorageError) as error:
        log.warning(
            "backend_failed", error=str(error), kind=type(error).__name__, request_id=request_id(request)
        )
        response = _plain(
            503, "UNAVAILABLE", "a backend of this registry cannot be reached; try again", _RETRY
        )
    except ConnectionError:
        # Nobody listens any more.
        raise
    except Exception:
        log.exception(
            "request_failed", method=request.method, path=request.path, request_id=request_id(request)
        )
        response = _plain(500, "UNKNOWN", "internal error; the log has it under the request's identifier", {})
    return _finished(request, response)


def _finished(request: web.Request, response: web.Response) -> web.Response:
    response.headers["X-Request-Id"] = request_id(request)
    if not request.content.is_eof():
        # What is left of the body would be read as the next request.
        response.force_close()
    return response


def _plain(status: int, code: str, message: str, headers: dict[str, str]) -> web.Response:
    return _json(status, {"errors": [{"code": code, "message": message}]}, headers)


def _json(status: int, body: dict[str, object], headers: dict[str, str]) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(body).encode(), content_type="application/json", headers=headers
    )


async def method_not_allowed(request: web.Request) -> web.StreamResponse:
    """Answer what no route of a known path takes."""
    raise Unsupported(f"{request.method} is not supported here")
