"""Nobody waits for ever: a look-up that comes while the last fetch ends is answered too."""

import asyncio
from collections.abc import Sequence

from app.db.coalesce import Coalescer


async def test_a_look_up_in_the_turn_in_which_the_work_ends_is_answered() -> None:
    fetched = asyncio.Event()

    async def fetch(keys: Sequence[int]) -> list[int]:
        # Whoever waits for this runs after the fetch has ended, and before anything else does.
        fetched.set()
        return [key * 2 for key in keys]

    coalescer = Coalescer(fetch, in_flight=1)

    async def ask_at_that_moment() -> int:
        await fetched.wait()
        return await coalescer.get(2)

    late = asyncio.create_task(ask_at_that_moment())
    async with asyncio.timeout(5):
        assert (await coalescer.get(1), await late) == (2, 4)
