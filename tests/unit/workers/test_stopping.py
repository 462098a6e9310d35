"""A worker ends when it is told to, also in the moment in which a cancellation gets lost."""

import asyncio
from contextlib import suppress

import pytest

from workers.main import run_until


async def test_work_that_loses_a_cancellation_is_cancelled_again() -> None:
    stop, has_begun = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        has_begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()
        await asyncio.get_running_loop().create_future()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(run_until(stop, work()))
        await has_begun.wait()
        stop.set()


async def test_work_that_ends_by_itself_is_not_waited_for_any_longer() -> None:
    async def work() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await run_until(asyncio.Event(), work())
