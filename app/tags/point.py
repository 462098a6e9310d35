"""Pointing tags to a manifest, and removing them."""

from datetime import datetime

from app.access import Call
from app.db import Transaction
from app.events import TagCreated, TagDeleted, TagMoved, outbox
from app.oci.digest import Digest
from app.oci.errors import ManifestUnknown
from app.oci.names import RepositoryName, Tag
from app.resources import Resources
from app.tags import store


async def point_tags(
    tx: Transaction, repository_id: int, manifest_id: int, *, names: tuple[Tag, ...]
) -> list[store.Moved]:
    """Point every tag to the manifest and return those that pointed elsewhere before."""
    return await store.upsert_tags(tx, repository_id, manifest_id, names=list(names)) if names else []


async def add_tag(tx: Transaction, call: Call, manifest_id: int, *, digest: Digest, name: Tag) -> bool:
    """Add a tag of a manifest and say so; False when the repository has one of that name already."""
    if not await store.insert_tag(tx, manifest_id, name):
        return False
    event = TagCreated(repository_name=call.repository, tag=name, digest=digest)
    await outbox.record(tx, call.cause, event)
    return True


def moved_events(repository: RepositoryName, digest: Digest, moved: list[store.Moved]) -> list[TagMoved]:
    """Return what to record of tags that moved to `digest`."""
    return [
        TagMoved(repository_name=repository, tag=tag.name, digest=digest, previous_digest=tag.previous_digest)
        for tag in moved
    ]


async def delete_tag(r: Resources, call: Call, tag: Tag) -> None:
    """Remove a tag (spec.md, end-9); raise ManifestUnknown when there is none."""
    async with r.database.transaction() as tx:
        digest = await store.delete_tag(tx, call.repository, tag)
        if digest is None:
            raise ManifestUnknown(tag)
        await outbox.record(
            tx, call.cause, TagDeleted(repository_name=call.repository, tag=tag, digest=digest)
        )


async def note_tag_pull(tx: Transaction, repository: str, tag: str, *, pulled_at: datetime) -> None:
    """Remember when a tag was last pulled."""
    await store.note_tag_pull(tx, repository, tag, pulled_at=pulled_at)
