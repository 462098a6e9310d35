"""Keyset pagination as the spec has it: `n` entries after `last`, and a Link to the next page (RFC 8288)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from msgspec import Struct

from app.oci.errors import PaginationNumberInvalid

MAX_PAGE: Final = 10_000
"""Entries on a page at most; a client that asks for more gets a Link."""


class Page(Struct, frozen=True):
    """What part of a list is asked for."""

    limit: int
    last: str


def page_of(request: web.Request, *, default: int = MAX_PAGE) -> Page:
    """Read `n` and `last`; raise PaginationNumberInvalid unless `n` is a number of entries."""
    text = request.query.get("n")
    limit = default
    if text is not None:
        if not (text.isascii() and text.isdigit()):
            raise PaginationNumberInvalid(text[:40])
        limit = min(int(text.lstrip("0")[:18] or "0"), MAX_PAGE)
    return Page(limit=limit, last=request.query.get("last", "").replace("\0", ""))


def next_link(
    request: web.Request, page: Page, last: str, *, keep: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the header that leads to the page after `last`."""
    query = urlencode({**(keep or {}), "last": last, "n": page.limit})
    return {"Link": f'<{request.rel_url.raw_path}?{query}>; rel="next"'}


def cut(request: web.Request, page: Page, found: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the page, of which one entry more was looked for, and the header that leads to the next."""
    shown = found[: page.limit]
    return shown, next_link(request, page, shown[-1]) if shown and len(found) > len(shown) else {}
