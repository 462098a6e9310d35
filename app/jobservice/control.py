"""Pausing, resuming, stopping and retrying jobs: kinds of them, and single ones."""

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from app.db import Transaction
from app.events import (
    Cause,
    JobQueuePaused,
    JobQueueResumed,
    JobQueueStopped,
    JobRetried,
    JobStopped,
    SchedulePaused,
    ScheduleResumed,
    outbox,
)
from app.harbor.errors import NotFound
from app.jobs import DELIVER_WEBHOOKS, TYPES
from app.jobservice import store
from app.webhooks.backlog import stop_waiting

Action: TypeAlias = Literal["pause", "resume", "stop"]

ALL: Final = "all"
_NAMES: Final = {job_type: name for name, job_type in TYPES.items()}


def kinds() -> Sequence[str]:
    """Return every kind of job, and what has schedules come."""
    return tuple(_NAMES.values())


def names_of(job_type: str) -> Sequence[str]:
    """Return the kinds that are meant by a type in Harbor's writing, or by `all`; raise NotFound."""
    if job_type.lower() == ALL:
        return kinds()
    name = _NAMES.get(job_type.upper())
    if name is None:
        raise NotFound(f"there are no jobs of type {job_type[:100]!r}")
    return (name,)


async def act_on_kind(tx: Transaction, cause: Cause, job_type: str, *, action: Action) -> None:
    """Pause a kind of job, resume it, or set aside what of it waits; raise NotFound.

    Deliveries of webhooks are stopped: they can be replayed.
    """
    names = names_of(job_type)
    match action:
        case "pause":
            await store.insert_paused(tx, names)
            await outbox.record(tx, cause, JobQueuePaused(name=job_type))
        case "resume":
            await store.delete_paused(tx, names)
            await outbox.record(tx, cause, JobQueueResumed(name=job_type))
        case "stop":
            count = await store.update_stopped(tx, names)
            if DELIVER_WEBHOOKS.name in names:
                count += await stop_waiting(tx)
            await outbox.record(tx, cause, JobQueueStopped(name=job_type, count=count))


async def stop_job(tx: Transaction, cause: Cause, job_id: str) -> None:
    """Have a job that runs stopped, or `all`; its worker does it within a heartbeat. Raise NotFound."""
    is_all = job_id.lower() == ALL
    if not await store.update_stopping(tx, None if is_all else job_id) and not is_all:
        raise NotFound("no such job runs")
    await outbox.record(tx, cause, JobStopped(name=job_id))


async def retry_job(tx: Transaction, cause: Cause, job_id: str) -> None:
    """Owe a job again that was set aside; raise NotFound."""
    if not await store.update_retried(tx, job_id=job_id):
        raise NotFound("no such job is set aside")
    await outbox.record(tx, cause, JobRetried(name=job_id, count=1))


async def retry_kind(tx: Transaction, cause: Cause, job_type: str) -> int:
    """Owe again what of this type, or `all`, was set aside, and return how much; raise NotFound."""
    names = names_of(job_type)
    count = await store.update_retried(tx, name=names[0] if len(names) == 1 else None)
    await outbox.record(tx, cause, JobRetried(name=job_type, count=count))
    return count


async def pause_schedule(tx: Transaction, cause: Cause, schedule_id: int, *, is_paused: bool) -> None:
    """Pause a schedule, or resume it: then it comes once, if it was due meanwhile. Raise NotFound."""
    job = await store.update_schedule(tx, schedule_id, is_paused=is_paused)
    if job is None:
        raise NotFound("there is no such schedule")
    event = SchedulePaused if is_paused else ScheduleResumed
    await outbox.record(tx, cause, event(name=f"{schedule_id} ({job})"))
