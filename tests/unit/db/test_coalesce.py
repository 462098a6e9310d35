"""Look-ups that are answered together: each as fresh, and as independent, as one of its own."""

import asyncio
from collections.abc import Sequence

import pytest

from app.db.coalesce import Coalescer


class Source:
    """Answers with the number of the fetch, once it may."""

    def __init__(self) -> None:
        self.fetches: list[list[str]] = []
        self.running = 0
        self.most_running = 0
        self.started = asyncio.Semaphore(0)
        self.may_answer = asyncio.Semaphore(0)
        self.error: BaseException | None = None

    async def fetch(self, keys: Sequence[str]) -> list[tuple[str, int]]:
        self.fetches.append(list(keys))
        number = len(self.fetches)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.started.release()
        await self.may_answer.acquire()
        self.running -= 1
        if self.error is not None:
            raise self.error
        return [(key, number) for key in keys]

    def let_answer(self, times: int) -> None:
        for _ in range(times):
            self.may_answer.release()


def ask(coalescer: Coalescer[str, tuple[str, int]], keys: str) -> list[asyncio.Task[tuple[str, int]]]:
    return [asyncio.create_task(coalescer.get(key)) for key in keys]


@pytest.fixture
async def source() -> Source:
    return Source()


async def test_the_answer_comes_from_a_fetch_that_started_after_the_question(source: Source) -> None:
    coalescer = Coalescer(source.fetch, in_flight=1)
    early = ask(coalescer, "a")
    await source.started.acquire()
    late = ask(coalescer, "a")
    source.let_answer(2)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*early, *late) == [("a", 1), ("a", 2)]


async def test_what_waits_is_fetched_together_and_once(source: Source) -> None:
    coalescer = Coalescer(source.fetch, in_flight=1)
    first = ask(coalescer, "a")
    await source.started.acquire()
    rest = ask(coalescer, "bcbdb")
    source.let_answer(2)
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*first, *rest)
    assert source.fetches == [["a"], ["b", "c", "d"]]
    assert answers == [("a", 1), *((key, 2) for key in "bcbdb")]


async def test_a_batch_has_its_limit(source: Source) -> None:
    coalescer = Coalescer(source.fetch, in_flight=1, batch=2)
    asked = ask(coalescer, "abcde")
    source.let_answer(3)
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*asked)
    assert source.fetches == [["a", "b"], ["c", "d"], ["e"]]
    assert [key for key, _ in answers] == list("abcde")


async def test_no_more_fetches_run_at_once_than_allowed(source: Source) -> None:
    coalescer = Coalescer(source.fetch, in_flight=2, batch=1)
    asked = ask(coalescer, "abcdef")
    async with asyncio.timeout(5):
        await source.started.acquire()
        await source.started.acquire()
        source.let_answer(6)
        await asyncio.gather(*asked)
    assert source.most_running == 2


async def test_an_error_is_everybodys_and_the_next_question_is_a_new_one(source: Source) -> None:
    coalescer = Coalescer(source.fetch, in_flight=1)
    source.error = OSError("the database is gone")
    asked = ask(coalescer, "aab")
    source.let_answer(1)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*asked, return_exceptions=True) == [source.error] * 3
        source.error = None
        source.let_answer(1)
        assert await coalescer.get("a") == ("a", 2)


async def test_a_cancelled_fetch_leaves_nobody_waiting(source: Source) -> None:
    coalescer = Coalescer(source.fetch, in_flight=1)
    source.error = asyncio.CancelledError()
    asked = ask(coalescer, "ab")
    source.let_answer(1)
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 2
    source.error = None
    source.let_answer(1)
    async with asyncio.timeout(5):
        assert await coalescer.get("c") == ("c", 2)


async def test_a_cancellation_during_the_fetch_leaves_the_others(source: Source) -> None:
    coalescer = Coalescer(source.fetch, in_flight=1)
    impatient, *others = ask(coalescer, "aab")
    await source.started.acquire()
    impatient.cancel()
    source.let_answer(1)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*others) == [("a", 1), ("b", 1)]
    assert impatient.cancelled()


async def test_a_cancellation_before_the_fetch_leaves_the_others(source: Source) -> None:
    coalescer = Coalescer(source.fetch, in_flight=1)
    first = ask(coalescer, "z")
    await source.started.acquire()
    impatient, *others = ask(coalescer, "aab")
    asyncio.get_running_loop().call_soon(impatient.cancel)  # when they have asked, and wait
    asyncio.get_running_loop().call_soon(source.let_answer, 2)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*first, *others) == [("z", 1), ("a", 2), ("b", 2)]
    assert impatient.cancelled()
