"""Pulling and deleting blobs (spec.md, end-2 and end-10)."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import Route, call_of, repository_of
from app.blobs import store
from app.blobs.delete import delete_blob
from app.blobs.redirect import redirect_of
from app.blobs.send import send_blob
from app.oci.digest import Digest
from app.oci.errors import BlobUnknown
from app.resources import resources


async def get_blob(request: web.Request) -> web.StreamResponse:
    """Send a blob, or the range of it that is asked for; to HEAD only what it is."""
    digest = Digest.parse(request.match_info["digest"])
    size = await store.find_blob_size(resources(request).database, repository_of(request), digest)
    if size is None:
        raise BlobUnknown(digest)
    url = await redirect_of(request, digest, size)
    return await send_blob(request, digest, size) if url is None else _redirect(url, digest)


def _redirect(url: str, digest: Digest) -> web.Response:
    """Send the client elsewhere (spec.md, "Pulling blobs"); nobody in between may keep the answer."""
    headers = {"Location": url, "Docker-Content-Digest": digest, "Cache-Control": "no-store"}
    return web.Response(status=307, headers=headers)


async def delete(request: web.Request) -> web.Response:
    """Unlink a blob from the repository."""
    digest = Digest.parse(request.match_info["digest"])
    await delete_blob(resources(request), call_of(request), digest)
    return web.Response(status=202)


_PATH: Final = "/v2/{name:.+}/blobs/{digest:[^/]+}"

ROUTES: Final = (
    Route("GET", _PATH, get_blob, Permission.PULL),
    Route("DELETE", _PATH, delete, Permission.DELETE),
)
