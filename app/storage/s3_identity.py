"""Who asks S3: the keys of the settings, or an identity that the SDK finds and renews."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from app.storage.driver import StorageBusy

if TYPE_CHECKING:
    from aiobotocore.credentials import AioCredentials
    from aiobotocore.session import AioSession


class Identity:
    """Credentials, which may have an end; without any, the SDK says so with the first request."""

    def __init__(self, credentials: "AioCredentials | None" = None) -> None:
        self._credentials: Final = credentials

    async def renew(self, **_: object) -> None:
        """Have what can be renewed be renewed in time; raise StorageBusy where what has ended cannot be."""
        if self._credentials is not None:
            with _sought():
                await self._credentials.get_frozen_credentials()

    async def lasting(self, lifetime: timedelta) -> timedelta:
        """Return how much of a lifetime is left to these credentials, in whole seconds."""
        await self.renew()
        # The SDK has no other word for it than this, which is None until it knows.
        end: datetime | None = getattr(self._credentials, "_expiry_time", None)
        if end is None:
            return lifetime
        left = int((end - datetime.now(UTC)).total_seconds())
        return min(lifetime, timedelta(seconds=max(left, 1)))


async def find_identity(session: "AioSession") -> Identity:
    """Look where the SDK does: environment, profile, role of the machine; raise StorageBusy."""
    with _sought():
        return Identity(await session.get_credentials())


@contextmanager
def _sought() -> Iterator[None]:
    """Raise StorageBusy, whichever way to an identity fails: files, programs and services lie on it."""
    try:
        yield
    except Exception as error:
        # The words of a program can be many lines.
        said = " ".join(str(error).split())
        raise StorageBusy(f"no credentials are to be had: {type(error).__name__}: {said}") from error
