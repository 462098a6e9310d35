"""What a worker process notes: that it lives, which jobs it runs, how they ended without being settled."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from app.db import SQL, Database, Prepared
from app.jobs.pending import FORGET_TOLD

CRASHES: Final = 1 + 3
"""A job that was running so often when its process died is set aside: the first time others ran beside it, so
that it may be innocent, and then it ran alone."""


class Process(Struct, frozen=True):
    """A worker process."""

    id: UUID
    host: str
    pid: int
    queues: tuple[str, ...]
    concurrency: int


class Started(Struct, frozen=True):
    """A job that this process runs from now on."""

    id: str
    vendor_id: int | None
    started_at: datetime


START = Prepared(
    "start_jobs",
    ("text[]", "uuid"),
    """
    UPDATE pending_jobs SET worker_id = $2, started_at = now(), tell_at = NULL
    WHERE id IN (
        SELECT id FROM pending_jobs
        WHERE id = ANY($1) AND enqueued_at IS NOT NULL AND worker_id IS NULL AND NOT is_suspect
            AND NOT EXISTS (SELECT 1 FROM paused_jobs WHERE paused_jobs.name = pending_jobs.name)
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id, vendor_id, started_at
    """,
)


async def start(db: Database, ids: list[str], worker_id: UUID) -> list[Started]:
    """Note that the process runs these, and return those that it is to run."""
    # Worth nothing once the database crashed, so nobody waits for the disk.
    return [Started(*row) for row in await db.note(START, ids, worker_id)]


START_SUSPECT = Prepared(
    "start_suspect",
    ("text", "uuid", "boolean"),
    """
    UPDATE pending_jobs SET worker_id = $2, started_at = now(), tell_at = NULL
    WHERE id = (
        SELECT id FROM pending_jobs AS suspect
        WHERE name = $1 AND is_suspect AND enqueued_at IS NOT NULL AND worker_id IS NULL
            AND (crashes > 0) = $3
            AND NOT EXISTS (SELECT 1 FROM paused_jobs WHERE paused_jobs.name = suspect.name)
            AND NOT EXISTS (
                SELECT 1 FROM pending_jobs AS other
                WHERE other.name = $1 AND other.is_suspect AND other.worker_id IS NOT NULL
            )
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, vendor_id, started_at
    """,
)


async def start_suspect(
    db: Database, name: str, worker_id: UUID, *, has_crashed: bool = True
) -> Started | None:
    """Note that the process runs a suspect of this kind that crashed, or one that only failed.

    None of a kind is started while another one of it runs anywhere.
    """
    rows = await db.call(START_SUSPECT, name, worker_id, has_crashed)
    return Started(*rows[0]) if rows else None


FAIL = SQL("""
    UPDATE pending_jobs
    SET worker_id = NULL, started_at = NULL, enqueued_at = NULL, failures = failures + 1, error = %(error)s,
        tell_at = CASE WHEN failures + 1 < %(tries)s THEN
            now() + least(2 ^ least(failures, 20), 3600) * (0.5 + random()) * interval '1 second' END,
        set_aside_at = CASE WHEN failures + 1 >= %(tries)s THEN now() END
    WHERE id = ANY(%(ids)s) AND worker_id = %(worker_id)s
    RETURNING id, set_aside_at IS NOT NULL AS is_set_aside
""")


class Unfinished(Struct, frozen=True):
    """A job that did not succeed."""

    id: str
    is_set_aside: bool


async def fail(db: Database, ids: list[str], worker_id: UUID, *, error: str, tries: int) -> list[Unfinished]:
    """Note that the jobs raised: each is tried again later and later, and set aside after so many tries."""
    async with db.autocommit() as statements:
        return await statements.all(Unfinished, FAIL, ids=ids, worker_id=worker_id, error=error, tries=tries)


FINISH = SQL("DELETE FROM pending_jobs WHERE id = %(id)s AND worker_id = %(worker_id)s")


async def finish(db: Database, job_id: str, worker_id: UUID) -> None:
    """Note that a scheduled job is done; jobs that are owed for events are settled with their effects."""
    async with db.autocommit() as statements:
        await statements.run(FINISH, id=job_id, worker_id=worker_id)


BEAT = SQL("""
    INSERT INTO workers (id, host, pid, queues, concurrency)
    VALUES (%(id)s, %(host)s, %(pid)s, %(queues)s::text[], %(concurrency)s)
    ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()
""")
GIVE_BACK = SQL("""
    UPDATE pending_jobs
    SET worker_id = NULL, started_at = NULL, enqueued_at = NULL, tell_at = now()
    WHERE id IN (
        SELECT id FROM pending_jobs
        WHERE worker_id = %(id)s AND id <> ALL(%(running)s::text[])
            AND started_at <= now() - %(pause)s::interval
        FOR UPDATE SKIP LOCKED
    )
""")
LIST_STOPPED = SQL("SELECT id FROM pending_jobs WHERE worker_id = %(id)s AND stop_at IS NOT NULL")


async def beat(db: Database, process: Process, running: list[str], *, pause: timedelta) -> list[str]:
    """Show that the process lives, and return which of its jobs somebody wants stopped.

    What it noted as running, longer than `pause` ago, and does not run any more is told again: jobs that left
    something undone, and those whose end could not be noted.
    """
    async with db.autocommit() as statements:
        await statements.run(
            BEAT,
            id=process.id,
            host=process.host,
            pid=process.pid,
            queues=list(process.queues),
            concurrency=process.concurrency,
        )
        await statements.run(GIVE_BACK, id=process.id, running=running, pause=pause)
        return await statements.values(LIST_STOPPED, id=process.id)


SET_STOPPED_ASIDE = SQL("""
    UPDATE pending_jobs
    SET worker_id = NULL, started_at = NULL, enqueued_at = NULL, tell_at = NULL, stop_at = NULL,
        set_aside_at = now(), error = 'stopped by an operator'
    WHERE id = ANY(%(ids)s) AND worker_id = %(worker_id)s AND stop_at IS NOT NULL
""")


async def set_stopped_aside(db: Database, ids: list[str], worker_id: UUID) -> None:
    """Note that jobs were cancelled as somebody wanted."""
    async with db.autocommit() as statements:
        await statements.run(SET_STOPPED_ASIDE, ids=ids, worker_id=worker_id)


LEAVE = SQL("DELETE FROM workers WHERE id = %(id)s")


async def leave(db: Database, worker_id: UUID) -> None:
    """Hand back what the process did not finish, and note that it is gone."""
    async with db.transaction() as tx:
        await tx.run(GIVE_BACK, id=worker_id, running=[], pause=timedelta(0))
        await tx.run(LEAVE, id=worker_id)


DELETE_DEAD = SQL("DELETE FROM workers WHERE heartbeat_at < now() - %(patience)s::interval")
# A statement of a dead process may go on and hold its rows: those are taken over when it has ended.
TAKE_OVER = SQL("""
    WITH lost AS (
        SELECT id, worker_id, started_at FROM pending_jobs
        WHERE worker_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = worker_id)
        FOR UPDATE SKIP LOCKED
    ), told AS (
        UPDATE pending_jobs
        SET worker_id = NULL, started_at = NULL, enqueued_at = NULL, crashes = crashes + 1, error = %(error)s,
            tell_at = CASE WHEN crashes + 1 < %(crashes)s THEN now() END,
            set_aside_at = CASE WHEN crashes + 1 >= %(crashes)s THEN now() END
        FROM lost WHERE pending_jobs.id = lost.id
        RETURNING pending_jobs.id, name, vendor_id, lost.worker_id, lost.started_at, set_aside_at
    ), noted AS (
        INSERT INTO job_runs (job_id, name, vendor_id, worker_id, started_at, outcome, error)
        SELECT id, name, vendor_id, worker_id, started_at, 'crash', %(error)s FROM told
    )
    SELECT id, set_aside_at IS NOT NULL AS is_set_aside FROM told
""")
_DIED: Final = "its worker process died, or lost the database, while it ran"


async def take_over(db: Database, *, patience: timedelta) -> list[Unfinished]:
    """Have told again what processes were running that showed no life for `patience`.

    One of them may have been about to tell a queue, or to run what it was told: that is told again, too.
    """
    async with db.autocommit() as statements:
        if await statements.run(DELETE_DEAD, patience=patience):
            await statements.run(FORGET_TOLD, ids=None)
        return await statements.all(Unfinished, TAKE_OVER, error=_DIED, crashes=CRASHES)
