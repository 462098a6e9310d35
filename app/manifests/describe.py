"""Reading the configs of pushed manifests, for lists: after the answer, never on the way of a push."""

import msgspec

from app.blobs.content import read_small
from app.events import ArtifactCopied, ArtifactPushed
from app.jobs import pending
from app.manifests import describe_store as store
from app.manifests.describe_store import Undescribed
from app.oci.config import MAX_BYTES, attributes_of
from app.oci.errors import OciError
from app.oci.manifest import parse_manifest
from app.resources import Resources


async def describe_pushed(r: Resources, ids: list[str]) -> int:
    """Read what is owed under these ids; return how many manifests had something to say.

    Nothing is read in a transaction; whoever is late finds it settled, and writes the same.
    """
    async with r.database.autocommit() as statements:
        named = [
            (event.event.repository_name, event.event.digest)
            for event in await pending.list_owed(statements, ids)
            if isinstance(event.event, ArtifactPushed | ArtifactCopied)
        ]
        manifests = await store.list_undescribed(
            statements, [repository for repository, _ in named], [digest for _, digest in named]
        )
    read = [(manifest.id, await _attributes(r, manifest)) for manifest in manifests]
    found = [(manifest_id, attributes) for manifest_id, attributes in read if attributes is not None]
    async with r.database.transaction() as tx:
        await pending.settle(tx, ids)
        if found:
            await store.update_attributes(tx, [one for one, _ in found], [text for _, text in found])
    return len(found)


async def _attributes(r: Resources, manifest: Undescribed) -> str | None:
    """Return what the config says as JSON; None for nothing, or for a config that is odd or too large."""
    try:
        config = parse_manifest(manifest.payload, manifest.media_type).config
    except OciError:
        # Taken by a version that was less strict: no reason to try again and again.
        return None
    # Where manifests may name what is not here, a config can be that of somebody else's image.
    if config is None or config.digest not in manifest.blobs or config.size_bytes > MAX_BYTES:
        return None
    content = await read_small(r, config.digest, config.size_bytes)
    attributes = None if content is None else attributes_of(config.media_type, content)
    return None if attributes is None else msgspec.json.encode(attributes).decode()
