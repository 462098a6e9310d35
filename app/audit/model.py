"""What the audit log keeps of an event."""

from datetime import datetime
from typing import Final, Self, get_args
from uuid import UUID

from msgspec import Struct

from app.events import Event, wire_name
from app.events.types import Recorded

_OPERATIONS: Final = {
    "created": "create",
    "updated": "update",
    "deleted": "delete",
    "moved": "update",
    "pushed": "push",
    "pulled": "pull",
    "copied": "copy",
    "warned": "warn",
    "exceeded": "exceed",
    "refused": "refuse",
    "received": "receive",
    "shared": "share",
    "opened": "login",
    "closed": "logout",
    "labeled": "label",
    "unlabeled": "unlabel",
    "paused": "pause",
    "resumed": "resume",
    "replayed": "replay",
    "stopped": "stop",
    "retried": "retry",
}
_REFUSALS: Final = {"refuse", "exceed"}


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
    user_agent: str
    request_id: str
    is_success: bool

    @classmethod
    def of(cls, recorded: Recorded) -> Self:
        """Return the entry for an event."""
        event = recorded.event
        operation, resource_type = _words(type(event))
        repository = getattr(event, "repository_name", "")
        digest = getattr(event, "digest", "")
        tag = getattr(event, "tag", "") or _only(getattr(event, "tags", ()))
        project = repository.partition("/")[0] or getattr(event, "project_name", "")
        name = repository or getattr(event, "name", "") or project
        return cls(
            event_id=recorded.event_id,
            occurred_at=recorded.recorded_at,
            username=recorded.cause.username,
            operation=operation,
            resource_type=resource_type,
            resource=name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else ""),
            project_name=project,
            repository_name=repository,
            tag=tag,
            address=recorded.cause.address,
            user_agent=recorded.cause.user_agent,
            request_id=recorded.cause.request_id,
            is_success=operation not in _REFUSALS,
        )


class LoggedEntry(Struct, frozen=True):
    """An entry as it lies in the log."""

    id: int
    occurred_at: datetime
    username: str
    operation: str
    resource_type: str
    resource: str
    address: str
    user_agent: str
    request_id: str
    is_success: bool


def event_types() -> list[str]:
    """Return every kind of entry as Harbor names them: `create_project`, `push_artifact`."""
    return sorted("_".join(_words(kind)) for kind in get_args(Event))


def _words(kind: type[Struct]) -> tuple[str, str]:
    """Return operation and resource type, in Harbor's words, from the event's name."""
    resource_type, _, participle = wire_name(kind).partition(".")
    return _OPERATIONS[participle], resource_type


def _only(tags: tuple[str, ...]) -> str:
    return tags[0] if len(tags) == 1 else ""
