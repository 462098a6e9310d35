"""How long a storage that fails is waited for, and what is said of it."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.storage import CredentialsMissing, StorageBusy
from app.storage.patience import Attempts, tidying

PATIENCE = timedelta(seconds=20)
FAILURE = StorageBusy("SlowDown")


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def pauses(*, each_takes: float = 0.0) -> list[float]:
    """How long is waited before each attempt but the first, when all of them fail."""
    clock = Clock()
    attempts = Attempts("GetObject", PATIENCE, now=clock)
    waited: list[float] = []
    with suppress(StorageBusy):
        while True:
            clock.seconds += each_takes
            waited.append(attempts.failed(FAILURE))
            clock.seconds += waited[-1]
    return waited


def test_the_last_attempt_comes_just_when_the_time_is_over() -> None:
    for _ in range(100):
        assert sum(pauses()) == pytest.approx(PATIENCE.total_seconds())


def test_pauses_grow_to_three_seconds_and_differ() -> None:
    first, *_, last, _ = pauses()
    assert 0 < first <= 0.2
    assert 1.5 <= last <= 3
    assert pauses() != pauses()


def test_a_connection_that_says_nothing_for_longer_is_not_the_last() -> None:
    assert pauses(each_takes=30) == [0]


async def test_who_tidies_up_waits_for_nothing() -> None:
    async with tidying():
        assert pauses() == [0]
    assert sum(pauses()) > 0


async def failing() -> None:
    raise FAILURE


async def test_what_cannot_be_tidied_up_is_left() -> None:
    async with tidying():
        await failing()
    async with tidying(seconds=0.001):
        await asyncio.Event().wait()


def test_who_gives_up_says_what_was_asked_how_often_how_long_and_why() -> None:
    clock = Clock()
    attempts = Attempts("PUT of /blobs/sha256", PATIENCE, now=clock)
    attempts.failed(FAILURE)
    clock.seconds += 20.04
    said = "^PUT of /blobs/sha256: given up after 2 attempts in 20.0 s: StorageBusy: SlowDown$"
    with pytest.raises(StorageBusy, match=said):
        attempts.failed(FAILURE)


def test_who_gives_up_says_so_by_the_kind_of_the_failure() -> None:
    attempts = Attempts("PUT", timedelta())
    attempts.failed(FAILURE)
    with pytest.raises(CredentialsMissing):
        attempts.failed(CredentialsMissing("the machine's service is away"))


def test_what_was_waited_for_is_in_the_log_and_what_needed_no_patience_is_not() -> None:
    clock = Clock()
    with capture_logs() as logs:
        Attempts("GetObject", PATIENCE, now=clock).ended()
        attempts = Attempts("PutObject", PATIENCE, now=clock)
        attempts.failed(FAILURE)
        clock.seconds += 1.5
        attempts.ended()
    assert logs == [
        {
            "event": "storage_waited_for",
            "log_level": "info",
            "request": "PutObject",
            "attempts": 2,
            "seconds": 1.5,
            "error": "StorageBusy: SlowDown",
        }
    ]
