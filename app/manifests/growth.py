"""Transactions in which a project comes to use more, or less."""

from collections.abc import Awaitable, Callable
from typing import Final

from app.access import Call
from app.db import CheckViolation, DatabaseUnavailable, Deadlock, ForeignKeyViolation, Transaction
from app.quotas.model import Growth
from app.quotas.usage import charge, refused
from app.resources import Resources

_TRIES: Final = 5
_DELETED_MEANWHILE: Final = {
    "manifests_counted_fkey",
    "manifest_blobs_counted_fkey",
}
"""What an artifact used was there when it was looked at, and is entered anew."""


async def grow(r: Resources, call: Call, work: Callable[[Transaction], Awaitable[Growth]]) -> None:
    """Do the work and count what it adds in one transaction; again when a deletion came between.

    Raises:
        StorageExceeded: the quota of the project does not allow it; nothing was done.
        ForeignKeyViolation: what the work itself relies on is gone.
    """
    for _ in range(_TRIES):
        growth = Growth(0, 0)
        try:
            async with r.database.transaction() as tx:
                growth = await work(tx)
                charge(tx, call, growth)
        except CheckViolation:
            raise await refused(r, call, growth) from None
        except ForeignKeyViolation as violation:
            if violation.constraint not in _DELETED_MEANWHILE:
                raise
        except Deadlock:
            continue
        else:
            return
    raise DatabaseUnavailable("what is to be used is being deleted over and over")


async def shrink(r: Resources, work: Callable[[Transaction], Awaitable[None]]) -> None:
    """Do the work in one transaction; again when it and another one waited for each other."""
    for _ in range(_TRIES):
        try:
            async with r.database.transaction() as tx:
                await work(tx)
        except Deadlock:
            continue
        else:
            return
    raise DatabaseUnavailable("what is to be deleted is being used over and over")
