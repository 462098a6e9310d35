"""Every job: what runs for its name, and when those run that nobody asks for."""

from typing import Final, cast

from arq.typing import WorkerCoroutine
from arq.worker import Function, func

from app.jobs import (
    COUNT_PULLS,
    DELIVER_WEBHOOKS,
    DESCRIBE_ARTIFACTS,
    EXPIRE_SESSIONS,
    EXPIRE_UPLOADS,
    FORWARD_AUDIT_LOG,
    HASH_RECEIVED,
    PURGE_AUDIT_LOG,
    PURGE_JOB_RUNS,
    PURGE_WEBHOOK_LOG,
    QUEUES,
    RECOUNT_QUOTAS,
    REMOVE_ORPHANS,
    RENEW_SECRETS,
    WRITE_AUDIT_LOG,
    Job,
)
from workers.artifacts import describe_artifacts
from workers.audit import forward_audit_log, purge_audit_log, write_audit_log
from workers.events import count_pulls
from workers.jobs import purge_job_runs
from workers.quotas import recount_quotas
from workers.running import Run, Runner
from workers.sessions import expire_sessions
from workers.uploads import expire_uploads, hash_received, remove_orphans
from workers.vault import renew_secrets
from workers.webhooks import deliver_webhooks, purge_webhook_log

FOR_EVENTS: Final[dict[Job, Run]] = {
    WRITE_AUDIT_LOG: write_audit_log,
    FORWARD_AUDIT_LOG: forward_audit_log,
    COUNT_PULLS: count_pulls,
    DESCRIBE_ARTIFACTS: describe_artifacts,
    HASH_RECEIVED: hash_received,
}
"""Owed for events: `run(context, ids)` settles in the transaction of its effects what it did."""

SCHEDULED: Final[dict[Job, Run]] = {
    EXPIRE_UPLOADS: expire_uploads,
    REMOVE_ORPHANS: remove_orphans,
    EXPIRE_SESSIONS: expire_sessions,
    PURGE_AUDIT_LOG: purge_audit_log,
    PURGE_WEBHOOK_LOG: purge_webhook_log,
    RECOUNT_QUOTAS: recount_quotas,
    RENEW_SECRETS: renew_secrets,
    PURGE_JOB_RUNS: purge_job_runs,
}
"""Owed by a schedule: `run(context)`; `context["vendor_id"]` says what it is about."""

NUDGED: Final[dict[Job, Run]] = {DELIVER_WEBHOOKS: deliver_webhooks}
"""Told that there may be something to do, `run(context, ...)`: what it is, they find in rows of their own."""

NUDGED_QUEUES: Final = {job.queue for job in NUDGED}
"""What runs in them is bounded by what it finds, not by how often it is told."""

RUNS: Final = {**FOR_EVENTS, **SCHEDULED, **NUDGED}
OWED: Final = tuple(sorted((*FOR_EVENTS, *SCHEDULED), key=lambda job: QUEUES.index(job.queue)))
"""What the relay tells, first what goes first."""

SYSTEM_SCHEDULES: Final = {
    EXPIRE_UPLOADS: "0 */5 * * * *",
    REMOVE_ORPHANS: "0 */5 * * * *",
    EXPIRE_SESSIONS: "0 */5 * * * *",
    PURGE_AUDIT_LOG: "0 17 * * * *",
    PURGE_WEBHOOK_LOG: "0 27 * * * *",
    RECOUNT_QUOTAS: "0 47 * * * *",
    RENEW_SECRETS: "0 37 * * * *",
    PURGE_JOB_RUNS: "0 27 * * * *",
}
"""When jobs run that look after the registry; as an operator changed them, once they are in the database."""


def functions_of(queue: str, runner: Runner) -> list[Function]:
    """Return the jobs of a queue as arq wants them."""
    called = {
        **{job: runner.for_events(job, run) for job, run in FOR_EVENTS.items()},
        **{job: runner.scheduled(job, run) for job, run in SCHEDULED.items()},
        **{job: runner.nudged(job, run) for job, run in NUDGED.items()},
    }
    return [
        func(cast("WorkerCoroutine", run), name=job.name) for job, run in called.items() if job.queue == queue
    ]
