"""Concurrent look-ups of one process, answered by one statement.

Under load the cost per request falls, and every answer is as fresh as a look-up of its own: the
statement that answers a request always starts after the request arrived.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class Coalescer(Generic[Key, Found]):
    """Gathers keys that are waiting and fetches them together.

    `fetch` gets distinct keys and returns one value for each, in their order. At most `in_flight`
    fetches run at once, each of at most `batch` keys.
    """

    def __init__(
        self,
        fetch: Callable[[Sequence[Key]], Awaitable[Sequence[Found]]],
        *,
        in_flight: int = 2,
        batch: int = 256,
    ) -> None:
        self._fetch = fetch
        self._in_flight = in_flight
        self._batch = batch
        self._waiting: dict[Key, asyncio.Future[Found]] = {}
        self._working = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: Key) -> Found:
        """Return what `fetch` finds for the key; raise what it raises."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._working < self._in_flight:
                self._working += 1
                task = asyncio.create_task(self._work())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        # Shielded: one caller's cancellation must not take the answer from the others.
        return await asyncio.shield(future)

    async def _work(self) -> None:
        """Fetch until nobody waits.

        The count falls in the same turn in which nobody was seen waiting: who comes later starts anew.
        """
        try:
            while self._waiting:
                taken = dict(list(self._waiting.items())[: self._batch])
                for key in taken:
                    del self._waiting[key]
                await self._answer(taken)
        finally:
            self._working -= 1

    async def _answer(self, taken: dict[Key, asyncio.Future[Found]]) -> None:
        try:
            answers = list(zip(taken.values(), await self._fetch(list(taken)), strict=True))
        except BaseException as error:
            _fail(taken.values(), error)
            if not isinstance(error, Exception):
                raise
        else:
            for future, value in answers:
                future.set_result(value)


def _fail(futures: Iterable[asyncio.Future[Found]], error: BaseException) -> None:
    """Give every waiting caller the error, and mark it as seen should nobody wait any more."""
    for future in futures:
        if isinstance(error, asyncio.CancelledError):
            future.cancel()
        else:
            future.set_exception(error)
            future.exception()
