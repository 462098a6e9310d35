"""Deleting a manifest by digest (spec.md, end-9)."""

from app.events import ArtifactDeleted, Cause, outbox
from app.manifests import store
from app.oci.digest import Digest
from app.oci.errors import ManifestInUse, ManifestUnknown
from app.oci.names import RepositoryName
from app.resources import Resources


async def delete_manifest(r: Resources, repository: RepositoryName, digest: Digest, cause: Cause) -> None:
    """Delete it with its tags; raise ManifestUnknown, or ManifestInUse while an index lists it."""
    async with r.database.transaction() as tx:
        manifest_id = await store.lock_manifest(tx, repository, digest)
        if manifest_id is None:
            raise ManifestUnknown(digest)
        if await store.has_parent(tx, manifest_id):
            raise ManifestInUse(digest)
        tags = await store.delete_manifest(tx, manifest_id)
        event = ArtifactDeleted(repository_name=repository, digest=digest, tags=tuple(tags))
        await outbox.record(tx, cause, event)
