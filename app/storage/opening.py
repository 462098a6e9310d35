"""Opening in a thread what does not stay open when nobody waits for it any more."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

_Opened = TypeVar("_Opened")


async def opened(opening: Callable[[], _Opened], close: Callable[[_Opened], None]) -> _Opened:
    """Return what a thread opens; whoever gives up goes on once that is over, and it is closed again.

    Until then it may still do something to the file, as cut it, which somebody else may have by then.
    """
    future = asyncio.get_running_loop().run_in_executor(None, opening)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future.add_done_callback(partial(_undo, close))
        await asyncio.wait([future])
        raise


def _undo(close: Callable[[_Opened], None], future: asyncio.Future[_Opened]) -> None:
    if not future.cancelled() and future.exception() is None:
        close(future.result())
