"""When a target is left alone: for a while after failures in a row, for good after days of them."""

import random
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

_OPENS_AFTER: Final = 5
_FIRST_PAUSE: Final = timedelta(seconds=10)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_FIRST_RETRY: Final = timedelta(seconds=2)
_LONGEST_RETRY: Final = timedelta(hours=1)
_MAX_DOUBLINGS: Final = 20


class Health(Struct, frozen=True):
    """How a target fares; as new while it takes what it is sent."""

    failures: int = 0
    failing_since: datetime | None = None
    open_until: datetime | None = None
    paused_at: datetime | None = None

    def after_success(self) -> "Health":
        """Return the health of a target that took something; a pause is for people to end."""
        return Health(paused_at=self.paused_at)

    def after_failure(
        self, now: datetime, *, wait: timedelta | None = None, is_probe: bool = False
    ) -> "Health":
        """Return the health after one more failure; `wait` is what the target asked for.

        What fails while nothing is to be sent was on its way already, and does not count; but for the probe.
        """
        if self.is_left_alone(now) and not is_probe:
            return self
        failures = self.failures + 1
        pause = _doubled(_FIRST_PAUSE, failures - _OPENS_AFTER, _LONGEST_PAUSE)
        pauses = [each for each in (wait, pause if failures >= _OPENS_AFTER else None) if each]
        return replace(
            self,
            failures=failures,
            failing_since=self.failing_since or now,
            open_until=now + max(pauses) if pauses else None,
        )

    def is_left_alone(self, now: datetime) -> bool:
        """Whether nothing is sent to it now."""
        return self.paused_at is not None or (self.open_until is not None and self.open_until > now)

    @property
    def is_probed(self) -> bool:
        """Whether one delivery is to find out if the target is back."""
        return self.open_until is not None


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: a random part of what doubles with each."""
    longest = _doubled(_FIRST_RETRY, attempts - 1, _LONGEST_RETRY)
    return _FIRST_RETRY / 2 + (longest - _FIRST_RETRY / 2) * random.random()  # noqa: S311 - spreads load, no secret


def bounded_wait(wait: timedelta) -> timedelta:
    """Return what a target may ask for at most."""
    return min(max(wait, timedelta(0)), _LONGEST_RETRY)


def _doubled(first: timedelta, times: int, longest: timedelta) -> timedelta:
    factor: int = 2 ** max(0, min(times, _MAX_DOUBLINGS))
    return min(first * factor, longest)
