"""Manifests and referrers (spec.md, end-3, end-7, end-9, end-12)."""

import json
from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import Route, actor_of, call_of, repository_of
from app.http import client_address, is_known, next_link, page_of, read_limited
from app.manifests import pull, referrers
from app.manifests.delete import delete_manifest
from app.manifests.model import StoredManifest
from app.manifests.pulls import PULL_LOG, Pull
from app.manifests.push import ManifestPush, Pushed, push
from app.oci.digest import Digest
from app.oci.media_types import OCI_INDEX
from app.oci.names import Tag, parse_reference
from app.resources import resources
from app.tags.point import delete_tag

_REFERRERS_PAGE: Final = 1_000


async def get_manifest(request: web.Request) -> web.Response:
    """Send a manifest, byte for byte as it was pushed; to HEAD only what it is."""
    r, repository, reference = resources(request), repository_of(request), _reference(request)
    manifest = await pull.find(r, repository, reference)
    headers = _described(manifest)
    if is_known(request, manifest.digest):
        return web.Response(status=304, headers=headers)
    if request.method == "HEAD":
        return web.Response(headers=headers | {"Content-Length": str(manifest.size_bytes)})
    content = await pull.content_of(r, manifest)
    tag = "" if isinstance(reference, Digest) else reference
    username, address = actor_of(request).username, client_address(request)
    request.app[PULL_LOG].note(Pull(repository, manifest.digest, tag, username, address))
    return web.Response(body=content, headers=headers)


async def put_manifest(request: web.Request) -> web.Response:
    """Store a manifest under a tag, or under its digest and any number of `?tag=` (end-7b)."""
    r, call, reference = resources(request), call_of(request), _reference(request)
    limit, idle = r.settings.manifests.max_bytes, r.settings.uploads.idle_timeout
    is_by_digest = isinstance(reference, Digest)
    wanted = dict.fromkeys(request.query.getall("tag", [])) if is_by_digest else [reference]
    manifest_push = ManifestPush(
        call=call,
        content=await read_limited(request, limit, idle),
        content_type=request.headers.get("Content-Type", ""),
        digest=reference if isinstance(reference, Digest) else None,
        tags=tuple(Tag.parse(tag) for tag in wanted),
    )
    pushed = await push(r, manifest_push)
    accepted = manifest_push.tags if is_by_digest else ()
    return web.Response(status=201, headers=_pushed_headers(call.repository, pushed, accepted))


async def delete(request: web.Request) -> web.Response:
    """Delete a tag, or a manifest with all its tags."""
    r, call, reference = resources(request), call_of(request), _reference(request)
    if isinstance(reference, Digest):
        await delete_manifest(r, call, reference)
    else:
        await delete_tag(r, call, reference)
    return web.Response(status=202)


async def list_referrers(request: web.Request) -> web.Response:
    """List what refers to a manifest, whether that manifest is here or not."""
    subject = Digest.parse(request.match_info["digest"])
    artifact_type = request.query.get("artifactType")
    page = page_of(request, default=_REFERRERS_PAGE)
    found = await referrers.find(
        resources(request), repository_of(request), subject, artifact_type=artifact_type, page=page
    )
    headers = {"Content-Type": OCI_INDEX}
    keep = {}
    if artifact_type is not None:
        headers["OCI-Filters-Applied"] = "artifactType"
        keep["artifactType"] = artifact_type
    if found.last is not None:
        headers |= next_link(request, page, found.last, keep=keep)
    return web.Response(body=json.dumps(found.index).encode(), headers=headers)


def _reference(request: web.Request) -> Tag | Digest:
    return parse_reference(request.match_info["reference"])


def _described(manifest: StoredManifest) -> dict[str, str]:
    return {
        "Content-Type": manifest.media_type,
        "Docker-Content-Digest": manifest.digest,
        "ETag": f'"{manifest.digest}"',
    }


def _pushed_headers(repository: str, pushed: Pushed, tags: tuple[Tag, ...]) -> dict[str, str]:
    headers = {
        "Location": f"/v2/{repository}/manifests/{pushed.digest}",
        "Docker-Content-Digest": pushed.digest,
    }
    if pushed.subject is not None:
        headers["OCI-Subject"] = pushed.subject
    if tags:
        headers["OCI-Tag"] = ", ".join(tags)
    return headers


_PATH: Final = "/v2/{name:.+}/manifests/{reference:[^/]+}"

ROUTES: Final = (
    Route("GET", _PATH, get_manifest, Permission.PULL),
    Route("PUT", _PATH, put_manifest, Permission.PUSH),
    Route("DELETE", _PATH, delete, Permission.DELETE),
    Route("GET", "/v2/{name:.+}/referrers/{digest:[^/]+}", list_referrers, Permission.PULL),
)
