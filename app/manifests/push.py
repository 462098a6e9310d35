"""Pushing a manifest (spec.md, "Pushing Manifests"): parse, check what it names, store, tag, tell."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from app.access import Call
from app.blobs.model import Content
from app.db import ForeignKeyViolation, Transaction
from app.events import ArtifactPushed, outbox
from app.manifests import store
from app.manifests.growth import grow
from app.manifests.model import NewManifest, Upserted
from app.oci.digest import Digest
from app.oci.errors import DigestInvalid, ManifestBlobUnknown, SizeInvalid
from app.oci.manifest import Manifest, parse_manifest
from app.oci.names import Tag
from app.quotas.model import Growth
from app.repositories.create import repository_for_push
from app.resources import Resources
from app.tags.point import Target, moved_tags

_SHOWN: Final = 20
"""Missing digests that an error names at most."""
_DELETED: Final = "a blob was deleted while the manifest was pushed"


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
    """Store the manifest and its tags, count what it adds, and record the events, in one transaction.

    Raises:
        ManifestInvalid, DigestInvalid, SizeInvalid: it is not what it should be or says to be.
        ManifestBlobUnknown: it names content that is not in the repository.
        NameUnknown: there is no such project.
        PreconditionFailed: a tag is immutable and points elsewhere.
        StorageExceeded: the quota of the project does not allow it.
    """
    manifest = parse_manifest(request.content, request.content_type)
    digest = request.digest or Digest.of(request.content)
    if not digest.matches(request.content):
        raise DigestInvalid({"named": digest, "content": Digest.of(request.content, digest.algorithm)})
    new = NewManifest(
        repository=request.call.repository,
        digest=digest,
        payload=request.content,
        parsed=manifest,
        blobs=sorted({Content(blob.digest, blob.size_bytes) for blob in manifest.blobs}),
        children=sorted({str(child.digest) for child in manifest.children}),
        tags=request.tags,
    )

    async def work(tx: Transaction) -> Growth:
        await _check_children(tx, new, may_miss=r.settings.manifests.sparse != "deny")
        stored = await store.upsert_manifest(tx, new) or await _store_prepared(r, tx, request.call, new=new)
        await _record(tx, request.call, new, stored=stored)
        return stored.growth

    try:
        await grow(r, request.call, work)
    except ForeignKeyViolation:
        raise ManifestBlobUnknown(_DELETED) from None
    r.cache.put(digest, request.content)
    return Pushed(digest=digest, subject=manifest.subject.digest if manifest.subject else None)


async def _store_prepared(r: Resources, tx: Transaction, call: Call, *, new: NewManifest) -> Upserted:
    """Store a manifest that the repository lacks content of, where that is allowed, or that is its first."""
    linked = await store.list_linked(tx, new.repository, [blob.digest for blob in new.blobs])
    _check_blobs(new.parsed, dict(linked), may_miss=r.settings.manifests.sparse == "allow-all")
    await repository_for_push(r, tx, call)
    stored = await store.upsert_manifest(tx, replace(new, blobs=sorted(linked)))
    if stored is None:
        raise ManifestBlobUnknown(_DELETED)
    return stored


async def _record(tx: Transaction, call: Call, new: NewManifest, *, stored: Upserted) -> None:
    """Record what happened; raise PreconditionFailed where a tag may not move."""
    target = Target(stored.repository_id, new.repository, new.digest)
    moved = await moved_tags(tx, target, stored.moved_tags)
    pushed = ArtifactPushed(
        repository_name=new.repository,
        digest=new.digest,
        media_type=new.parsed.media_type,
        size_bytes=len(new.payload),
        artifact_type=new.parsed.artifact_type,
        tags=new.tags,
    )
    await outbox.record(tx, call.cause, pushed, *moved)


def _check_blobs(manifest: Manifest, sizes: dict[str, int], *, may_miss: bool) -> None:
    """Raise ManifestBlobUnknown or SizeInvalid unless the repository has what the manifest names."""
    missing = manifest.required_blobs - sizes.keys()
    if missing and not may_miss:
        raise ManifestBlobUnknown(sorted(missing)[:_SHOWN])
    for blob in manifest.blobs:
        if sizes.get(blob.digest, blob.size_bytes) != blob.size_bytes:
            raise SizeInvalid({"digest": blob.digest, "named": blob.size_bytes, "stored": sizes[blob.digest]})


async def _check_children(tx: Transaction, new: NewManifest, *, may_miss: bool) -> None:
    """Keep the children of an index until it is stored; raise ManifestBlobUnknown."""
    if not new.children:
        return
    missing = set(new.children) - await store.lock_present(tx, new.repository, new.children)
    if missing and not may_miss:
        raise ManifestBlobUnknown(sorted(missing)[:_SHOWN])
