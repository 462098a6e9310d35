"""Ending a process whose event loop is stuck: whoever keeps it running starts another one."""

import asyncio
import faulthandler
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Final

_STUCK: Final = timedelta(minutes=1)
_TICKS: Final = 6
"""So often within that time the loop shows that it turns."""


async def watched(work: Coroutine[Any, Any, None], *, stuck: timedelta = _STUCK) -> None:
    """Run it. Where the loop stands still for so long, standard error says where, and the process ends.

    It answers nobody then and renews no lease, and workers have nothing that a probe could ask.
    """
    ticking = asyncio.create_task(_tick(stuck.total_seconds()))
    try:
        await work
    finally:
        ticking.cancel()
        faulthandler.cancel_dump_traceback_later()


async def _tick(seconds: float) -> None:
    while True:
        # A thread of its own that needs no turn of the interpreter.
        faulthandler.dump_traceback_later(seconds, exit=True)
        await asyncio.sleep(seconds / _TICKS)
