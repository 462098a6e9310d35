"""What ran and how it ended: scheduled jobs, and jobs of every kind that failed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from app.db import SQL, Database, Statements


class Run(Struct, frozen=True):
    """One run of a job that has ended; `outcome` is success, error, crash or stopped."""

    job_id: str
    name: str
    vendor_id: int | None
    worker_id: UUID
    started_at: datetime
    outcome: str
    error: str = ""
    log: str = ""


class EndedRun(Run, frozen=True, kw_only=True):
    """A run as it lies in the database."""

    ended_at: datetime


INSERT = SQL("""
    INSERT INTO job_runs (job_id, name, vendor_id, worker_id, started_at, outcome, error, log)
    VALUES (
        %(job_id)s, %(name)s, %(vendor_id)s, %(worker_id)s, %(started_at)s, %(outcome)s, %(error)s, %(log)s
    )
""")


async def insert(db: Database, run: Run) -> None:
    """Keep how a run ended."""
    async with db.autocommit() as statements:
        await statements.run(
            INSERT,
            job_id=run.job_id,
            name=run.name,
            vendor_id=run.vendor_id,
            worker_id=run.worker_id,
            started_at=run.started_at,
            outcome=run.outcome,
            error=run.error,
            log=run.log,
        )


LIST_OF_JOB = SQL("""
    SELECT job_id, name, vendor_id, worker_id, started_at, ended_at, outcome, error, log FROM job_runs
    WHERE job_id = %(job_id)s ORDER BY id DESC LIMIT %(limit)s
""")


async def list_of_job(statements: Statements, job_id: str, *, limit: int) -> Sequence[EndedRun]:
    """Return the last runs of a job, the last one first."""
    return await statements.all(EndedRun, LIST_OF_JOB, job_id=job_id, limit=limit)


LIST_FAILED = SQL("""
    SELECT job_id, name, vendor_id, worker_id, started_at, ended_at, outcome, error, '' AS log FROM job_runs
    WHERE outcome IN ('error', 'crash') ORDER BY id DESC LIMIT %(limit)s
""")


async def list_failed(statements: Statements, *, limit: int) -> Sequence[EndedRun]:
    """Return the last runs that failed, without their logs, the last one first."""
    return await statements.all(EndedRun, LIST_FAILED, limit=limit)


PURGE = SQL("DELETE FROM job_runs WHERE ended_at < now() - %(retention)s::interval")


async def purge(db: Database, retention: timedelta) -> int:
    """Forget runs that ended longer ago, and return how many."""
    async with db.autocommit() as statements:
        return await statements.run(PURGE, retention=retention)
