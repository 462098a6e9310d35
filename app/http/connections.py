"""Connections whose every answer is JSON, also to what is no request and never reaches a handler."""

from http import HTTPStatus
from typing import Final
from uuid import uuid4

import structlog
from aiohttp import web

from app.http.errors import FAILED, error_answer
from app.http.requests import mark

_UNREADABLE: Final = (
    "this is no HTTP request that can be read: it is malformed, or its first line or a header is too long"
)

log = structlog.get_logger()


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        *_: object,
        **__: object,
    ) -> web.StreamResponse:
        """Answer what could not be read, or what failed outside of every handler, and hang up."""
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is sent already")
        identifier = uuid4().hex
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            kind = type(exc).__name__
            log.info("request_unreadable", kind=kind, address=request.remote, request_id=identifier)
            response = error_answer(status, "UNSUPPORTED", _UNREADABLE)
        else:
            log.error("request_failed", exc_info=exc, request_id=identifier)
            response = error_answer(status, "UNKNOWN", FAILED)
        mark(response, identifier)
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application on such connections."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **self._kwargs)
