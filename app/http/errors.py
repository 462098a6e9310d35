"""The only place where an exception becomes an answer."""

import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web

from app.db import DatabaseUnavailable, Deadlock, StatementTimeout
from app.harbor.errors import ApiError, code_of
from app.http.requests import client_address, is_api, request_id
from app.oci.errors import OciError
from app.storage import CredentialsMissing, CredentialsRefused, StorageBusy, StorageError, StorageFull

log = structlog.get_logger()

FAILED: Final = "internal error; the log has it under the request's identifier"
_CLIENT_LEFT: Final = 499  # nobody reads it
_FRAMEWORK_CODES: Final = {
    400: "NAME_INVALID",
    404: "NAME_UNKNOWN",
    413: "SIZE_INVALID",
    429: "TOOMANYREQUESTS",
}
_UNSTORABLE: Final = re.compile("%00|%[eE][dD]%[aAbB]")
"""NUL and surrogates: no name has them, and PostgreSQL takes none."""
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{0,261}")
"""It is echoed in challenges."""
_RETRY: Final = {"Retry-After": "2"}
_REFUSED: Final = "the storage refuses this registry's credentials; its operator has to see to them"
_PATIENCE: Final = {"Retry-After": "10"}
"""By then it has been asked several times already."""


@web.middleware
async def answered(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error as JSON, in the words of the spec or of Harbor, with the request's identifier."""
    try:
        if _UNSTORABLE.search(request.rel_url.raw_path_qs) or not _HOST.fullmatch(request.host):
            raise web.HTTPBadRequest
        return await handler(request)
    except ConnectionError as error:
        log.debug("client_left", error=str(error), path=request.path)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=_CLIENT_LEFT)
    except Exception as error:  # noqa: BLE001 - this is where all of them end
        return _finished(request, _answer(request, error))


@web.middleware
async def logged(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Write a line for every request, once it is answered."""
    began = time.monotonic()
    response = await handler(request)
    log.info(
        "request_answered",
        method=request.method,
        path=request.path,
        status=response.status,
        seconds=round(time.monotonic() - began, 4),
        address=client_address(request),
        request_id=request_id(request),
    )
    return response


def _answer(request: web.Request, error: Exception) -> web.Response:
    match error:
        case ApiError() | OciError() | web.HTTPException():
            return _refusal_of_api(error) if is_api(request) else _refusal(error)
        case StorageFull():
            log.warning("storage_filled_up", request_id=request_id(request))
            return error_answer(
                507, "UNAVAILABLE", "the storage of this registry is full; nothing was stored"
            )
        case CredentialsMissing() | CredentialsRefused():
            log.warning("storage_refused", error=str(error), request_id=request_id(request))
            return error_answer(503, "UNAVAILABLE", _REFUSED, headers=_PATIENCE)
        case StorageBusy():
            log.warning("storage_busy", error=str(error), request_id=request_id(request))
            return error_answer(
                503, "UNAVAILABLE", "the storage is busy or cannot be reached; try again", headers=_PATIENCE
            )
        case DatabaseUnavailable() | Deadlock() | StatementTimeout() | StorageError():
            kind = type(error).__name__
            log.warning("backend_failed", error=str(error), kind=kind, request_id=request_id(request))
            return error_answer(503, "UNAVAILABLE", "a backend cannot be reached; try again", headers=_RETRY)
        case _:
            log.error("request_failed", exc_info=error, path=request.path, request_id=request_id(request))
            return error_answer(
                500, "UNKNOWN", "internal error; the log has it under the request's identifier"
            )


def _refusal(error: ApiError | OciError | web.HTTPException) -> web.Response:
    """Return an error as the spec has it."""
    match error:
        case ApiError():
            return error_answer(error.status, error.code, error.sentence, headers=error.headers)
        case OciError():
            return _json(error.status, error.body(), dict(error.headers))
        case _:
            code = _FRAMEWORK_CODES.get(error.status, "UNSUPPORTED")
            return error_answer(error.status, code, error.reason, headers=_allowed(error))


def _refusal_of_api(error: ApiError | OciError | web.HTTPException) -> web.Response:
    """Return an error as Harbor has it."""
    match error:
        case ApiError():
            return error_answer(error.status, error.code, error.sentence, headers=error.headers)
        case OciError():
            detail = f": {error.detail}" if isinstance(error.detail, str) else ""
            message, headers = f"{error.message}{detail}", dict(error.headers)
            return error_answer(error.status, code_of(error.status), message, headers=headers)
        case _:
            return error_answer(error.status, code_of(error.status), error.reason, headers=_allowed(error))


def _allowed(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}


def _finished(request: web.Request, response: web.Response) -> web.Response:
    if not request.content.is_eof():
        # What is left of the body would be read as the next request.
        response.force_close()
    return response


def error_answer(
    status: int, code: str, message: str, *, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an error in the envelope that the spec and Harbor share."""
    return _json(status, {"errors": [{"code": code, "message": message}]}, headers or {})


def _json(status: int, body: dict[str, object], headers: dict[str, str]) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(body).encode(), content_type="application/json", headers=headers
    )
