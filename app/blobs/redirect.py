"""Sending clients to the storage itself, so that the bytes of large blobs do not pass through us."""

from ipaddress import ip_address

from aiohttp import web

from app.http import client_address, is_known
from app.oci.digest import Digest
from app.resources import resources
from app.settings import DownloadSettings
from app.storage import Wanted


async def redirect_of(request: web.Request, digest: Digest, size: int) -> str | None:
    """Return the URL where this client gets a blob that it may have, or None where we send it.

    The URL is signed for a while, and whoever has it needs no credentials.
    """
    r = resources(request)
    wanted = r.settings.downloads
    if not 0 < wanted.redirect_bytes <= size or not _is_for_bytes(request, digest):
        return None
    if _is_proxied(request, wanted):
        return None
    signed = await r.signed.get(Wanted(digest, wanted.redirect_lifetime))
    return None if signed is None else signed.url


def _is_for_bytes(request: web.Request, digest: Digest) -> bool:
    """Whether the answer would have a body, which neither HEAD gets nor who has the content."""
    return request.method == "GET" and not is_known(request, digest)


def _is_proxied(request: web.Request, wanted: DownloadSettings) -> bool:
    agent = request.headers.get("User-Agent", "")
    if any(part in agent for part in wanted.agents):
        return True
    if not wanted.networks:
        return False
    try:
        address = ip_address(client_address(request))
    except ValueError:
        return False
    return any(address in network for network in wanted.networks)
