"""Buckets on servers that speak S3: that of the tests, or one that somebody has elsewhere."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from app.settings import load
from app.storage.s3_client import Bucket as OpenBucket
from app.storage.s3_client import open_bucket
from app.storage.s3_copy import Multipart, abort
from app.storage.s3_list import list_keys, list_multiparts

_NAMED: Final = "ROADSTEAD_TEST_S3_"
_LATER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Bucket:
    """A bucket, or a part of one, and where it is."""

    endpoint: str
    name: str
    prefix: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """More settings of the driver, such as keys."""

    def below(self, prefix: str) -> "Bucket":
        """Return the part of it below a prefix."""
        return replace(self, prefix=f"{self.prefix}/{prefix}".strip("/"))

    def by(self, endpoint: str) -> "Bucket":
        """Return the same by another way."""
        return replace(self, endpoint=endpoint)

    @property
    def settings(self) -> dict[str, str]:
        """What a registry on this bucket is told, by the names of `tests.conformance.serving`."""
        return {
            "storage_driver": "s3",
            "storage_bucket": self.name,
            "storage_prefix": self.prefix,
            "storage_endpoint": self.endpoint,
            **{f"storage_{name}": value for name, value in self.chosen.items()},
        }


IS_ELSEWHERE: Final = f"{_NAMED}BUCKET" in os.environ
"""Whether tests are to run on a bucket that is there already; CONTRIBUTING.md says how."""


@asynccontextmanager
async def bucket_elsewhere() -> AsyncIterator[Bucket]:
    """Lend a part of the bucket that the environment names, and remove what is in it at the end."""
    chosen = {
        name.removeprefix(_NAMED).lower(): value
        for name, value in os.environ.items()
        if name.startswith(_NAMED)
    }
    whole = Bucket(chosen.pop("endpoint", ""), chosen.pop("bucket"), chosen.pop("prefix", ""), chosen)
    ours = whole.below(f"roadstead-tests/{uuid4().hex}")
    try:
        yield ours
    finally:
        await _empty(ours)


async def names_in(bucket: Bucket) -> list[str]:
    """Return the keys of all objects and multipart uploads."""
    async with _opened(bucket) as opened:
        keys = [key async for key, _ in list_keys(opened, "")]
        return [*keys, *[key async for key, _ in list_multiparts(opened, _LATER)]]


async def _empty(bucket: Bucket) -> None:
    async with _opened(bucket) as opened:
        await opened.remove(*[key async for key, _ in list_keys(opened, "")])
        async for key, upload in list_multiparts(opened, _LATER):
            await abort(opened, Multipart(key, upload))


def _opened(bucket: Bucket) -> AbstractAsyncContextManager[OpenBucket]:
    settings = load({f"ROADSTEAD_{name.upper()}": value for name, value in bucket.settings.items()})
    return open_bucket(settings.storage, copy_bytes=0)
