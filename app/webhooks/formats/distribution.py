"""The notification envelope of the distribution registry, one event in each."""

from typing import Any, Final

import msgspec

from app.webhooks.event_model import EventData
from app.webhooks.formats.message import Message, Notice

_TYPE: Final = "application/vnd.docker.distribution.events.v1+json"
_ACTIONS: Final = {
    "PUSH_ARTIFACT": "push",
    "PULL_ARTIFACT": "pull",
    "DELETE_ARTIFACT": "delete",
    "CREATE_TAG": "push",
    "MOVE_TAG": "push",
    "DELETE_TAG": "delete",
    "DELETE_REPOSITORY": "delete",
}


def envelope(notice: Notice) -> Message:
    """Return the envelope; what the registry of that name has no word for goes by its own."""
    event = {
        "id": str(notice.event_id),
        "timestamp": notice.occurred_at.isoformat().replace("+00:00", "Z"),
        "action": _ACTIONS.get(notice.event_type, notice.event_type.lower()),
        "target": _target(notice.data),
        "request": {"id": notice.request_id},
        "actor": {"name": notice.operator},
        "source": {},
    }
    return Message(msgspec.json.encode({"events": [event]}), {"Content-Type": _TYPE})


def _target(data: EventData) -> dict[str, Any]:
    target: dict[str, Any] = {}
    if data.content:
        size = data.content.size_bytes
        target |= {"mediaType": data.content.media_type, "size": size, "length": size}
    if data.repository:
        target["repository"] = data.repository.repo_full_name
    if data.resources:
        first = data.resources[0]
        target["digest"] = first.digest
        if first.tag != first.digest:
            target["tag"] = first.tag
    return target
