"""Messages for people: blocks for Slack, an Adaptive Card for Teams."""

from typing import Any, Final

import msgspec

from app.webhooks.event_model import EventData
from app.webhooks.formats.harbor import shown
from app.webhooks.formats.message import Message, Notice

_JSON: Final = {"Content-Type": "application/json"}
_LONGEST_TEXT: Final = 2_900
"""Slack refuses a block of more than 3,000 characters."""
_SHOWN_RESOURCES: Final = 10


def slack(notice: Notice) -> Message:
    """Return blocks as Harbor's, and a text for where blocks are not shown."""
    moment = int(notice.occurred_at.timestamp())
    data = msgspec.json.format(msgspec.json.encode(shown(notice.data)), indent=2).decode()
    sections = (
        "*Registry webhook event*",
        f"*event_type:* {notice.event_type}",
        f"*occur_at:* <!date^{moment}^{{date}} at {{time}}|{notice.occurred_at:%Y-%m-%d %H:%M} UTC>",
        f"*operator:* {_escaped(notice.operator)}",
        f"*event_data:*\n```{_cut(_escaped(data))}```",
    )
    document = {
        "text": _escaped(_summary(notice)),
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in sections],
    }
    return Message(msgspec.json.encode(document), _JSON)


def teams(notice: Notice) -> Message:
    """Return a message with one card."""
    facts = {
        "Event": notice.event_type,
        "Time": f"{notice.occurred_at:%Y-%m-%d %H:%M:%S} UTC",
        "Operator": notice.operator,
        **_facts(notice.data),
    }
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": True, "text": _summary(notice)},
        {
            "type": "FactSet",
            "facts": [{"title": title, "value": _cut(value)} for title, value in facts.items() if value],
        },
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return Message(msgspec.json.encode({"type": "message", "attachments": [attachment]}), _JSON)


def _facts(data: EventData) -> dict[str, str]:
    resources = ", ".join(each.resource_url for each in data.resources[:_SHOWN_RESOURCES])
    repository = data.repository.repo_full_name if data.repository else ""
    return {"Repository": repository, "Artifact": resources, **data.custom_attributes}


def _summary(notice: Notice) -> str:
    facts = _facts(notice.data)
    what = facts["Artifact"] or facts["Repository"] or facts.get("Details", "")
    return _cut(f"{notice.event_type}: {what}" if what else notice.event_type)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
