"""Jobs that are owed, as tests make and see them."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from app.db import SQL
from app.events import BlobDeleted, Cause
from app.events.types import Recorded
from app.jobs import WRITE_AUDIT_LOG, Job, pending
from app.jobs.pending import Owed
from app.jobs.running import Process
from app.resources import Resources

JOB = WRITE_AUDIT_LOG
PATIENCE = timedelta(minutes=2)
CLEAN = SQL("TRUNCATE pending_jobs, workers, paused_jobs, schedules, job_runs")
COME = SQL("UPDATE pending_jobs SET tell_at = now() WHERE tell_at IS NOT NULL AND worker_id IS NULL")
STATE = SQL("""
    SELECT id, failures, crashes, error, worker_id IS NOT NULL AS runs,
        set_aside_at IS NOT NULL AS is_set_aside,
        coalesce(extract(epoch FROM tell_at - now())::float, -1) AS told_in
    FROM pending_jobs ORDER BY id
""")


def process() -> Process:
    return Process(id=uuid4(), host="here", pid=1, queues=("events",), concurrency=1)


async def owe(r: Resources, *names: str, job: Job = JOB) -> list[str]:
    """Owe a job for each; the ids are in their order."""
    events = [
        Recorded(uuid4(), datetime.now(UTC), BlobDeleted("team/app", name), Cause("admin", "here", ""))
        for name in names
    ]
    async with r.database.transaction() as tx:
        await pending.insert(tx, [(job, event) for event in events])
    return [f"{job.name}:{event.event_id}" for event in events]


async def told(r: Resources, *jobs: Job) -> list[Owed]:
    await run(r, COME)
    return await pending.take_due(r.database, jobs or [JOB], patience=PATIENCE, limit=100)


async def run(r: Resources, statement: SQL, **values: object) -> None:
    async with r.database.autocommit() as statements:
        await statements.run(statement, **values)


async def value(r: Resources, statement: SQL) -> Any:
    async with r.database.autocommit() as statements:
        return await statements.value(statement)


async def states(r: Resources) -> dict[str, dict[str, Any]]:
    async with r.database.autocommit() as statements:
        return {row["id"]: row for row in await statements.all(dict[str, Any], STATE)}


async def settle(r: Resources, ids: list[str]) -> None:
    async with r.database.transaction() as tx:
        await pending.settle(tx, ids)


async def awaited(called: Awaitable[object]) -> None:
    await called
