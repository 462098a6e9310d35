"""Pull statistics: how often and when last a manifest, a tag and a repository were pulled."""

from datetime import datetime

from app.db import Transaction
from app.events import ArtifactPulled
from app.events.types import Recorded
from app.jobs import pending
from app.manifests import store
from app.repositories.find import add_pulls
from app.resources import Resources
from app.tags.point import note_tag_pull


async def count_pulls(r: Resources, ids: list[str]) -> int:
    """Count the pulls that are owed under these ids; return how many events were not counted before."""
    async with r.database.transaction() as tx:
        recorded = await pending.settle(tx, ids)
        for one in sorted(recorded, key=_rows):
            if isinstance(one.event, ArtifactPulled):
                await _count(tx, one.event, one.recorded_at)
    return len(recorded)


def _rows(recorded: Recorded) -> str:
    """Order by the rows that are updated, so that two jobs never wait for one another."""
    return recorded.event.repository_name if isinstance(recorded.event, ArtifactPulled) else ""


async def _count(tx: Transaction, event: ArtifactPulled, pulled_at: datetime) -> None:
    repository = event.repository_name
    await add_pulls(tx, repository, event.count)
    await store.note_pull(tx, repository, event.digest, count=event.count, pulled_at=pulled_at)
    if event.tag:
        await note_tag_pull(tx, repository, event.tag, pulled_at=pulled_at)
