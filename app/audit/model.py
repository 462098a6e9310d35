"""What the audit log keeps of an event."""

from datetime import datetime
from typing import Final, Self
from uuid import UUID

from msgspec import Struct

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
from app.events.types import Recorded


class AuditEntry(Struct, frozen=True):
    """Who did what to which resource, when and from where."""

    event_id: UUID
    occurred_at: datetime
    username: str
    operation: str
    resource_type: str
    resource: str
    project_name: str
    repository_name: str
    tag: str
    address: str
    request_id: str

    @classmethod
    def of(cls, recorded: Recorded) -> Self:
        """Return the entry for an event."""
        event = recorded.event
        operation, resource_type = _WORDS[type(event)]
        repository = getattr(event, "repository_name", "")
        digest = getattr(event, "digest", "")
        tag = getattr(event, "tag", "") or _only(getattr(event, "tags", ()))
        name = repository or getattr(event, "project_name", "")
        return cls(
            event_id=recorded.event_id,
            occurred_at=recorded.recorded_at,
            username=recorded.cause.username,
            operation=operation,
            resource_type=resource_type,
            resource=name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else ""),
            project_name=name.partition("/")[0],
            repository_name=repository,
            tag=tag,
            address=recorded.cause.address,
            request_id=recorded.cause.request_id,
        )


_WORDS: Final[dict[type[Event], tuple[str, str]]] = {
    ProjectCreated: ("create", "project"),
    RepositoryCreated: ("create", "repository"),
    ArtifactPushed: ("push", "artifact"),
    ArtifactPulled: ("pull", "artifact"),
    ArtifactDeleted: ("delete", "artifact"),
    TagMoved: ("update", "tag"),
    TagDeleted: ("delete", "tag"),
    BlobDeleted: ("delete", "blob"),
}
"""Operation and resource type of each event, in Harbor's words."""


def _only(tags: tuple[str, ...]) -> str:
    return tags[0] if len(tags) == 1 else ""
