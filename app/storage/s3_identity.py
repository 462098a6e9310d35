"""Who asks S3: the keys of the settings, or an identity that the SDK finds and renews."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from app.storage.driver import CredentialsMissing

if TYPE_CHECKING:
    from aiobotocore.credentials import AioCredentials
    from aiobotocore.session import AioSession

log = structlog.get_logger()

_REMEDY: Final = (
    "nobody knows when they end, so URLs may end before they say: set AWS_CREDENTIAL_EXPIRATION "
    "beside AWS_SESSION_TOKEN, or have the SDK find credentials that it renews"
)


class Identity:
    """Credentials, which may have an end; without any, the SDK says so with the first request."""

    def __init__(self, credentials: "AioCredentials | None" = None) -> None:
        self._credentials: Final = credentials

    async def renew(self, **_: object) -> None:
        """Have what can be renewed be renewed in time; raise CredentialsMissing where it cannot be."""
        if self._credentials is not None:
            with _sought():
                await self._credentials.get_frozen_credentials()

    async def lasting(self, lifetime: timedelta) -> timedelta:
        """Return how much of a lifetime is left to these credentials, in whole seconds."""
        await self.renew()
        end = self._end
        if end is None:
            return lifetime
        left = int((end - datetime.now(UTC)).total_seconds())
        return min(lifetime, timedelta(seconds=max(left, 1)))

    async def warn(self) -> None:
        """Log what to do where they come with a token, so that they have an end, and do not say which."""
        await self.renew()
        if self._credentials is None or self._end is not None:
            return
        if (await self._credentials.get_frozen_credentials()).token:
            log.warning("storage_credentials_without_end", remedy=_REMEDY)

    @property
    def _end(self) -> datetime | None:
        # The SDK has no other word for it than this, which is None until it knows.
        return getattr(self._credentials, "_expiry_time", None)


async def find_identity(session: "AioSession") -> Identity:
    """Look where the SDK does: environment, profile, role of the machine; raise CredentialsMissing."""
    with _sought():
        identity = Identity(await session.get_credentials())
    await identity.warn()
    return identity


@contextmanager
def _sought() -> Iterator[None]:
    """Raise CredentialsMissing, whichever way to an identity fails: files, programs, services lie on it."""
    try:
        yield
    except Exception as error:
        # The words of a program can be many lines.
        said = " ".join(str(error).split())
        raise CredentialsMissing(f"no credentials are to be had: {type(error).__name__}: {said}") from error
