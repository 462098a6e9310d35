"""Jobs that are owed for events. A row goes in the transaction of its effect, so a lost queue only delays."""

from datetime import timedelta
from operator import attrgetter

import msgspec
from msgspec import Struct

from app.db import SQL, Database, Statements, Transaction
from app.events.types import Recorded, decode_event
from app.jobs import Job


class Owed(Struct, frozen=True):
    """A job to put into its queue."""

    id: str
    queue: str
    name: str


INSERT = SQL("""
    INSERT INTO pending_jobs (id, queue, name, event)
    SELECT id, queue, name, event::json
    FROM unnest(%(ids)s::text[], %(queues)s::text[], %(names)s::text[], %(events)s::text[])
        AS job (id, queue, name, event)
    ON CONFLICT (id) DO NOTHING
""")


async def insert(tx: Transaction, jobs: list[tuple[Job, Recorded]]) -> None:
    """Owe each job for its event, once."""
    await tx.run(
        INSERT,
        ids=[f"{job.name}:{recorded.event_id}" for job, recorded in jobs],
        queues=[job.queue for job, _ in jobs],
        names=[job.name for job, _ in jobs],
        events=[msgspec.json.encode(recorded).decode() for _, recorded in jobs],
    )


TAKE_UNQUEUED = SQL("""
    UPDATE pending_jobs SET enqueued_at = now()
    WHERE id IN (
        SELECT id FROM pending_jobs
        WHERE enqueued_at IS NULL OR enqueued_at < now() - %(patience)s::interval
        ORDER BY created_at FOR UPDATE SKIP LOCKED LIMIT %(limit)s
    )
    RETURNING id, queue, name
""")


async def take_unqueued(db: Database, *, patience: timedelta, limit: int) -> list[Owed]:
    """Return jobs that no queue was told of, or not within `patience`, and note that one is told now."""
    async with db.autocommit() as statements:
        return await statements.all(Owed, TAKE_UNQUEUED, patience=patience, limit=limit)


FORGET_QUEUED = SQL("UPDATE pending_jobs SET enqueued_at = NULL WHERE id = ANY(%(ids)s)")


async def forget_queued(db: Database, ids: list[str]) -> None:
    """Note that the queue could not be told."""
    async with db.autocommit() as statements:
        await statements.run(FORGET_QUEUED, ids=ids)


LIST_OWED = SQL("SELECT event FROM pending_jobs WHERE id = ANY(%(ids)s)")


async def list_owed(statements: Statements, ids: list[str]) -> list[Recorded]:
    """Return the events of jobs that are not done, in their order, for work that goes before `settle`."""
    return _in_order(await statements.values(LIST_OWED, ids=ids))


SETTLE = SQL("DELETE FROM pending_jobs WHERE id = ANY(%(ids)s) RETURNING event")


async def settle(tx: Transaction, ids: list[str]) -> list[Recorded]:
    """Return the events of jobs that `tx` does, in their order; those done before are left out."""
    return _in_order(await tx.values(SETTLE, ids=ids))


def _in_order(documents: list[object]) -> list[Recorded]:
    return sorted(map(decode_event, documents), key=attrgetter("number"))
