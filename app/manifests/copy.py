"""Copying manifests from one repository to another, by reference: no content moves."""

from app.access import Call
from app.blobs.mount import link_all
from app.db import Transaction
from app.events import ArtifactCopied, outbox
from app.manifests import copy_store, store, usage_store
from app.manifests.growth import grow
from app.manifests.model import NewManifest, Source
from app.oci.digest import Digest
from app.oci.errors import ManifestUnknown
from app.oci.manifest import Manifest, parse_manifest
from app.oci.names import RepositoryName, Tag
from app.quotas.model import Growth
from app.repositories.create import lock_for_copy, repository_for_push
from app.resources import Resources
from app.tags.point import Target, moved_tags


async def copy_manifest(r: Resources, call: Call, digest: Digest, *, source: RepositoryName) -> None:
    """Copy a manifest with its tags, its members and its accessories into the call's repository.

    Raises:
        ManifestUnknown: the source has no such manifest.
        NameUnknown: there is no project to copy into.
        PreconditionFailed: a tag is immutable there and points elsewhere.
        StorageExceeded: the quota of the project does not allow it.
    """

    async def work(tx: Transaction) -> Growth:
        repository_id = await repository_for_push(r, tx, call)
        project_id = await lock_for_copy(tx, repository_id)
        found = await copy_store.lock_sources(tx, source, digest)
        if not found:
            raise ManifestUnknown(digest)
        digests = [manifest.digest for manifest in found]
        await copy_store.lock_copies(tx, repository_id, digests)
        added_bytes = await _use(tx, project_id, [manifest.id for manifest in found])
        stored = [await _store(tx, call, manifest, repository_id=repository_id) for manifest in found]
        await copy_store.copy_attributes(tx, repository_id, source=source, digests=digests)
        tags = next(tuple(manifest.tags) for manifest in found if manifest.digest == digest)
        event = ArtifactCopied(repository_name=call.repository, digest=digest, source=source, tags=tags)
        await outbox.record(tx, call.cause, event)
        return Growth(stored[0].project_id, added_bytes + sum(growth.added_bytes for growth in stored))

    await grow(r, call, work)


async def _use(tx: Transaction, project_id: int, manifest_ids: list[int]) -> int:
    """Enter all that is copied as used by the project; return the bytes that it adds.

    All at once, and locked in the order of deletions and pushes: else copies that share layers, which they
    come to one manifest after the other, would wait for one another.
    """
    await usage_store.hold_used(tx, project_id, manifest_ids)
    return await usage_store.insert_used(tx, project_id, manifest_ids)


async def _store(tx: Transaction, call: Call, manifest: Source, *, repository_id: int) -> Growth:
    parsed = _parsed(manifest)
    named = sorted({str(blob.digest) for blob in parsed.blobs})
    new = NewManifest(
        repository=call.repository,
        digest=Digest(manifest.digest),
        payload=manifest.payload,
        parsed=parsed,
        blobs=await link_all(tx, repository_id, named, source=manifest.repository_id),
        children=sorted({str(child.digest) for child in parsed.children}),
        tags=tuple(Tag(name) for name in manifest.tags),
    )
    stored = await store.upsert_manifest(tx, new)
    if stored is None:
        raise ManifestUnknown(manifest.digest)
    target = Target(repository_id, call.repository, new.digest)
    await outbox.record(tx, call.cause, *await moved_tags(tx, target, stored.moved_tags))
    return stored.growth


def _parsed(manifest: Source) -> Manifest:
    return parse_manifest(manifest.payload, manifest.media_type)
