"""What a project is to the management API."""

from datetime import datetime

from msgspec import Struct

from app.access import Role


class Project(Struct, frozen=True):
    """A project, as one caller sees it: `roles` are the caller's own, the highest first."""

    id: int
    name: str
    owner_id: int | None
    owner_name: str
    is_public: bool
    metadata: dict[str, str]
    repo_count: int
    roles: tuple[Role, ...]
    created_at: datetime
    updated_at: datetime


class Settings(Struct, frozen=True):
    """What can be changed of a project; `metadata` is all of Harbor's metadata but `public`."""

    is_public: bool
    metadata: dict[str, str]

    @property
    def shown(self) -> dict[str, str]:
        """The metadata as Harbor has it, `public` among them."""
        return shown_metadata(self.metadata, is_public=self.is_public)


class Summary(Struct, frozen=True):
    """How much there is of what in a project; members by their roles."""

    repo_count: int
    hard_bytes: int
    used_bytes: int
    members: dict[str, int]


def shown_metadata(metadata: dict[str, str], *, is_public: bool) -> dict[str, str]:
    """Return the metadata with `public` among them, as Harbor has it."""
    return {"public": "true" if is_public else "false", **metadata}
