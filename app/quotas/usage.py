"""What a project uses: counted with the change that causes it, and refused where it does not fit."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from app.access import Call
from app.db import Transaction
from app.events import QuotaExceeded, QuotaWarned, outbox
from app.oci.errors import StorageExceeded
from app.quotas import store
from app.quotas.model import Growth, Incoming, Usage, readable
from app.resources import Resources

Note: TypeAlias = Callable[[Transaction, int], Awaitable[None]]


def charge(tx: Transaction, call: Call, growth: Growth) -> None:
    """Count what is used in addition, as the last act of `tx`: its commit raises CheckViolation.

    The row of the quota is locked from here to the end of the commit, which is one message to the
    database. Who adds nothing does not touch it.
    """
    if growth.added_bytes:
        project = call.repository.project
        warning = QuotaWarned(name=project, project_name=project)
        store.charge_at_commit(tx, growth, warning=warning, cause=call.cause)


def release(tx: Transaction, project_id: int, freed_bytes: int) -> None:
    """Count what is used no more, as the last act of `tx`."""
    if freed_bytes:
        store.release_at_commit(tx, project_id, freed_bytes)


async def refused(r: Resources, call: Call, growth: Growth) -> StorageExceeded:
    """Record that a push was refused and return the error that says why."""
    async with r.database.autocommit() as statements:
        usage = await store.find_usage(statements, growth.project_id)
    return await _refusal(r, call, usage or Usage(0, 0), needed_bytes=growth.added_bytes)


async def require_room(r: Resources, call: Call, blob: Incoming) -> None:
    """Raise StorageExceeded where a blob cannot be used in the project."""
    project_id = call.standing.project_id
    if project_id is None:
        return
    full = await store.find_too_full(r.database, project_id, blob)
    if full is not None:
        raise await _refusal(r, call, full, needed_bytes=blob.size_bytes)


async def reserve_room(r: Resources, call: Call, blob: Incoming, *, note: Note) -> None:
    """Require room and keep it: `note(tx, project_id)` writes down that it is kept, before others may ask."""
    project_id = call.standing.project_id
    if project_id is None:
        return
    async with r.database.transaction() as tx:
        full = await store.lock_too_full(tx, project_id, blob)
        if full is None:
            await note(tx, project_id)
    if full is not None:
        raise await _refusal(r, call, full, needed_bytes=blob.size_bytes)


async def _refusal(r: Resources, call: Call, usage: Usage, *, needed_bytes: int) -> StorageExceeded:
    """Record the refusal in a transaction of its own, since that of the push is rolled back."""
    project, used, hard = call.repository.project, usage.used_bytes, usage.hard_bytes
    async with r.database.transaction() as tx:
        event = QuotaExceeded(
            name=project, project_name=project, used_bytes=used, hard_bytes=hard, needed_bytes=needed_bytes
        )
        await outbox.record(tx, call.cause, event)
    taken = f"used {readable(used)} of {readable(hard)}"
    if usage.reserved_bytes:
        taken += f", kept for uploads under way {readable(usage.reserved_bytes)}"
    sentence = (
        f"the storage quota of project {project} is exceeded: {taken}, "
        f"needed {readable(needed_bytes)} more; delete artifacts or ask an administrator to raise it"
    )
    return StorageExceeded(sentence, used_bytes=used, hard_bytes=hard, needed_bytes=needed_bytes)
