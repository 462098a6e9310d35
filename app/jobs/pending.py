"""Jobs that are owed for events. A row goes in the transaction of its effect, so a lost queue only delays.

`app.jobs.running` has what workers note of rows while they run.
"""

from collections.abc import Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import Struct

from app.db import SQL, Database, Statements, Transaction
from app.events.types import Recorded, decode_event
from app.jobs import QUEUE_TABLE, Job

_GATHER: Final = {queue.name: queue.gather for queue in QUEUE_TABLE}


class Owed(Struct, frozen=True):
    """A job to put into its queue; one that is suspect runs by itself."""

    id: str
    queue: str
    name: str
    is_suspect: bool


INSERT = SQL("""
    INSERT INTO pending_jobs (id, queue, name, event, tell_at)
    SELECT id, queue, name, event::json, now() + gather
    FROM unnest(
        %(ids)s::text[], %(queues)s::text[], %(names)s::text[], %(events)s::text[], %(gathers)s::interval[]
    ) AS job (id, queue, name, event, gather)
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
        gathers=[_GATHER[job.queue] for job, _ in jobs],
    )


TAKE_DUE = SQL("""
    UPDATE pending_jobs SET enqueued_at = now(), tell_at = now() + %(patience)s::interval
    FROM (
        SELECT due.id FROM unnest(%(names)s::text[]) AS kind (name)
        CROSS JOIN LATERAL (
            SELECT id FROM pending_jobs
            WHERE name = kind.name AND tell_at <= now()
            ORDER BY tell_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ) AS due
        WHERE NOT EXISTS (SELECT 1 FROM paused_jobs WHERE paused_jobs.name = kind.name)
    ) AS due
    WHERE pending_jobs.id = due.id
    RETURNING pending_jobs.id, queue, name, is_suspect
""")


async def take_due(db: Database, jobs: Sequence[Job], *, patience: timedelta, limit: int) -> list[Owed]:
    """Return what no queue was told of, or not within `patience`, and note that one is told now.

    Up to `limit` of each kind, so that no kind waits for the backlog of another.
    """
    async with db.autocommit() as statements:
        names = [job.name for job in jobs]
        return await statements.all(Owed, TAKE_DUE, names=names, patience=patience, limit=limit)


FORGET_TOLD = SQL("""
    UPDATE pending_jobs SET enqueued_at = NULL, tell_at = now()
    WHERE id IN (
        SELECT id FROM pending_jobs
        WHERE worker_id IS NULL AND enqueued_at IS NOT NULL
            AND (%(ids)s::text[] IS NULL OR id = ANY(%(ids)s))
        FOR UPDATE SKIP LOCKED
    )
""")


async def forget_told(db: Database, ids: list[str] | None = None) -> None:
    """Note that the queues could not be told of these, or forgot everything."""
    async with db.autocommit() as statements:
        await statements.run(FORGET_TOLD, ids=ids)


LIST_OWED = SQL("SELECT event FROM pending_jobs WHERE id = ANY(%(ids)s)")


async def list_owed(statements: Statements, ids: list[str]) -> list[Recorded]:
    """Return the events of jobs that are not done, in their order, for work that goes before `settle`."""
    return _in_order(await statements.values(LIST_OWED, ids=ids))


SETTLE = SQL("DELETE FROM pending_jobs WHERE id = ANY(%(ids)s) RETURNING event")


async def settle(tx: Transaction, ids: list[str]) -> list[Recorded]:
    """Return the events of jobs that `tx` does, in their order; those done before are left out."""
    return _in_order(await tx.values(SETTLE, ids=ids))


def _in_order(documents: list[Any]) -> list[Recorded]:
    events = [decode_event(document) for document in documents if document is not None]
    return sorted(events, key=attrgetter("number"))
