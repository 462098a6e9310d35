"""What formats start from, and what they make of it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.webhooks.event_model import EventData


class Notice(Struct, frozen=True):
    """An event as a policy takes it."""

    event_id: UUID
    event_type: str
    occurred_at: datetime
    operator: str
    request_id: str
    project_id: int
    policy_id: int
    data: EventData


class Message(Struct, frozen=True):
    """What is posted; the headers say of which type it is."""

    body: bytes
    headers: dict[str, str]
