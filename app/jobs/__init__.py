"""Names and queues of every job, so that `app` never imports `workers`."""

from datetime import timedelta
from typing import Final, NamedTuple


class Queue(NamedTuple):
    """Work of one kind; each queue has its own workers, so that a slow kind never holds up another.

    A job may take `timeout`, unless it says otherwise. Jobs that events owe wait for `gather`, so that those
    of a burst share a run. How many run at once, and how often one is tried, is set (`app.settings.workers`).
    """

    name: str
    timeout: timedelta = timedelta(minutes=5)
    gather: timedelta = timedelta(0)


QUEUE_TABLE: Final = (
    Queue("events", gather=timedelta(milliseconds=250)),
    Queue("webhooks"),
    Queue("scans", timeout=timedelta(minutes=30)),
    Queue("replication", timeout=timedelta(hours=24)),
    Queue("maintenance"),
)
"""What stands first is told to its workers first."""
QUEUES: Final = tuple(queue.name for queue in QUEUE_TABLE)
_TIMEOUTS: Final = {queue.name: queue.timeout for queue in QUEUE_TABLE}


class Job(NamedTuple):
    """One kind of background work: idempotent, as it may run again after it ran."""

    name: str
    queue: str
    own_timeout: timedelta | None = None
    harbor: str = ""

    @property
    def type(self) -> str:
        """Its name as Harbor has it, or as Harbor would write it."""
        return self.harbor or self.name.upper()

    @property
    def timeout(self) -> timedelta:
        """How long it may take."""
        return self.own_timeout or _TIMEOUTS[self.queue]


WRITE_AUDIT_LOG: Final = Job("write_audit_log", "events")
FORWARD_AUDIT_LOG: Final = Job("forward_audit_log", "events")
COUNT_PULLS: Final = Job("count_pulls", "events")
DESCRIBE_ARTIFACTS: Final = Job("describe_artifacts", "events")
DELIVER_WEBHOOKS: Final = Job("deliver_webhooks", "webhooks", harbor="WEBHOOK")
PURGE_WEBHOOK_LOG: Final = Job("purge_webhook_log", "maintenance")
HASH_RECEIVED: Final = Job("hash_received", "maintenance", own_timeout=timedelta(hours=24))
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

QUEUES_IN_USE: Final = tuple(queue for queue in QUEUES if any(job.queue == queue for job in JOBS))
"""The others need no workers yet."""

COMING: Final = (
    Job("scan_artifacts", "scans", harbor="IMAGE_SCAN"),
    Job("replicate", "replication", harbor="REPLICATION"),
)
"""What queues are there for that have no jobs yet: operators see it and can pause it."""

SCHEDULER: Final = "scheduler"
"""Paused like a kind of job: no schedule comes meanwhile."""

TYPES: Final = {**{job.name: job.type for job in (*JOBS, *COMING)}, SCHEDULER: SCHEDULER.upper()}
"""What operators see of a name."""
