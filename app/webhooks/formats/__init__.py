"""What a delivery says in each format: pure functions of what was written down, alike at every attempt."""

from app.webhooks.formats.message import Message, Notice
from app.webhooks.formats.render import render

__all__ = ["Message", "Notice", "render"]
