"""Waiting for what the server does in its own time: by looking again, never by sleeping and hoping."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 20.0


async def until(look: Callable[[], Awaitable[T]], is_right: Callable[[T], object]) -> T:
    """Look until it is right; after the deadline, fail with what was last seen."""
    deadline = time.monotonic() + DEADLINE
    while not is_right(seen := await look()):
        assert time.monotonic() < deadline, f"after {DEADLINE:g} s it is still {seen!r}"
        await asyncio.sleep(0.01)
    return seen
