"""Jobs, workers and schedules as operators see them."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class KindOfJob(Struct, frozen=True):
    """How it stands with the jobs of one kind."""

    name: str
    waiting: int = 0
    running: int = 0
    set_aside: int = 0
    oldest_at: datetime | None = None
    age_seconds: int = 0
    is_paused: bool = False


class WorkerProcess(Struct, frozen=True):
    """A worker process."""

    id: UUID
    host: str
    pid: int
    queues: list[str]
    concurrency: int
    started_at: datetime
    heartbeat_at: datetime


class RunningJob(Struct, frozen=True):
    """What a worker process does: a job, or several that share a run."""

    worker_id: UUID
    name: str
    started_at: datetime
    job_id: str
    jobs: int


class JobSetAside(Struct, frozen=True):
    """A job that waits for an operator."""

    id: str
    name: str
    created_at: datetime
    set_aside_at: datetime
    failures: int
    crashes: int
    error: str


class Schedule(Struct, frozen=True):
    """When a job comes again."""

    id: int
    job: str
    vendor_id: int
    cron: str
    time_zone: str
    next_at: datetime | None
    last_at: datetime | None
    paused_at: datetime | None
    updated_at: datetime
