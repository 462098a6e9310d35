"""Facts about a request that several slices need."""

import re
from typing import Final
from uuid import uuid4

from aiohttp import web

_ID: Final = web.RequestKey("request_id", str)
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
API_VERSION: Final = {"Docker-Distribution-Api-Version": "registry/2.0"}
"""What old clients want to see on the version check and on its 401."""

EXTERNAL_URL: Final = web.AppKey("external_url", str)


def request_id(request: web.Request) -> str:
    """Return the request's identifier: the client's `X-Request-Id` where it is sane, else a new one."""
    known = request.get(_ID)
    if known is None:
        given = request.headers.get("X-Request-Id", "")
        known = request[_ID] = given if _SANE_ID.fullmatch(given) else uuid4().hex
    return known


def is_api(request: web.Request) -> bool:
    """Whether the request is to the management API, and wants its kind of answers."""
    return request.path.startswith("/api/")


def base_url(request: web.Request) -> str:
    """Return how clients reach this service, without a slash at the end."""
    return request.app[EXTERNAL_URL] or f"{request.scheme}://{request.host}"


def is_known(request: web.Request, digest: str) -> bool:
    """Whether the client says that it has this content (RFC 9110, section 13.1.2, If-None-Match)."""
    given = request.headers.get("If-None-Match")
    return given is not None and (given.strip() == "*" or f'"{digest}"' in given)
