"""What consumers are told of an event, in Harbor's words: `event_data`."""

from datetime import datetime

from msgspec import Struct


class Resource(Struct, frozen=True):
    """An artifact, by a tag of its or by its digest."""

    digest: str
    tag: str
    resource_url: str


class RepositoryData(Struct, frozen=True, omit_defaults=True):
    """The repository of the artifact."""

    name: str
    namespace: str
    repo_full_name: str
    repo_type: str
    date_created: int = 0


class Content(Struct, frozen=True):
    """What Harbor does not tell and other formats do."""

    media_type: str
    size_bytes: int


class EventData(Struct, frozen=True, omit_defaults=True):
    """The blocks that the event has; `content` is not posted in Harbor's formats."""

    resources: tuple[Resource, ...] = ()
    repository: RepositoryData | None = None
    custom_attributes: dict[str, str] = {}
    content: Content | None = None


class Facts(Struct, frozen=True):
    """What an event does not say of its repository and artifact; they may be gone by now."""

    is_public: bool = False
    created_at: datetime | None = None
    media_type: str | None = None
    size_bytes: int | None = None
