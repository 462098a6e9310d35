"""URLs at which whoever has them gets a blob for a while, and no byte of it passes through us."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from app.oci.digest import Digest
from app.settings import DownloadSettings
from app.storage.cdn import cdn_of
from app.storage.driver import StorageDriver
from app.storage.paths import blob_key

_MOST: Final = 4096
_LONGEST_SECONDS: Final = 60.0
_SHARE: Final = 10
"""A URL is given again for this fraction of its lifetime (1/10), so most of it is always left."""


class Wanted(NamedTuple):
    """Which blob is to be opened, for how long, and what the answer is to say of it (empty: nothing)."""

    digest: Digest
    lifetime: timedelta
    content_type: str = ""
    disposition: str = ""


class SignedUrl(NamedTuple):
    """A URL, and until when it can be followed."""

    url: str
    expires_at: datetime


class SignedUrls:
    """Signs for the CDN where the settings name one, else for the storage; the same again for a moment.

    Nothing is asked here of whether the blob is there, or who may have it: the caller has found its link in
    the database just before, each time. That is why nothing is to be forgotten when a blob is deleted, in no
    process: what is remembered of it is not asked for any more. A URL that is out ends when it says.
    """

    def __init__(self, storage: StorageDriver, settings: DownloadSettings) -> None:
        self._storage = storage
        self._base = settings.cdn_url.rstrip("/")
        self._cdn = cdn_of(settings)
        self._known: dict[Wanted, tuple[SignedUrl, float]] = {}

    async def get(self, wanted: Wanted) -> SignedUrl | None:
        """Return a URL, or None where only we can send what is wanted."""
        known = self._known.get(wanted)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        signed = await self._sign(wanted)
        if signed is not None:
            self._keep(wanted, signed)
        return signed

    def _keep(self, wanted: Wanted, signed: SignedUrl) -> None:
        self._known.pop(wanted, None)
        if len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        left = signed.expires_at - datetime.now(UTC)
        fresh = min(_LONGEST_SECONDS, left.total_seconds() / _SHARE)
        self._known[wanted] = (signed, time.monotonic() + fresh)

    async def _sign(self, wanted: Wanted) -> SignedUrl | None:
        lifetime = wanted.lifetime if self._cdn else await self._storage.lasting(wanted.lifetime)
        # Whole seconds, for more cannot be signed.
        expires_at = datetime.now(UTC).replace(microsecond=0) + lifetime
        if self._cdn:
            url = self._sign_for_cdn(wanted, expires_at)
        else:
            url = await self._presign(wanted, lifetime)
        return None if url is None else SignedUrl(url, expires_at)

    async def _presign(self, wanted: Wanted, lifetime: timedelta) -> str | None:
        return await self._storage.presign(
            wanted.digest,
            lifetime,
            content_type=wanted.content_type,
            disposition=wanted.disposition,
        )

    def _sign_for_cdn(self, wanted: Wanted, expires_at: datetime) -> str | None:
        if self._cdn is None or wanted.content_type or wanted.disposition:
            return None  # it answers everybody alike
        return self._cdn(f"{self._base}/{blob_key(wanted.digest)}", int(expires_at.timestamp()))
