"""Names and queues of every job, so that `app` never imports `workers`."""

from typing import Final, NamedTuple


class Job(NamedTuple):
    """One kind of background work."""

    name: str
    queue: str


QUEUES: Final = ("events", "maintenance")
"""One queue per kind of work, so that a slow kind never holds up another."""

WRITE_AUDIT_LOG: Final = Job("write_audit_log", "events")
FORWARD_AUDIT_LOG: Final = Job("forward_audit_log", "events")
COUNT_PULLS: Final = Job("count_pulls", "events")
DESCRIBE_ARTIFACTS: Final = Job("describe_artifacts", "events")
HASH_RECEIVED: Final = Job("hash_received", "maintenance")
PURGE_AUDIT_LOG: Final = Job("purge_audit_log", "maintenance")
EXPIRE_UPLOADS: Final = Job("expire_uploads", "maintenance")
REMOVE_ORPHANS: Final = Job("remove_orphans", "maintenance")
EXPIRE_SESSIONS: Final = Job("expire_sessions", "maintenance")
RECOUNT_QUOTAS: Final = Job("recount_quotas", "maintenance")
RENEW_SECRETS: Final = Job("renew_secrets", "maintenance")
