"""Every job: what runs for its name, and how often those run that nobody asks for."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, TypeAlias, cast

from arq.cron import CronJob, cron
from arq.typing import WorkerCoroutine
from arq.worker import Function, func

from app.jobs import (
    COUNT_PULLS,
    DESCRIBE_ARTIFACTS,
    EXPIRE_SESSIONS,
    EXPIRE_UPLOADS,
    FORWARD_AUDIT_LOG,
    HASH_RECEIVED,
    PURGE_AUDIT_LOG,
    RECOUNT_QUOTAS,
    REMOVE_ORPHANS,
    RENEW_SECRETS,
    WRITE_AUDIT_LOG,
    Job,
)
from workers.artifacts import describe_artifacts
from workers.audit import forward_audit_log, purge_audit_log, write_audit_log
from workers.events import count_pulls
from workers.quotas import recount_quotas
from workers.sessions import expire_sessions
from workers.uploads import expire_uploads, hash_received, remove_orphans
from workers.vault import renew_secrets

Run: TypeAlias = Callable[..., Awaitable[Any]]

RUNS: Final[dict[Job, Run]] = {
    WRITE_AUDIT_LOG: write_audit_log,
    FORWARD_AUDIT_LOG: forward_audit_log,
    PURGE_AUDIT_LOG: purge_audit_log,
    COUNT_PULLS: count_pulls,
    DESCRIBE_ARTIFACTS: describe_artifacts,
    HASH_RECEIVED: hash_received,
    EXPIRE_UPLOADS: expire_uploads,
    REMOVE_ORPHANS: remove_orphans,
    EXPIRE_SESSIONS: expire_sessions,
    RECOUNT_QUOTAS: recount_quotas,
    RENEW_SECRETS: renew_secrets,
}

LONGEST: Final[dict[Job, timedelta]] = {HASH_RECEIVED: timedelta(hours=24)}
"""How long a job may take, where the five minutes of the others are too few."""

EVERY_FIVE_MINUTES: Final = frozenset(range(0, 60, 5))
PERIODIC: Final[dict[Job, frozenset[int]]] = {
    EXPIRE_UPLOADS: EVERY_FIVE_MINUTES,
    REMOVE_ORPHANS: EVERY_FIVE_MINUTES,
    EXPIRE_SESSIONS: EVERY_FIVE_MINUTES,
    PURGE_AUDIT_LOG: frozenset({17}),
    RECOUNT_QUOTAS: frozenset({47}),
    RENEW_SECRETS: frozenset({37}),
}
"""At which minutes of the hour a job runs, and at every start of a worker."""


def functions_of(queue: str) -> list[Function]:
    """Return the jobs of a queue as arq wants them."""
    return [
        func(cast("WorkerCoroutine", run), name=job.name, timeout=LONGEST.get(job))
        for job, run in RUNS.items()
        if job.queue == queue
    ]


def periodic_of(queue: str) -> list[CronJob]:
    """Return the periodic jobs of a queue as arq wants them."""
    return [
        cron(
            cast("WorkerCoroutine", RUNS[job]),
            name=f"cron_{job.name}",
            minute=set(minutes),
            run_at_startup=True,
        )
        for job, minutes in PERIODIC.items()
        if job.queue == queue
    ]
