"""The kinds of events that a policy can name: Harbor's, and tags and repositories, which Harbor lacks."""

from typing import Final, NamedTuple

from app.events import (
    ArtifactCopied,
    ArtifactDeleted,
    ArtifactPulled,
    ArtifactPushed,
    Event,
    QuotaExceeded,
    QuotaWarned,
    RepositoryDeleted,
    TagCreated,
    TagDeleted,
    TagMoved,
)


class EventType(NamedTuple):
    """A kind of event by its name in policies, and by its type in CloudEvents."""

    name: str
    cloud_type: str


TYPES: Final = (
    EventType("PUSH_ARTIFACT", "harbor.artifact.pushed"),
    EventType("PULL_ARTIFACT", "harbor.artifact.pulled"),
    EventType("DELETE_ARTIFACT", "harbor.artifact.deleted"),
    EventType("QUOTA_EXCEED", "harbor.quota.exceeded"),
    EventType("QUOTA_WARNING", "harbor.quota.warned"),
    EventType("REPLICATION", "harbor.replication.status.changed"),
    EventType("SCANNING_FAILED", "harbor.scan.failed"),
    EventType("SCANNING_COMPLETED", "harbor.scan.completed"),
    EventType("SCANNING_STOPPED", "harbor.scan.stopped"),
    EventType("TAG_RETENTION", "harbor.tag_retention.finished"),
    EventType("CREATE_TAG", "roadstead.tag.created"),
    EventType("MOVE_TAG", "roadstead.tag.moved"),
    EventType("DELETE_TAG", "roadstead.tag.deleted"),
    EventType("DELETE_REPOSITORY", "roadstead.repository.deleted"),
)

TEST: Final = EventType("TEST", "roadstead.webhook.test")
"""What somebody asks for who wants to see that it arrives; no policy names it."""

CLOUD_TYPES: Final = dict((*TYPES, TEST))

_OF: Final[dict[type[Event], str]] = {
    ArtifactPushed: "PUSH_ARTIFACT",
    ArtifactCopied: "PUSH_ARTIFACT",
    ArtifactPulled: "PULL_ARTIFACT",
    ArtifactDeleted: "DELETE_ARTIFACT",
    QuotaExceeded: "QUOTA_EXCEED",
    QuotaWarned: "QUOTA_WARNING",
    TagCreated: "CREATE_TAG",
    TagMoved: "MOVE_TAG",
    TagDeleted: "DELETE_TAG",
    RepositoryDeleted: "DELETE_REPOSITORY",
}


def event_type_of(event: Event) -> str | None:
    """Return the name by which policies take an event; None for one that is not posted."""
    return _OF.get(type(event))
