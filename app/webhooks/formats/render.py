"""Which format is whose."""

from collections.abc import Callable
from typing import Final

from app.webhooks.formats.chat import slack, teams
from app.webhooks.formats.distribution import envelope
from app.webhooks.formats.harbor import binary_cloud_event, cloud_event, default
from app.webhooks.formats.message import Message, Notice
from app.webhooks.model import PayloadFormat, TargetKind

_FORMATS: Final[dict[tuple[TargetKind, PayloadFormat], Callable[[Notice], Message]]] = {
    ("http", "Default"): default,
    ("http", "CloudEvents"): cloud_event,
    ("http", "CloudEventsBinary"): binary_cloud_event,
    ("http", "Distribution"): envelope,
    ("slack", "Default"): slack,
    ("teams", "Default"): teams,
}


def render(kind: TargetKind, payload_format: PayloadFormat, notice: Notice) -> Message:
    """Return what such a target is posted."""
    return _FORMATS[kind, payload_format](notice)
