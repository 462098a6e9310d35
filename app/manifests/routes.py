"""Manifests and referrers (spec.md, end-3, end-7, end-9, end-12)."""

from typing import Final

from aiohttp import web

from app.access import Permission, Route, actor_of, cause_of, repository_of
from app.http import next_link, page_of, read_limited
from app.manifests import pull, store
from app.manifests.delete import delete_manifest
from app.manifests.model import StoredManifest
from app.manifests.pulls import PULL_LOG
from app.manifests.push import ManifestPush, Pushed, push
from app.oci.digest import Digest
from app.oci.media_types import OCI_INDEX
from app.oci.names import Tag, parse_reference
from app.resources import resources
from app.tags.point import delete_tag

_REFERRERS_PAGE: Final = 1_000


async def head_manifest(request: web.Request) -> web.Response:
    """Say whether there is such a manifest."""
    manifest = await pull.find(resources(request), repository_of(request), _reference(request))
    headers = _described(manifest)
    headers["Content-Length"] = str(manifest.size_bytes)
    return web.Response(headers=headers)


async def get_manifest(request: web.Request) -> web.Response:
    """Send a manifest, byte for byte as it was pushed."""
    repository, reference = repository_of(request), _reference(request)
    pulled = await pull.pull(resources(request), repository, reference)
    tag = "" if isinstance(reference, Digest) else reference
    request.app[PULL_LOG].note(repository, pulled.manifest.digest, tag, cause_of(request))
    headers = _described(pulled.manifest)
    known = request.headers.get("If-None-Match")
    if known is not None and pulled.manifest.digest in known:
        return web.Response(status=304, headers=headers)
    return web.Response(body=pulled.content, headers=headers)


async def put_manifest(request: web.Request) -> web.Response:
    """Store a manifest under a tag, or under its digest and any number of `?tag=` (end-7b)."""
    r = resources(request)
    reference = _reference(request)
    settings = r.settings
    content = await read_limited(request, settings.manifests.max_bytes, settings.uploads.idle_timeout)
    is_by_digest = isinstance(reference, Digest)
    tags = tuple(Tag.parse(tag) for tag in dict.fromkeys(request.query.getall("tag", [])) if is_by_digest)
    manifest_push = ManifestPush(
        repository=repository_of(request),
        content=content,
        content_type=request.headers.get("Content-Type", ""),
        digest=reference if isinstance(reference, Digest) else None,
        tags=(reference,) if isinstance(reference, Tag) else tags,
        actor=actor_of(request),
        cause=cause_of(request),
    )
    pushed = await push(r, manifest_push)
    return web.Response(status=201, headers=_pushed_headers(manifest_push.repository, pushed, tags))


async def delete(request: web.Request) -> web.Response:
    """Delete a tag, or a manifest with all its tags."""
    r, repository, reference = resources(request), repository_of(request), _reference(request)
    if isinstance(reference, Digest):
        await delete_manifest(r, repository, reference, cause_of(request))
    else:
        await delete_tag(r, repository, reference, cause_of(request))
    return web.Response(status=202)


async def list_referrers(request: web.Request) -> web.Response:
    """List what refers to a manifest, whether that manifest is here or not."""
    repository = repository_of(request)
    subject = Digest.parse(request.match_info["digest"])
    artifact_type = request.query.get("artifactType")
    page = page_of(request, default=_REFERRERS_PAGE)
    async with resources(request).database.autocommit() as statements:
        found = await store.list_referrers(
            statements,
            repository,
            subject,
            artifact_type=artifact_type,
            last=page.last,
            limit=page.limit + 1,
        )
    shown = found[: page.limit]
    headers = {"OCI-Filters-Applied": "artifactType"} if artifact_type is not None else {}
    if shown and len(found) > len(shown):
        keep = {"artifactType": artifact_type} if artifact_type is not None else {}
        headers |= next_link(request, page, shown[-1].digest, keep=keep)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry.descriptor() for entry in shown]}
    return web.json_response(index, content_type=OCI_INDEX, headers=headers)


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
    Route("HEAD", _PATH, head_manifest, Permission.PULL),
    Route("PUT", _PATH, put_manifest, Permission.PUSH),
    Route("DELETE", _PATH, delete, Permission.DELETE),
    Route("GET", "/v2/{name:.+}/referrers/{digest:[^/]+}", list_referrers, Permission.PULL),
)
