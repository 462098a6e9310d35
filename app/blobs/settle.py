"""The end of every upload: durable bytes become visible, and the session ends, in one transaction."""

from app.access import Call
from app.blobs import session_store as sessions
from app.blobs import store
from app.blobs.model import Standing
from app.oci.digest import Digest
from app.repositories.create import repository_for_push
from app.resources import Resources


async def settle(
    r: Resources, call: Call, standing: Standing | None, *, digest: Digest, size_bytes: int
) -> bool:
    """Link the blob and end the session (None: there is none).

    False, and nothing done: the session does not stand there any more.
    """
    is_done = await store.settle_blob(
        r.database, call.repository, digest, size_bytes=size_bytes, standing=standing
    )
    if is_done is not None:
        return is_done
    # The first content of the repository.
    async with r.database.transaction() as tx:
        if standing is not None and not await sessions.end_session(tx, call.repository, standing):
            return False
        repository_id = await repository_for_push(r, tx, call)
        await store.link_blob(tx, repository_id, digest, size_bytes=size_bytes)
    return True
