"""One frozen class per event. The tag is its name on the wire."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from app.events.management import ManagementEvent


class Cause(Struct, frozen=True):
    """Who and what is behind a change."""

    username: str
    address: str = ""
    user_agent: str = ""
    request_id: str = ""


class ProjectCreated(Struct, frozen=True, tag="project.created"):
    """A project came into being."""

    project_name: str


class RepositoryCreated(Struct, frozen=True, tag="repository.created"):
    """The first content of a repository arrived."""

    repository_name: str


class BlobShared(Struct, frozen=True, tag="blob.shared"):
    """Somebody got a link that opens a blob for whoever has it."""

    repository_name: str
    digest: str
    expires_at: datetime


class BlobReceived(Struct, frozen=True, tag="blob.received"):
    """What a client sent to the storage itself is closed, and a worker is to read it."""

    repository_name: str
    upload_id: UUID


class TokenRefused(Struct, frozen=True, tag="token.refused"):
    """Somebody asked for a token and may do nothing of what it was for."""

    repository_name: str
    actions: tuple[str, ...]


class ArtifactPushed(Struct, frozen=True, tag="artifact.pushed"):
    """A manifest was pushed, new or again, under these tags."""

    repository_name: str
    digest: str
    media_type: str
    size_bytes: int
    artifact_type: str | None = None
    tags: tuple[str, ...] = ()


class ArtifactPulled(Struct, frozen=True, tag="artifact.pulled"):
    """A manifest was pulled, `count` times in short succession by the same caller."""

    repository_name: str
    digest: str
    tag: str = ""
    count: int = 1


class ArtifactDeleted(Struct, frozen=True, tag="artifact.deleted"):
    """A manifest was deleted, and with it the tags that pointed to it."""

    repository_name: str
    digest: str
    tags: tuple[str, ...] = ()


class TagMoved(Struct, frozen=True, tag="tag.moved"):
    """A tag points to another manifest than before."""

    repository_name: str
    tag: str
    digest: str
    previous_digest: str


class TagDeleted(Struct, frozen=True, tag="tag.deleted"):
    """A tag is gone; the manifest it pointed to is not."""

    repository_name: str
    tag: str
    digest: str


class TagCreated(Struct, frozen=True, tag="tag.created"):
    """A tag points to a manifest that was here already."""

    repository_name: str
    tag: str
    digest: str


class ArtifactCopied(Struct, frozen=True, tag="artifact.copied"):
    """A manifest is in this repository too, by reference to another one's content."""

    repository_name: str
    digest: str
    source: str
    tags: tuple[str, ...] = ()


class ArtifactLabeled(Struct, frozen=True, tag="artifact.labeled"):
    """A label was attached to an artifact."""

    repository_name: str
    digest: str
    label: str


class ArtifactUnlabeled(Struct, frozen=True, tag="artifact.unlabeled"):
    """A label was taken from an artifact."""

    repository_name: str
    digest: str
    label: str


class RepositoryUpdated(Struct, frozen=True, tag="repository.updated"):
    """A repository has another description."""

    repository_name: str


class RepositoryDeleted(Struct, frozen=True, tag="repository.deleted"):
    """A repository is gone, with all its artifacts."""

    repository_name: str


class BlobDeleted(Struct, frozen=True, tag="blob.deleted"):
    """A blob is no longer linked into a repository."""

    repository_name: str
    digest: str


Event: TypeAlias = (
    ProjectCreated
    | BlobShared
    | BlobReceived
    | RepositoryCreated
    | TokenRefused
    | RepositoryUpdated
    | RepositoryDeleted
    | ArtifactPushed
    | ArtifactPulled
    | ArtifactDeleted
    | ArtifactCopied
    | ArtifactLabeled
    | ArtifactUnlabeled
    | TagCreated
    | TagMoved
    | TagDeleted
    | BlobDeleted
    | ManagementEvent
)


class Recorded(Struct, frozen=True):
    """An event as it lies in the outbox and travels to its jobs."""

    event_id: UUID
    recorded_at: datetime
    event: Event
    cause: Cause
    number: int = 0
    """Its place in the outbox: what happens later in a transaction has a higher one."""


def decode_event(document: object) -> Recorded:
    """Return the event that `msgspec.to_builtins` made the document from."""
    return msgspec.convert(document, Recorded)


def wire_name(kind: type[Struct]) -> str:
    """Return the name of a class of events on the wire: `artifact.pushed`."""
    return str(kind.__struct_config__.tag)
