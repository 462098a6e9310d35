"""What a single web process runs."""

import socket

import uvloop
from app.main import serve

from app.logging import configure_logging
from app.settings import Settings


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve on this socket until SIGTERM or SIGINT."""
    configure_logging(settings.log)
    uvloop.run(serve(settings, listener))
