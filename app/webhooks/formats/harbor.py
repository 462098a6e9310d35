"""Harbor's format, and CloudEvents 1.0 with the same data, as Harbor sends them and in the binary mode."""

from typing import Any

import msgspec
from msgspec.structs import replace

from app.webhooks.event_model import EventData
from app.webhooks.event_types import CLOUD_TYPES
from app.webhooks.formats.message import Message, Notice

_JSON = "application/json"


def default(notice: Notice) -> Message:
    """Return Harbor's payload."""
    document = {
        "type": notice.event_type,
        "occur_at": int(notice.occurred_at.timestamp()),
        "operator": notice.operator,
        "event_data": shown(notice.data),
    }
    return Message(msgspec.json.encode(document), {"Content-Type": _JSON})


def cloud_event(notice: Notice) -> Message:
    """Return an event with its attributes inside."""
    document = _attributes(notice) | {"datacontenttype": _JSON, "data": shown(notice.data)}
    return Message(
        msgspec.json.encode(document), {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    )


def binary_cloud_event(notice: Notice) -> Message:
    """Return an event with its attributes as headers."""
    headers = {f"ce-{name}": _header(value) for name, value in _attributes(notice).items()}
    return Message(msgspec.json.encode(shown(notice.data)), {"Content-Type": _JSON, **headers})


def shown(data: EventData) -> EventData:
    """Return what Harbor has of it."""
    return replace(data, content=None)


def _attributes(notice: Notice) -> dict[str, Any]:
    attributes = {
        "specversion": "1.0",
        "id": str(notice.event_id),
        "source": f"/projects/{notice.project_id}/webhook/policies/{notice.policy_id}",
        "type": CLOUD_TYPES.get(notice.event_type, notice.event_type),
        "time": notice.occurred_at.isoformat().replace("+00:00", "Z"),
        "operator": notice.operator,
        "requestid": notice.request_id,
    }
    return {name: value for name, value in attributes.items() if value}


def _header(value: str) -> str:
    """Write a value as CloudEvents does in HTTP: percent and UTF-8 for what is no printable ASCII."""
    return "".join(
        each if "!" <= each <= "~" and each not in '"%' else "".join(f"%{byte:02X}" for byte in each.encode())
        for each in value
    )
