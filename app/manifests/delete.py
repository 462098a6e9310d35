"""Deleting a manifest by digest (spec.md, end-9)."""

from app.access import Call
from app.events import ArtifactDeleted, outbox
from app.manifests import store
from app.oci.digest import Digest
from app.oci.errors import ManifestInUse, ManifestUnknown
from app.resources import Resources


async def delete_manifest(r: Resources, call: Call, digest: Digest) -> None:
    """Delete it with its tags; raise ManifestUnknown, or ManifestInUse while an index lists it."""
    async with r.database.transaction() as tx:
        manifest_id = await store.lock_manifest(tx, call.repository, digest)
        if manifest_id is None:
            raise ManifestUnknown(digest)
        if await store.has_parent(tx, manifest_id):
            raise ManifestInUse(digest)
        tags = await store.delete_manifest(tx, manifest_id)
        event = ArtifactDeleted(repository_name=call.repository, digest=digest, tags=tuple(tags))
        await outbox.record(tx, call.cause, event)
