"""How much a storage is asked, and what is known of it meanwhile."""

import asyncio

import pytest

from app.storage import StorageBusy, StorageError, StorageFull, StorageWatch
from app.storage.watch import watched
from tests.support.eventually import until


class Asked:
    """A storage that notes what it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    async def check(self) -> None:
        await self._answer("reading")

    async def check_writing(self) -> None:
        await self._answer("writing")

    async def is_asked(self, times: int) -> None:
        async def asked() -> int:
            return len(self.questions)

        await until(asked, lambda seen: seen == times)

    async def _answer(self, question: str) -> None:
        self.questions.append(question)
        await self.may_answer.wait()
        if self.error:
            raise self.error


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class Watched:
    """A watch that has begun, on a storage and a clock of its own."""

    def __init__(self) -> None:
        self.storage = Asked()
        self.clock = Clock()
        self.watch = StorageWatch(self.storage, self.clock)

    async def is_said_to_be_well(self) -> bool:
        try:
            await self.watch.ask()
        except StorageError:
            return False
        return True


@pytest.fixture
async def of() -> Watched:
    return Watched()


async def test_answer_is_remembered_for_ten_seconds(of: Watched) -> None:
    await of.watch.begin()
    for at, questions in ((0, 1), (9, 1), (11, 2), (20, 2), (22, 3)):
        of.clock.seconds = 1_000.0 + at
        await of.watch.ask()
        assert of.storage.questions == ["writing", *["reading"] * questions]


async def test_those_who_ask_together_share_a_question(of: Watched) -> None:
    await of.watch.begin()
    of.storage.error = StorageBusy("slow down")
    assert await asyncio.gather(*(of.is_said_to_be_well() for _ in range(50))) == [False] * 50
    assert of.storage.questions == ["writing", "reading"]


async def test_whoever_gives_up_leaves_the_question_to_the_others(of: Watched) -> None:
    await of.watch.begin()
    of.storage.may_answer.clear()
    impatient, patient = (asyncio.create_task(of.is_said_to_be_well()) for _ in range(2))
    await of.storage.is_asked(2)
    impatient.cancel()
    await asyncio.wait([impatient])
    of.storage.may_answer.set()
    assert await patient
    assert of.storage.questions == ["writing", "reading"]


async def test_storage_that_does_not_answer_is_unwell_after_two_seconds_and_not_asked_again(
    of: Watched,
) -> None:
    await of.watch.begin()
    of.storage.may_answer.clear()
    assert of.watch.is_well()
    await of.storage.is_asked(2)
    of.clock.seconds += 3
    assert not of.watch.is_well()
    of.clock.seconds += 1_000
    assert not of.watch.is_well()
    assert of.storage.questions == ["writing", "reading"]
    of.storage.may_answer.set()
    await of.watch.ask()
    assert of.watch.is_well()


async def test_storage_that_is_back_is_known_to_be_at_the_next_question(of: Watched) -> None:
    of.storage.error = StorageBusy("slow down")
    assert not await of.is_said_to_be_well()
    of.storage.error = None
    assert not await of.is_said_to_be_well()
    of.clock.seconds += 11
    assert await of.is_said_to_be_well()


async def test_question_is_of_writing_every_ten_minutes_and_after_it_failed(of: Watched) -> None:
    await of.watch.begin()
    for after, question in ((599, "reading"), (11, "writing"), (11, "reading"), (599, "writing")):
        of.clock.seconds += after
        await of.watch.ask()
        assert of.storage.questions[-1] == question
    of.storage.error = StorageError("denied")
    for _ in range(3):
        of.clock.seconds += 601
        assert not await of.is_said_to_be_well()
        assert of.storage.questions[-1] == "writing"


async def test_full_or_busy_storage_keeps_nobody_from_starting(of: Watched) -> None:
    for error in (StorageFull("no room"), StorageBusy("slow down")):
        of.storage.error = error
        await of.watch.begin()
        assert not of.watch.is_well()
        await of.watch.end()


async def test_storage_that_refuses_to_be_written_to_does(of: Watched) -> None:
    of.storage.error = StorageError("denied")
    with pytest.raises(StorageError, match="denied"):
        await of.watch.begin()


async def test_question_ends_with_the_process(of: Watched) -> None:
    before = asyncio.all_tasks()
    async with watched(of.storage) as watch:
        of.storage.may_answer.clear()
        assert watch.is_well()
        await of.storage.is_asked(2)
    assert asyncio.all_tasks() <= before
