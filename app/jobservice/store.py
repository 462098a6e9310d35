"""Statements on jobs, workers and schedules, as operators see and change them."""

from collections.abc import Sequence
from typing import Final

from app.db import SQL, Column, Listing, Statements, Transaction
from app.jobs.running import CRASHES
from app.jobservice.model import JobSetAside, KindOfJob, RunningJob, Schedule, WorkerProcess

LIST_KINDS = SQL("""
    SELECT kind.name,
        coalesce(waiting, 0) AS waiting, coalesce(running, 0) AS running, coalesce(set_aside, 0) AS set_aside,
        oldest_at, coalesce(extract(epoch FROM now() - oldest_at)::bigint, 0) AS age_seconds,
        EXISTS (SELECT 1 FROM paused_jobs WHERE paused_jobs.name = kind.name) AS is_paused
    FROM unnest(%(names)s::text[]) AS kind (name)
    LEFT JOIN (
        SELECT name,
            count(*) FILTER (WHERE worker_id IS NULL AND set_aside_at IS NULL) AS waiting,
            count(*) FILTER (WHERE worker_id IS NOT NULL) AS running,
            count(*) FILTER (WHERE set_aside_at IS NOT NULL) AS set_aside,
            min(created_at) FILTER (WHERE worker_id IS NULL AND set_aside_at IS NULL) AS oldest_at
        FROM pending_jobs GROUP BY name
    ) AS pending ON pending.name = kind.name
""")


async def list_kinds(statements: Statements, names: Sequence[str]) -> list[KindOfJob]:
    """Return how it stands with the jobs of these kinds."""
    return await statements.all(KindOfJob, LIST_KINDS, names=list(names))


LIST_PAUSED = SQL("SELECT name FROM paused_jobs WHERE name = ANY(%(names)s)")


async def list_paused(statements: Statements, names: Sequence[str]) -> list[str]:
    """Return which of these are paused."""
    return await statements.values(LIST_PAUSED, names=list(names))


INSERT_PAUSED = SQL("""
    INSERT INTO paused_jobs (name) SELECT unnest(%(names)s::text[]) ON CONFLICT (name) DO NOTHING
""")


async def insert_paused(tx: Transaction, names: Sequence[str]) -> None:
    """Pause kinds of jobs."""
    await tx.run(INSERT_PAUSED, names=list(names))


DELETE_PAUSED = SQL("DELETE FROM paused_jobs WHERE name = ANY(%(names)s)")
UPDATE_RESUMED = SQL("""
    UPDATE pending_jobs SET enqueued_at = NULL, tell_at = now()
    WHERE name = ANY(%(names)s) AND worker_id IS NULL AND enqueued_at IS NOT NULL
""")


async def delete_paused(tx: Transaction, names: Sequence[str]) -> None:
    """Resume kinds of jobs, also what queues were told of and workers refused meanwhile."""
    await tx.run(DELETE_PAUSED, names=list(names))
    await tx.run(UPDATE_RESUMED, names=list(names))


UPDATE_STOPPED = SQL("""
    UPDATE pending_jobs
    SET enqueued_at = NULL, tell_at = NULL, set_aside_at = now(), error = 'stopped by an operator'
    WHERE name = ANY(%(names)s) AND worker_id IS NULL AND set_aside_at IS NULL
""")


async def update_stopped(tx: Transaction, names: Sequence[str]) -> int:
    """Set aside what waits, and return how much that was."""
    return await tx.run(UPDATE_STOPPED, names=list(names))


UPDATE_STOPPING = SQL("""
    UPDATE pending_jobs SET stop_at = now()
    WHERE worker_id IS NOT NULL AND (%(job_id)s::text IS NULL OR id = %(job_id)s)
""")


async def update_stopping(tx: Transaction, job_id: str | None) -> int:
    """Have a running job stopped, or all of them; return how many."""
    return await tx.run(UPDATE_STOPPING, job_id=job_id)


UPDATE_RETRIED = SQL("""
    UPDATE pending_jobs
    SET set_aside_at = NULL, tell_at = now(), failures = 0, crashes = least(crashes, %(crashes)s - 1)
    WHERE set_aside_at IS NOT NULL
        AND (%(job_id)s::text IS NULL OR id = %(job_id)s) AND (%(name)s::text IS NULL OR name = %(name)s)
""")


async def update_retried(tx: Transaction, *, job_id: str | None = None, name: str | None = None) -> int:
    """Owe again what was set aside; what crashed is set aside again at its first crash. Return how many."""
    return await tx.run(UPDATE_RETRIED, job_id=job_id, name=name, crashes=CRASHES)


SET_ASIDE: Final = Listing(
    JobSetAside,
    rows="""
        SELECT id, name, created_at, set_aside_at, failures, crashes, error FROM pending_jobs
        WHERE set_aside_at IS NOT NULL AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="SELECT count(*) FROM pending_jobs WHERE set_aside_at IS NOT NULL AND {conditions}",
    columns={"job_name": Column("name"), "id": Column("id")},
    order="set_aside_at DESC, id",
)

LIST_WORKERS = SQL("""
    SELECT id, host, pid, queues, concurrency, started_at, heartbeat_at FROM workers ORDER BY started_at, id
""")


async def list_workers(statements: Statements) -> list[WorkerProcess]:
    """Return the worker processes."""
    return await statements.all(WorkerProcess, LIST_WORKERS)


LIST_RUNNING = SQL("""
    SELECT worker_id, name, started_at, min(id) AS job_id, count(*) AS jobs FROM pending_jobs
    WHERE worker_id IS NOT NULL GROUP BY worker_id, name, started_at ORDER BY started_at, job_id
""")


async def list_running(statements: Statements) -> list[RunningJob]:
    """Return what runs."""
    return await statements.all(RunningJob, LIST_RUNNING)


FIND_ERROR = SQL("SELECT error FROM pending_jobs WHERE id = %(job_id)s")


async def find_error(statements: Statements, job_id: str) -> str | None:
    """Return how a job that is owed failed last, empty where it did not; None: it is not owed."""
    found: str | None = await statements.value(FIND_ERROR, job_id=job_id)
    return found


SCHEDULES: Final = Listing(
    Schedule,
    rows="""
        SELECT id, job, vendor_id, cron, time_zone, next_at, last_at, paused_at, updated_at FROM schedules
        WHERE {conditions} ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="SELECT count(*) FROM schedules WHERE {conditions}",
    columns={"id": Column("id", int)},
    order="id",
)

UPDATE_SCHEDULE = SQL("""
    UPDATE schedules
    SET paused_at = CASE WHEN %(is_paused)s THEN coalesce(paused_at, now()) END, updated_at = now()
    WHERE id = %(schedule_id)s RETURNING job
""")


async def update_schedule(tx: Transaction, schedule_id: int, *, is_paused: bool) -> str | None:
    """Pause or resume a schedule and return its job; None: there is no such schedule."""
    found: str | None = await tx.value(UPDATE_SCHEDULE, schedule_id=schedule_id, is_paused=is_paused)
    return found
