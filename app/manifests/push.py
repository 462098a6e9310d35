"""Pushing a manifest (spec.md, "Pushing Manifests"): parse, check what it names, store, tag, tell."""

from typing import Final

from msgspec import Struct

from app.access import Call
from app.db import ForeignKeyViolation, Transaction
from app.events import ArtifactPushed, outbox
from app.manifests import store
from app.manifests.growth import grow
from app.manifests.model import NewManifest
from app.oci.digest import Digest
from app.oci.errors import DigestInvalid, ManifestBlobUnknown, SizeInvalid
from app.oci.manifest import Manifest, parse_manifest
from app.oci.names import Tag
from app.quotas.model import Growth
from app.repositories.create import repository_for_push
from app.resources import Resources
from app.tags.point import Target, point_tags

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
    named = list({str(blob.digest) for blob in manifest.blobs})
    linked = await store.find_linked(r.database, request.call.repository, named)
    sizes = linked.sizes if linked else {}
    _check_blobs(manifest, sizes, may_miss=r.settings.manifests.sparse == "allow-all")
    known_id = linked.repository_id if linked else None

    async def work(tx: Transaction) -> Growth:
        new = NewManifest(
            repository_id=known_id or await repository_for_push(r, tx, request.call),
            digest=digest,
            payload=request.content,
            parsed=manifest,
            blobs=sorted(sizes),
            children=sorted({str(child.digest) for child in manifest.children}),
        )
        await _check_children(tx, new, may_miss=r.settings.manifests.sparse != "deny")
        return await _store(tx, request, new)

    try:
        await grow(r, request.call, work)
    except ForeignKeyViolation:
        # Looked at before the transaction, deleted since.
        raise ManifestBlobUnknown("a blob was deleted while the manifest was pushed") from None
    r.cache.put(digest, request.content)
    return Pushed(digest=digest, subject=manifest.subject.digest if manifest.subject else None)


async def _store(tx: Transaction, request: ManifestPush, new: NewManifest) -> Growth:
    """Store the manifest, point its tags to it, and record what happened; return what it adds."""
    repository = request.call.repository
    stored = await store.upsert_manifest(tx, new)
    moved = await point_tags(tx, Target(new.repository_id, stored.id, repository, new.digest), request.tags)
    pushed = ArtifactPushed(
        repository_name=repository,
        digest=new.digest,
        media_type=new.parsed.media_type,
        size_bytes=len(new.payload),
        artifact_type=new.parsed.artifact_type,
        tags=request.tags,
    )
    await outbox.record(tx, request.call.cause, pushed, *moved)
    return Growth(stored.project_id, stored.added_bytes)


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
    missing = set(new.children) - await store.lock_present(tx, new.repository_id, new.children)
    if missing and not may_miss:
        raise ManifestBlobUnknown(sorted(missing)[:_SHOWN])
