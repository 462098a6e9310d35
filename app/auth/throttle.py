"""Slows those who guess secrets: failures by user and address, and by address, counted in Redis.

A key lives for the window after its last failure, and longer by the time that whoever failed too often has
to wait. Redis may be gone: then nobody is slowed, and nobody is kept out.
"""

import asyncio
import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar
from weakref import WeakValueDictionary

import structlog
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.resources import redis_key

Answer = TypeVar("Answer")
Value = TypeVar("Value")

log = structlog.get_logger()

FREE: Final = 5
"""Failures of one user from one address that cost nothing."""
FREE_OF_ADDRESS: Final = 50
"""Failures of one address that cost nothing: many users may share it."""
WINDOW_SECONDS: Final = 900
LONGEST_SECONDS: Final = 900
_TOLD_SECONDS: Final = 60
_AT_ONCE: Final = 8
_REMEMBERED: Final = 10_000
_REST_SECONDS: Final = 5.0

_NOTE_FAILURE: Final = """
local over = redis.call('INCR', KEYS[1]) - ARGV[1]
local wait = 0
if over >= 0 then wait = math.min(2 ^ (over + 1), tonumber(ARGV[3])) end
redis.call('EXPIRE', KEYS[1], ARGV[2] + math.floor(wait))
return wait
"""


class Guess(Struct, frozen=True):
    """The keys of an attempt that may be a guess."""

    pair: str
    address: str

    @classmethod
    def of(cls, username: str, address: str) -> "Guess":
        """Return the keys; names of users are hashed, as they are as long and as odd as a client likes."""
        name = hashlib.sha256(username.lower().encode()).hexdigest()[:32]
        return cls(redis_key("logins", address, name), redis_key("logins", address))


class Wait(Struct, frozen=True):
    """How long until the next attempt is heard; `is_of_address`: whichever user it is for."""

    seconds: int
    is_of_address: bool


class Throttle:
    """What one process knows of failed logins; the counters are shared by all."""

    def __init__(self, redis: Redis | None) -> None:
        self._redis = redis
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._told: OrderedDict[str, float] = OrderedDict()
        self._failed: OrderedDict[str, None] = OrderedDict()
        self._rests_until = 0.0
        self._is_down = False

    @asynccontextmanager
    async def turn(self, guess: Guess) -> AsyncIterator[None]:
        """Let one attempt for a user from an address in at a time, so that a burst is no way round."""
        of_pair, of_address = self._place(guess.pair, 1), self._place(guess.address, _AT_ONCE)
        async with of_pair, of_address:
            yield

    async def wait(self, guess: Guess) -> Wait:
        """Return for how long nobody may try again."""

        async def ask(redis: Redis) -> list[int]:
            pipeline = redis.pipeline(transaction=False)
            pipeline.pttl(guess.pair)
            pipeline.pttl(guess.address)
            return list(await pipeline.execute())

        left = await self._asked(ask) or [0, 0]
        pair, address = (max(0, math.ceil(ms / 1_000) - WINDOW_SECONDS) for ms in left)
        return Wait(max(pair, address), is_of_address=address > 0)

    async def note_failure(self, guess: Guess) -> None:
        """Count a failure."""
        _remember(self._failed, guess.pair, None)

        async def ask(redis: Redis) -> object:
            pipeline = redis.pipeline(transaction=False)
            for key, free in ((guess.pair, FREE), (guess.address, FREE_OF_ADDRESS)):
                pipeline.eval(_NOTE_FAILURE, 1, key, str(free), str(WINDOW_SECONDS), str(LONGEST_SECONDS))
            return await pipeline.execute()

        await self._asked(ask)

    async def note_success(self, guess: Guess) -> None:
        """Forget the failures of the user from the address."""
        self._failed.pop(guess.pair, None)
        await self._asked(lambda redis: redis.delete(guess.pair))

    def has_failed(self, username: str, address: str) -> bool:
        """Whether this process saw a failure of the user from the address, and no success since."""
        return bool(self._failed) and Guess.of(username, address).pair in self._failed

    async def is_news(self, key: str) -> bool:
        """Whether nobody was told within a minute that there was a failure under this key."""
        now = time.monotonic()
        if now < self._told.get(key, 0.0):
            return False
        _remember(self._told, key, now + _TOLD_SECONDS)

        async def ask(redis: Redis) -> bool:
            return bool(await redis.set(f"{key}:told", 1, nx=True, ex=_TOLD_SECONDS))

        return await self._asked(ask) is not False

    def _place(self, key: str, size: int) -> asyncio.Semaphore:
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = asyncio.Semaphore(size)
        return place

    async def _asked(self, ask: Callable[[Redis], Awaitable[Answer]]) -> Answer | None:
        """Return what Redis says; None when there is none. One that does not answer is left alone a while."""
        if self._redis is None or time.monotonic() < self._rests_until:
            return None
        try:
            answer = await ask(self._redis)
        except (RedisError, OSError) as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            if not self._is_down:
                log.warning("failed_logins_not_counted", error=str(error))
            self._is_down = True
            return None
        self._is_down = False
        return answer


def _remember(known: OrderedDict[str, Value], key: str, value: Value) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
