"""Pulling a manifest: the name resolved by PostgreSQL every time, the bytes from memory where they are."""

from app.manifests import store
from app.manifests.model import StoredManifest
from app.oci.digest import Digest
from app.oci.errors import ManifestUnknown
from app.oci.names import RepositoryName, Tag
from app.resources import Resources


async def find(r: Resources, repository: RepositoryName, reference: Tag | Digest) -> StoredManifest:
    """Return what the repository has under this reference; raise ManifestUnknown."""
    manifest = await store.find_manifest(r.database, repository, reference)
    if manifest is None:
        raise ManifestUnknown(reference)
    return manifest


async def content_of(r: Resources, manifest: StoredManifest) -> bytes:
    """Return the manifest's bytes; raise ManifestUnknown when it was deleted a moment ago."""
    content = r.cache.get(manifest.digest)
    if content is None:
        content = await store.find_payload(r.database, manifest.id)
        if content is None:
            raise ManifestUnknown(manifest.digest)
        r.cache.put(manifest.digest, content)
    return content
