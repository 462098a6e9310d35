"""What happens after each event: the only place that says so."""

from typing import Final

from app.events import (
    ArtifactDeleted,
    ArtifactPulled,
    ArtifactPushed,
    BlobDeleted,
    Event,
    ProjectCreated,
    RepositoryCreated,
    TagDeleted,
    TagMoved,
)
from app.jobs import COUNT_PULLS, WRITE_AUDIT_LOG, Job

SUBSCRIPTIONS: Final[dict[type[Event], tuple[Job, ...]]] = {
    ProjectCreated: (WRITE_AUDIT_LOG,),
    RepositoryCreated: (WRITE_AUDIT_LOG,),
    ArtifactPushed: (WRITE_AUDIT_LOG,),
    ArtifactPulled: (WRITE_AUDIT_LOG, COUNT_PULLS),
    ArtifactDeleted: (WRITE_AUDIT_LOG,),
    TagMoved: (WRITE_AUDIT_LOG,),
    TagDeleted: (WRITE_AUDIT_LOG,),
    BlobDeleted: (WRITE_AUDIT_LOG,),
}
