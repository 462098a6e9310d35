"""Pull statistics: how often and when last a manifest, a tag and a repository were pulled."""

from app.events import ArtifactPulled
from app.jobs import pending
from app.manifests import store
from app.repositories.find import add_pulls
from app.resources import Resources
from app.tags.point import note_tag_pull


async def count_pulls(r: Resources, job_id: str) -> bool:
    """Count the pulls that are owed under this id; False when they were counted before."""
    async with r.database.transaction() as tx:
        recorded = await pending.settle(tx, job_id)
        if recorded is None or not isinstance(recorded.event, ArtifactPulled):
            return False
        event, pulled_at = recorded.event, recorded.recorded_at
        await add_pulls(tx, event.repository_name, event.count)
        await store.note_pull(tx, event.repository_name, event.digest, count=event.count, pulled_at=pulled_at)
        if event.tag:
            await note_tag_pull(tx, event.repository_name, event.tag, pulled_at=pulled_at)
    return True
