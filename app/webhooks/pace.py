"""How fast a backlog is worked off: less so while others need the database."""

import math
from typing import Final

_EASY: Final = 2
_WEIGHT: Final = 18
_LONGEST_SECONDS: Final = 0.25


class Pace:
    """What a process knows of how long a claim takes."""

    def __init__(self) -> None:
        self._fastest = math.inf

    def pause(self, took: float) -> float:
        """Return how long to leave the database to others, by how much longer it took than it could."""
        self._fastest = min(self._fastest, took)
        return min(_LONGEST_SECONDS, _WEIGHT * max(0.0, took - _EASY * self._fastest))
