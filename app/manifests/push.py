"""Pushing a manifest (spec.md, "Pushing Manifests"): parse, check what it names, store, tag, tell."""

from typing import Final

from msgspec import Struct

from app.access import Call
from app.db import ForeignKeyViolation, Transaction
from app.events import ArtifactPushed, outbox
from app.manifests import store
from app.manifests.model import NewManifest
from app.oci.digest import Digest
from app.oci.errors import DigestInvalid, ManifestBlobUnknown, SizeInvalid
from app.oci.manifest import Manifest, parse_manifest
from app.oci.names import Tag
from app.repositories.create import repository_for_push
from app.resources import Resources
from app.tags.point import moved_events, point_tags

_SHOWN: Final = 20
"""Missing digests that an error names at most."""


class ManifestPush(Struct, frozen=True):
    """Who pushes what, where, under which names."""

    call: Call
    content: bytes
    content_type: str
    digest: Digest | None
    tags: tuple[Tag, ...]


class Pushed(Struct, frozen=True):
    """What the answer says."""

    digest: Digest
    subject: Digest | None


async def push(r: Resources, request: ManifestPush) -> Pushed:
    """Store the manifest and its tags, and record the events, in one transaction.

    Raises:
        ManifestInvalid, DigestInvalid, SizeInvalid: it is not what it should be or says to be.
        ManifestBlobUnknown: it names content that is not in the repository.
        NameUnknown: there is no such project.
    """
    manifest = parse_manifest(request.content, request.content_type)
    digest = request.digest or Digest.of(request.content)
    if not digest.matches(request.content):
        raise DigestInvalid({"named": digest, "content": Digest.of(request.content, digest.algorithm)})
    try:
        async with r.database.transaction() as tx:
            await _store(r, tx, request, manifest=manifest, digest=digest)
    except ForeignKeyViolation:
        raise ManifestBlobUnknown("a blob was deleted while the manifest was pushed") from None
    r.cache.put(digest, request.content)
    return Pushed(digest=digest, subject=manifest.subject.digest if manifest.subject else None)


async def _store(
    r: Resources, tx: Transaction, request: ManifestPush, *, manifest: Manifest, digest: Digest
) -> None:
    repository_id = await repository_for_push(r, tx, request.call)
    sparse = r.settings.manifests.sparse
    blobs = await _present_blobs(tx, repository_id, manifest, may_miss=sparse == "allow-all")
    await _check_children(tx, repository_id, manifest, may_miss=sparse != "deny")
    new = NewManifest(
        repository_id=repository_id,
        digest=digest,
        payload=request.content,
        parsed=manifest,
        blobs=blobs,
        children=sorted({str(child.digest) for child in manifest.children}),
    )
    manifest_id = await store.upsert_manifest(tx, new)
    moved = await point_tags(tx, repository_id, manifest_id, names=request.tags)
    pushed = ArtifactPushed(
        repository_name=request.call.repository,
        digest=digest,
        media_type=manifest.media_type,
        size_bytes=len(request.content),
        artifact_type=manifest.artifact_type,
        tags=request.tags,
    )
    await outbox.record(tx, request.call.cause, pushed, *moved_events(request.call.repository, digest, moved))


async def _present_blobs(
    tx: Transaction, repository_id: int, manifest: Manifest, *, may_miss: bool
) -> list[str]:
    """Return the manifest's blobs that the repository has; raise ManifestBlobUnknown or SizeInvalid."""
    if not manifest.blobs:
        return []
    sizes = await store.linked_sizes(tx, repository_id, list({str(blob.digest) for blob in manifest.blobs}))
    missing = manifest.required_blobs - sizes.keys()
    if missing and not may_miss:
        raise ManifestBlobUnknown(sorted(missing)[:_SHOWN])
    for blob in manifest.blobs:
        if sizes.get(blob.digest, blob.size_bytes) != blob.size_bytes:
            raise SizeInvalid({"digest": blob.digest, "named": blob.size_bytes, "stored": sizes[blob.digest]})
    return sorted(sizes)


async def _check_children(tx: Transaction, repository_id: int, manifest: Manifest, *, may_miss: bool) -> None:
    """Keep the children of an index until it is stored; raise ManifestBlobUnknown."""
    if not manifest.children:
        return
    wanted = {str(child.digest) for child in manifest.children}
    missing = wanted - await store.lock_present(tx, repository_id, sorted(wanted))
    if missing and not may_miss:
        raise ManifestBlobUnknown(sorted(missing)[:_SHOWN])
