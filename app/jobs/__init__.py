"""Names and queues of every job, so that `app` never imports `workers`."""

from datetime import timedelta
from typing import Final, NamedTuple


class Queue(NamedTuple):
    """Work of one kind; each queue has its own workers, so that a slow kind never holds up another.

    Jobs that events owe wait for `gather`, so that those of a burst share a run.
    """

    name: str
    gather: timedelta = timedelta(0)


class Job(NamedTuple):
    """One kind of background work: idempotent, as it may run again after it ran."""

    name: str
    queue: str
    timeout: timedelta = timedelta(minutes=5)
    harbor: str = ""

    @property
    def type(self) -> str:
        """Its name as Harbor has it, or as Harbor would write it."""
        return self.harbor or self.name.upper()


QUEUE_TABLE: Final = (
    Queue("events", gather=timedelta(milliseconds=250)),
    Queue("webhooks"),
    Queue("maintenance"),
)
"""What stands first is told to its workers first."""
QUEUES: Final = tuple(queue.name for queue in QUEUE_TABLE)

WRITE_AUDIT_LOG: Final = Job("write_audit_log", "events")
FORWARD_AUDIT_LOG: Final = Job("forward_audit_log", "events")
COUNT_PULLS: Final = Job("count_pulls", "events")
DESCRIBE_ARTIFACTS: Final = Job("describe_artifacts", "events")
DELIVER_WEBHOOKS: Final = Job("deliver_webhooks", "webhooks", harbor="WEBHOOK")
PURGE_WEBHOOK_LOG: Final = Job("purge_webhook_log", "maintenance")
HASH_RECEIVED: Final = Job("hash_received", "maintenance", timeout=timedelta(hours=24))
PURGE_AUDIT_LOG: Final = Job("purge_audit_log", "maintenance")
EXPIRE_UPLOADS: Final = Job("expire_uploads", "maintenance")
REMOVE_ORPHANS: Final = Job("remove_orphans", "maintenance")
EXPIRE_SESSIONS: Final = Job("expire_sessions", "maintenance")
RECOUNT_QUOTAS: Final = Job("recount_quotas", "maintenance")
RENEW_SECRETS: Final = Job("renew_secrets", "maintenance")
PURGE_JOB_RUNS: Final = Job("purge_job_runs", "maintenance")

JOBS: Final = (
    WRITE_AUDIT_LOG,
    FORWARD_AUDIT_LOG,
    COUNT_PULLS,
    DESCRIBE_ARTIFACTS,
    DELIVER_WEBHOOKS,
    PURGE_WEBHOOK_LOG,
    HASH_RECEIVED,
    PURGE_AUDIT_LOG,
    EXPIRE_UPLOADS,
    REMOVE_ORPHANS,
    EXPIRE_SESSIONS,
    RECOUNT_QUOTAS,
    RENEW_SECRETS,
    PURGE_JOB_RUNS,
)

SCHEDULER: Final = "scheduler"
"""Paused like a kind of job: no schedule comes meanwhile."""

TYPES: Final = {**{job.name: job.type for job in JOBS}, SCHEDULER: SCHEDULER.upper()}
"""What operators see of a name."""
