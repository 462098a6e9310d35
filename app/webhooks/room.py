"""How much a process sends at once, and how that is shared: who takes its time leaves room for others."""

from typing import Final

from app.webhooks.delivery_store import IN_FLIGHT

_PART: Final = 8


class Room:
    """What is under way in one process, of so much at most; each target may have one delivery in any case."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    def share(self) -> int:
        """Return how many a target may have: a part of what is free, so that there is always some left."""
        return max(1, min(IN_FLIGHT, (self._limit - self._taken) // _PART))

    def change(self, by: int) -> None:
        """Note that more or less is under way."""
        self._taken += by
