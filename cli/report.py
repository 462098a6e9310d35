"""How a command speaks: sentences on a terminal, JSON lines among JSON lines."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from app.settings import LogSettings

Report = Callable[[str], None]


def reporter(settings: LogSettings) -> Report:
    """Return what prints a sentence on standard error, in the format of the log it appears in."""
    is_console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    return _say if is_console else _log


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _log(sentence: str) -> None:
    line = {
        "event": sentence,
        "level": "info",
        "timestamp": datetime.now(UTC).isoformat(),
        "logger": "supervisor",
    }
    print(json.dumps(line), file=sys.stderr, flush=True)
