"""Jobs, workers and schedules as JSON, in Harbor's shapes."""

from datetime import datetime
from typing import Any, Literal, Self

from msgspec import Struct

from app.jobs import TYPES
from app.jobservice.model import JobSetAside as Aside
from app.jobservice.model import KindOfJob, RunningJob, Schedule, WorkerProcess


def type_of(name: str) -> str:
    """Return how clients call a kind of job; one that only a newer version knows is shown all the same."""
    return TYPES.get(name, name.upper())


class JobQueue(Struct, frozen=True):
    """Jobs of one type that wait; `latency` is the age of the oldest in seconds."""

    job_type: str
    count: int
    latency: int
    paused: bool
    running: int
    set_aside: int

    @classmethod
    def of(cls, kind: KindOfJob) -> Self:
        """Return a kind of job as clients see it."""
        return cls(
            type_of(kind.name), kind.waiting, kind.age_seconds, kind.is_paused, kind.running, kind.set_aside
        )


class ActionRequest(Struct, frozen=True):
    """What to do with the jobs of a type that wait."""

    action: Literal["pause", "resume", "stop"]


class ScheduleActionRequest(Struct, frozen=True):
    """What to do with a schedule."""

    action: Literal["pause", "resume"]


class WorkerPool(Struct, frozen=True):
    """A worker process."""

    pid: int
    worker_pool_id: str
    start_at: datetime
    heartbeat_at: datetime
    concurrency: int
    host: str
    queues: list[str]

    @classmethod
    def of(cls, process: WorkerProcess) -> Self:
        """Return a worker process as clients see it."""
        return cls(
            process.pid,
            str(process.id),
            process.started_at,
            process.heartbeat_at,
            process.concurrency,
            process.host,
            process.queues,
        )


class Worker(Struct, frozen=True, omit_defaults=True):
    """What a process can do at once besides others; without a job it is idle."""

    id: str
    pool_id: str
    job_name: str = ""
    job_id: str = ""
    start_at: datetime | None = None
    check_in: str = ""
    checkin_at: datetime | None = None

    @classmethod
    def of(cls, number: int, process: WorkerProcess, job: RunningJob | None) -> Self:
        """Return one of the workers as clients see it."""
        pool_id = str(process.id)
        if job is None:
            return cls(f"{pool_id}-{number}", pool_id)
        return cls(
            f"{pool_id}-{number}",
            pool_id,
            job_name=type_of(job.name),
            job_id=job.job_id,
            start_at=job.started_at,
            check_in=f"{job.jobs} at once" if job.jobs > 1 else "",
            checkin_at=process.heartbeat_at,
        )


class JobSetAside(Struct, frozen=True):
    """A job that failed or crashed too often, or was stopped: it waits until somebody has it retried."""

    id: str
    job_type: str
    creation_time: datetime
    set_aside_time: datetime
    failures: int
    crashes: int
    error: str

    @classmethod
    def of(cls, job: Aside) -> Self:
        """Return a job as clients see it."""
        return cls(
            job.id,
            type_of(job.name),
            job.created_at,
            job.set_aside_at,
            job.failures,
            job.crashes,
            job.error,
        )


class ScheduleTask(Struct, frozen=True):
    """When a job comes again, about what `vendor_id` names, if anything."""

    id: int
    vendor_type: str
    vendor_id: int
    cron: str
    update_time: datetime
    extra_attrs: dict[str, Any]
    time_zone: str
    paused: bool
    next_time: datetime | None
    last_time: datetime | None

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        """Return a schedule as clients see it."""
        return cls(
            schedule.id,
            type_of(schedule.job),
            schedule.vendor_id,
            schedule.cron,
            schedule.updated_at,
            {},
            schedule.time_zone,
            schedule.paused_at is not None,
            schedule.next_at,
            schedule.last_at,
        )


class SchedulerStatus(Struct, frozen=True):
    """Whether no schedule comes now."""

    paused: bool
