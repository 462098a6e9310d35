"""What a single web process runs."""

import gc
import os
import socket

import uvloop

from app.db import DatabaseError
from app.main import serve
from app.settings import Settings
from app.storage import StorageError
from cli.files import allow_files
from cli.programs import StartError
from cli.watchdog import watched


def run(settings: Settings, listener: socket.socket, gate: int | None) -> None:
    """Serve on this socket until SIGTERM or SIGINT, once the gate is open.

    By then the half second of imports is over, which passed while the database started.
    """
    if gate is not None:
        os.read(gate, 1)
    allow_files()
    # What is there now stays for good: the collector need not look at it again and again.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    try:
        uvloop.run(watched(serve(settings, listener)))
    except (DatabaseError, StorageError) as error:
        raise StartError(f"Serving is not possible: {error}") from error
