"""Time in asynchronous tests: waiting for a condition by looking again, and the rhythm of a load."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_SECONDS = 20.0


async def until(look: Callable[[], Awaitable[T]], is_right: Callable[[T], object]) -> T:
    """Look until it is right, and return what was seen; fail with it after the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_right(seen := await look()):
        assert time.monotonic() < deadline, f"after {DEADLINE_SECONDS:g} s it is still {seen!r}"
        await asyncio.sleep(0.01)
    return seen


async def pass_time(seconds: float) -> None:
    """Be a slow client, or one that comes a little later; never a way to wait for a result."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()
