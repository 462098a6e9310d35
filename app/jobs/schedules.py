"""Schedules: what is owed again and again, once each time, however many workers there are."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from app.db import SQL, Database, Transaction
from app.jobs import SCHEDULER, Job
from app.jobs.cron import BadCron, next_after
from app.jobs.running import CRASHES

_BATCH: Final = 100


class _Due(Struct, frozen=True):
    id: int
    job: str
    vendor_id: int
    cron: str
    time_zone: str
    now: datetime


UPSERT = SQL("""
    INSERT INTO schedules (job, vendor_id, cron, time_zone, next_at)
    VALUES (%(job)s, %(vendor_id)s, %(cron)s, %(time_zone)s, %(next_at)s::timestamptz)
    ON CONFLICT (job, vendor_id) DO UPDATE
    SET cron = excluded.cron, time_zone = excluded.time_zone, next_at = excluded.next_at, updated_at = now()
    RETURNING id
""")
NOW = SQL("SELECT now()")


async def set_schedule(
    tx: Transaction, job: Job, vendor_id: int, *, cron: str, time_zone: str = "UTC"
) -> int:
    """Have the job run at these moments, about this policy or whatever it has ids of; return its id.

    Raises:
        BadCron: they are none.
    """
    next_at = next_after(cron, time_zone, await tx.value(NOW))
    values = {"job": job.name, "vendor_id": vendor_id, "cron": cron, "time_zone": time_zone}
    return int(await tx.value(UPSERT, **values, next_at=next_at))


SEED = SQL("""
    INSERT INTO schedules (job, cron, next_at)
    SELECT job, cron, now() FROM unnest(%(jobs)s::text[], %(crons)s::text[]) AS seed (job, cron)
    ON CONFLICT (job, vendor_id) DO NOTHING
""")


async def seed(db: Database, schedules: dict[Job, str]) -> None:
    """Add schedules of the system that are not there yet; they come at once, and then at their moments."""
    async with db.autocommit() as statements:
        await statements.run(SEED, jobs=[job.name for job in schedules], crons=list(schedules.values()))


DELETE = SQL("DELETE FROM schedules WHERE job = %(job)s AND vendor_id = %(vendor_id)s")


async def drop_schedule(tx: Transaction, job: Job, vendor_id: int) -> bool:
    """End a schedule; False when there is none."""
    return await tx.run(DELETE, job=job.name, vendor_id=vendor_id) == 1


TAKE_DUE = SQL("""
    SELECT id, job, vendor_id, cron, time_zone, now() AS now FROM schedules
    WHERE next_at <= now() AND paused_at IS NULL AND job = ANY(%(jobs)s::text[])
        AND NOT EXISTS (SELECT 1 FROM paused_jobs WHERE name = %(scheduler)s)
    ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
""")
OWE = SQL("""
    INSERT INTO pending_jobs (id, queue, name, vendor_id)
    SELECT name || ':schedule:' || id, queue, name, vendor_id
    FROM unnest(%(ids)s::bigint[], %(queues)s::text[], %(names)s::text[], %(vendor_ids)s::bigint[])
        AS due (id, queue, name, vendor_id)
    ON CONFLICT (id) DO UPDATE
    SET tell_at = now(), set_aside_at = NULL, crashes = least(pending_jobs.crashes, %(crashes)s - 1),
        failures = CASE WHEN pending_jobs.set_aside_at IS NULL THEN pending_jobs.failures ELSE 0 END
    WHERE pending_jobs.worker_id IS NULL AND pending_jobs.enqueued_at IS NULL
""")
ADVANCE = SQL("""
    UPDATE schedules SET last_at = now(), next_at = due.next_at
    FROM unnest(%(ids)s::bigint[], %(next)s::timestamptz[]) AS due (id, next_at)
    WHERE schedules.id = due.id
""")


async def fire(db: Database, jobs: dict[str, Job]) -> int:
    """Owe what is due, once: also what has been missed several times, and not what still runs.

    What failed before is tried again now, also where it had been set aside.
    """
    async with db.transaction() as tx:
        due = await tx.all(_Due, TAKE_DUE, jobs=list(jobs), scheduler=SCHEDULER, limit=_BATCH)
        if due:
            await tx.run(
                OWE,
                ids=[one.id for one in due],
                queues=[jobs[one.job].queue for one in due],
                names=[one.job for one in due],
                vendor_ids=[one.vendor_id for one in due],
                crashes=CRASHES,
            )
            await tx.run(ADVANCE, ids=[one.id for one in due], next=[_next(one) for one in due])
    return len(due)


def _next(due: _Due) -> datetime | None:
    try:
        return next_after(due.cron, due.time_zone, due.now)
    except BadCron:
        # Such as a time zone that the system forgot: it stays, and comes no more.
        return None
