"""Waiting for what other processes do: by looking again, never by sleeping and hoping."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

DEADLINE_SECONDS = 30.0


def wait_until(look: Callable[[], T], what: str, *, seconds: float = DEADLINE_SECONDS) -> T:
    """Look until there is something to see, and return it; fail after the deadline."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        time.sleep(0.01)
    return seen


def is_running(pid: int) -> bool:
    """Whether the process does anything still; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
