"""Work on a storage that Ctrl-C and SIGTERM end in order: what it began there is removed first."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Stopped(Exception):
    """Somebody has stopped it."""


def run_until_stopped(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run the work to its end; raise Stopped where it was ended before."""
    try:
        return asyncio.run(_stoppable(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Stopped from None


async def _stoppable(work: Coroutine[Any, Any, _Result]) -> _Result:
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work
