"""A condition that a request's first statement proves, instead of a statement of its own.

Whoever answers a request from something remembered (`app.auth.standings`) has to know that it still holds.
The check rides in front of the first statement that the request runs: where it fails, that statement was not
run, and whoever set the condition decides anew.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple, TypeVar

from app.db.errors import PreconditionFailed
from app.db.statements import Prepared

Result = TypeVar("Result")


class Check(NamedTuple):
    """A statement that divides by zero unless the condition holds."""

    statement: Prepared
    params: tuple[object, ...]


class Precondition:
    """What has to hold; where it does not, `renew` returns if the request may go on, or raises."""

    __slots__ = ("check", "is_met", "renew")

    def __init__(self, check: Check, renew: Callable[[], Awaitable[None]]) -> None:
        self.check: Final = check
        self.renew: Final = renew
        self.is_met = False


_CURRENT: ContextVar[Precondition | None] = ContextVar("precondition", default=None)


@contextmanager
def under(precondition: Precondition | None) -> Iterator[None]:
    """Have the first statement that runs inside prove this; None: nothing needs to be proved."""
    token = _CURRENT.set(precondition)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def unproven() -> Precondition | None:
    """Return what the next statement has to prove."""
    current = _CURRENT.get()
    return None if current is None or current.is_met else current


async def proving(run: Callable[[Check | None], Awaitable[Result]]) -> Result:
    """Run with what this request has to prove; where that fails, have it renewed and run without."""
    condition = unproven()
    if condition is None:
        return await run(None)
    try:
        result = await run(condition.check)
    except PreconditionFailed:
        # Whoever set it decides what becomes of the request.
        with under(None):
            await condition.renew()
        condition.is_met = True
        return await run(None)
    condition.is_met = True
    return result
