"""Deleting a manifest by digest (spec.md, end-9)."""

from contextlib import suppress

from app.access import Call
from app.db import Transaction
from app.events import ArtifactDeleted, outbox
from app.manifests import store
from app.oci.digest import Digest
from app.oci.errors import ManifestInUse, ManifestUnknown
from app.resources import Resources


async def delete_manifest(r: Resources, call: Call, digest: Digest) -> None:
    """Delete it with its tags; raise ManifestUnknown, or ManifestInUse while an index lists it."""
    async with r.database.transaction() as tx:
        await remove_manifest(tx, call, digest)


async def delete_deeply(tx: Transaction, call: Call, digest: Digest) -> None:
    """Delete a manifest with what belongs to it alone: accessories, and members that nothing else names.

    A member with a tag, or in another index, stays. Raises as `delete_manifest` does.
    """
    left = await store.lock_dependents(tx, call.repository, digest)
    await remove_manifest(tx, call, digest)
    while left:
        dependent = left.pop()
        further = await store.lock_dependents(tx, call.repository, dependent.digest)
        if not dependent.is_accessory and await store.is_tagged(tx, dependent.id):
            continue
        with suppress(ManifestInUse, ManifestUnknown):
            await remove_manifest(tx, call, dependent.digest)
            left.extend(further)


async def remove_manifest(tx: Transaction, call: Call, digest: Digest) -> None:
    """Delete a manifest with its tags; raise ManifestUnknown, or ManifestInUse while an index lists it."""
    manifest_id = await store.lock_manifest(tx, call.repository, digest)
    if manifest_id is None:
        raise ManifestUnknown(digest)
    if await store.has_parent(tx, manifest_id):
        raise ManifestInUse(digest)
    tags = await store.delete_manifest(tx, manifest_id)
    event = ArtifactDeleted(repository_name=call.repository, digest=digest, tags=tuple(tags))
    await outbox.record(tx, call.cause, event)


async def remove_all(tx: Transaction, repository_id: int) -> None:
    """Delete all manifests of a repository that nobody else can push to until `tx` ends, and their tags."""
    await store.delete_all(tx, repository_id)
