"""Forms that clients send."""

from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from app.http import read_limited
from app.resources import resources

_MAX_BYTES: Final = 64 << 10
_MAX_FIELDS: Final = 100


async def read_form(request: web.Request) -> dict[str, str]:
    """Return the fields of a form; raise ValueError for what is none."""
    body = await read_limited(request, _MAX_BYTES, resources(request).settings.uploads.idle_timeout)
    return dict(parse_qsl(body.decode(), max_num_fields=_MAX_FIELDS))
