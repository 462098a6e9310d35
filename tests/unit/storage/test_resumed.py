import asyncio
from collections.abc import AsyncGenerator

import pytest

from app.storage.resumed import BrokenOff, resumed

CONTENT = bytes(range(9))


async def joined(pieces: AsyncGenerator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def test_a_body_that_always_moves_is_read_to_its_end() -> None:
    async def one_at_a_time(start: int, stop: int) -> AsyncGenerator[bytes]:
        yield CONTENT[start : min(start + 1, stop)]
        if start % 2:
            raise BrokenOff

    assert await joined(resumed(one_at_a_time, 0, len(CONTENT))) == CONTENT


@pytest.mark.parametrize("is_error", [False, True], ids=["without a word", "by an error"])
async def test_a_body_that_does_not_move_is_given_up(*, is_error: bool) -> None:
    asked: list[int] = []

    async def halting(start: int, _: int) -> AsyncGenerator[bytes]:
        asked.append(start)
        if start < 3:
            yield CONTENT[start : start + 1]
        if is_error:
            raise BrokenOff

    async with asyncio.timeout(5):
        with pytest.raises(BrokenOff):
            await joined(resumed(halting, 0, len(CONTENT)))
    assert asked == [0, 1, 2, 3, 3, 3, 3]
