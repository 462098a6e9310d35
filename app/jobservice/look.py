"""Seeing how it stands with jobs, workers and schedules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import to_builtins
from msgspec.structs import replace

from app.db import Page, Statements
from app.harbor.errors import NotFound
from app.harbor.query import ListQuery
from app.jobs import DELIVER_WEBHOOKS, SCHEDULER, TYPES, runs
from app.jobs.runs import EndedRun
from app.jobservice import control, store
from app.jobservice.model import JobSetAside, KindOfJob, RunningJob, Schedule, WorkerProcess
from app.resources import Resources
from app.webhooks.backlog import get_backlog

_RUNS_SHOWN: Final = 20
_NO_POOL: Final = "there is no such worker process"


async def list_kinds(statements: Statements) -> list[KindOfJob]:
    """Return how it stands with each kind of job; what is owed to webhooks lies in rows of its own."""
    webhooks = to_builtins(await get_backlog(statements), builtin_types=(datetime,))
    kinds = [
        replace(kind, **webhooks) if kind.name == DELIVER_WEBHOOKS.name else kind
        for kind in await store.list_kinds(statements, control.kinds())
    ]
    return sorted(kinds, key=lambda kind: TYPES[kind.name])


async def list_workers(statements: Statements) -> list[WorkerProcess]:
    """Return the worker processes."""
    return await store.list_workers(statements)


async def list_slots(r: Resources, pool_id: str) -> list[tuple[WorkerProcess, RunningJob | None]]:
    """Return what each worker of a process, or of `all`, does; None: nothing. Raise NotFound."""
    async with r.database.autocommit() as statements:
        processes = await store.list_workers(statements)
        running = await store.list_running(statements)
    if pool_id.lower() != control.ALL:
        processes = [process for process in processes if str(process.id) == pool_id.lower()]
        if not processes:
            raise NotFound(_NO_POOL)
    return [slot for process in processes for slot in _slots(process, running)]


def _slots(
    process: WorkerProcess, running: Sequence[RunningJob]
) -> list[tuple[WorkerProcess, RunningJob | None]]:
    busy: list[RunningJob | None] = [job for job in running if job.worker_id == process.id]
    idle = max(process.concurrency - len(busy), 0)
    return [(process, job) for job in (*busy, *[None] * idle)]


async def get_log(r: Resources, job_id: str) -> str:
    """Return what is kept of the last runs of a job, the last one first; raise NotFound."""
    async with r.database.autocommit() as statements:
        kept = await runs.list_of_job(statements, job_id, limit=_RUNS_SHOWN)
        error = await store.find_error(statements, job_id)
    if not kept and error is None:
        raise NotFound("nothing is kept of such a job")
    return "\n\n".join(map(_described, kept)) or (error or "it has not ended yet") + "\n"


def _described(run: EndedRun) -> str:
    began, ended = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (run.started_at, run.ended_at))
    head = f"{run.name} {run.outcome}, {began} to {ended}, worker {run.worker_id}"
    return "\n".join(part for part in (head, run.error, run.log or "it logged nothing") if part) + "\n"


async def list_set_aside(r: Resources, query: ListQuery) -> Page[JobSetAside]:
    """Return a page of the jobs that wait for an operator."""
    async with r.database.autocommit() as statements:
        return await store.SET_ASIDE.page(statements, query)


async def list_schedules(r: Resources, query: ListQuery) -> Page[Schedule]:
    """Return a page of the schedules."""
    async with r.database.autocommit() as statements:
        return await store.SCHEDULES.page(statements, query)


async def are_schedules_paused(r: Resources) -> bool:
    """Whether no schedule comes now."""
    async with r.database.autocommit() as statements:
        return bool(await store.list_paused(statements, [SCHEDULER]))
