"""Events: what happened, recorded with the change itself, told to whom it concerns afterwards."""

from app.events.types import (
    ArtifactDeleted,
    ArtifactPulled,
    ArtifactPushed,
    BlobDeleted,
    Cause,
    Event,
    ProjectCreated,
    RepositoryCreated,
    TagDeleted,
    TagMoved,
    decode_event,
)

__all__ = [
    "ArtifactDeleted",
    "ArtifactPulled",
    "ArtifactPushed",
    "BlobDeleted",
    "Cause",
    "Event",
    "ProjectCreated",
    "RepositoryCreated",
    "TagDeleted",
    "TagMoved",
    "decode_event",
]
