"""One frozen class per event. The tag is its name on the wire."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct


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


class BlobDeleted(Struct, frozen=True, tag="blob.deleted"):
    """A blob is no longer linked into a repository."""

    repository_name: str
    digest: str


Event: TypeAlias = (
    ProjectCreated
    | RepositoryCreated
    | ArtifactPushed
    | ArtifactPulled
    | ArtifactDeleted
    | TagMoved
    | TagDeleted
    | BlobDeleted
)


class Recorded(Struct, frozen=True):
    """An event as it lies in the outbox and travels to its jobs."""

    event_id: UUID
    recorded_at: datetime
    event: Event
    cause: Cause


def decode_event(document: object) -> Recorded:
    """Return the event that `msgspec.to_builtins` made the document from."""
    return msgspec.convert(document, Recorded)
