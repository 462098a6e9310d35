"""Transactions in which a project comes to use more."""

from collections.abc import Awaitable, Callable
from typing import Final

from app.access import Call
from app.db import CheckViolation, DatabaseUnavailable, Deadlock, ForeignKeyViolation, Transaction
from app.quotas.model import Growth
from app.quotas.usage import charge, refused
from app.resources import Resources

_TRIES: Final = 5
_COUNTED: Final = {"manifests_counted_fkey", "manifest_blobs_counted_fkey"}
"""What another artifact used when it was looked at, and nothing used any more when it was to be named."""


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
            if violation.constraint not in _COUNTED:
                raise
        except Deadlock:
            continue
        else:
            return
    raise DatabaseUnavailable("what is to be used is being deleted over and over")
