"""The errors of the management API: Harbor's codes (its `src/lib/errors/const.go`), in one table.

A use case raises one with a sentence for the person who asked; `app.http.errors` turns it into
`{"errors": [{"code": ..., "message": ...}]}`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar


class ApiError(Exception):
    """An error that Harbor's API has a code for; the sentence says what to do about it."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, sentence: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.headers = dict(headers or {})


def code_of(status: int) -> str:
    """Return the code of a status that no error here was raised for: 404, 405, 413 of the framework ..."""
    known = {kind.status: kind.code for kind in ApiError.__subclasses__()}
    return known.get(status) or HTTPStatus(status).name


class BadRequest(ApiError):
    """The request contradicts itself or what is there."""

    code, status = "BAD_REQUEST", 400


class Unauthenticated(ApiError):
    """Nobody is known to be behind the request."""

    code, status = "UNAUTHORIZED", 401


class Denied(ApiError):
    """Nobody may do this now, or not to this extent, whatever the caller's role."""

    code, status = "DENIED", 403


class Forbidden(ApiError):
    """The caller is known and may not do this; the same whether or not it is there."""

    code, status = "FORBIDDEN", 403


class NotFound(ApiError):
    """What the request is about is not there."""

    code, status = "NOT_FOUND", 404


class Conflict(ApiError):
    """The name is taken, or it is like this already."""

    code, status = "CONFLICT", 409


class PreconditionFailed(ApiError):
    """It is in use, or protected by a rule."""

    code, status = "PRECONDITION", 412


class UnsupportedMediaType(ApiError):
    """The body is of another type than JSON."""

    code, status = "UNSUPPORTED_MEDIA_TYPE", 415


class Unprocessable(ApiError):
    """A field or parameter is not what the API's description says."""

    code, status = "UNPROCESSABLE_ENTITY", 422


class SlowDown(ApiError):
    """The caller has to wait."""

    code, status = "TOO_MANY_REQUEST", 429
