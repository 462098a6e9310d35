"""structlog, set up once per process; request and job context by contextvars."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import structlog

from app.settings import LogSettings

_KEPT_CHARACTERS: Final = 64 << 10
_HEAD: Final = ("timestamp", "level", "event")
_kept: Final[ContextVar["Kept | None"]] = ContextVar("kept", default=None)


class Kept:
    """The log lines of one job, up to a bound."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._room = _KEPT_CHARACTERS

    @property
    def text(self) -> str:
        """The lines, one below the other."""
        return "\n".join(self._lines)

    def add(self, line: str) -> None:
        """Keep a line, or what fits of it."""
        if self._room > 0:
            self._lines.append(line[: self._room])
            self._room -= len(line) + 1


@contextmanager
def keeping_lines() -> Iterator[Kept]:
    """Keep what this task, and those that it starts, log while the block runs."""
    kept = Kept()
    token = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(token)


def keep_line(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Keep a line where somebody wants those of a job."""
    if (kept := _kept.get()) is not None:
        rest = " ".join(f"{key}={value}" for key, value in event.items() if key not in _HEAD)
        kept.add(" ".join(str(event.get(key, "")) for key in _HEAD) + f" {rest}")
    return event


def configure_logging(settings: LogSettings) -> None:
    """Send every log line, ours and the libraries', to standard error in one format."""
    is_console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    level = getattr(logging, settings.level.upper())
    # Plain: the variables that a rich traceback shows could be passwords.
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_console
        else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, keep_line, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.processors.format_exc_info],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
