"""What happens after each event: the only place that says so."""

from typing import Final, get_args

from app.events import ArtifactCopied, ArtifactPulled, ArtifactPushed, BlobReceived, Event
from app.jobs import (
    COUNT_PULLS,
    DESCRIBE_ARTIFACTS,
    FORWARD_AUDIT_LOG,
    HASH_RECEIVED,
    WRITE_AUDIT_LOG,
    Job,
)
from app.settings import Settings

_FURTHER: Final[dict[type[Event], tuple[Job, ...]]] = {
    ArtifactPulled: (COUNT_PULLS,),
    ArtifactPushed: (DESCRIBE_ARTIFACTS,),
    ArtifactCopied: (DESCRIBE_ARTIFACTS,),
    BlobReceived: (HASH_RECEIVED,),
}

SUBSCRIPTIONS: Final[dict[type[Event], tuple[Job, ...]]] = {
    kind: (WRITE_AUDIT_LOG, FORWARD_AUDIT_LOG, *_FURTHER.get(kind, ())) for kind in get_args(Event)
}


def jobs_for(kind: type[Event], settings: Settings) -> tuple[Job, ...]:
    """Return the jobs that an event owes, less those that the settings have nothing to do for."""
    idle = () if settings.audit.forward_to else (FORWARD_AUDIT_LOG,)
    return tuple(job for job in SUBSCRIPTIONS[kind] if job not in idle)
