"""Reading objects as a stream that outlives a broken connection."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from app.storage.driver import StorageBusy, StorageError
from app.storage.s3_client import Bucket, storage_errors

if TYPE_CHECKING:
    from aiobotocore.response import AioStreamingBody

_READ_BYTES: Final = 1 << 20
_ATTEMPTS: Final = 4
_PAUSE_SECONDS: Final = 0.1


class BrokenOff(StorageBusy):
    """The body of an answer ended before its end; the request itself has been tried several times already."""


async def stream(bucket: Bucket, key: str, start: int, *, stop: int) -> AsyncGenerator[bytes]:
    """Yield the bytes `start <= i < stop`; raise FileNotFoundError.

    A body that breaks off is asked for again from there; only one that does not move is given up.
    """
    failures = 0
    while start < stop:
        begun = start
        async with aclosing(_read(bucket, key, start, stop=stop)) as pieces:
            async for piece in _until_broken(pieces, is_last=failures == _ATTEMPTS - 1):
                start += len(piece)
                yield piece
        failures = 0 if start > begun else failures + 1
        if start < stop:
            await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * 2**failures))  # noqa: S311 - it spreads load


async def read_first(bucket: Bucket, key: str, length: int) -> bytes:
    """Return the first bytes of an object; raise FileNotFoundError."""
    return b"".join([piece async for piece in stream(bucket, key, 0, stop=length)])


async def _until_broken(pieces: AsyncIterator[bytes], *, is_last: bool) -> AsyncIterator[bytes]:
    """Pass on what comes; that it broke off is only an error when it is not tried again."""
    try:
        async for piece in pieces:
            yield piece
    except BrokenOff:
        if is_last:
            raise


async def _read(bucket: Bucket, key: str, start: int, *, stop: int) -> AsyncGenerator[bytes]:
    with storage_errors():
        found = await bucket.s3.get_object(**bucket.at(key), Range=f"bytes={start}-{stop - 1}")
    body = found["Body"]
    try:
        if found["ContentLength"] != stop - start:
            raise StorageError(f"{key} has not the {stop} bytes that it should have")
        while piece := await _piece(body):
            yield piece
    finally:
        body.close()


async def _piece(body: "AioStreamingBody") -> bytes:
    try:
        piece: bytes = await body.read(_READ_BYTES)
    except Exception as error:  # the SDK lets those of its HTTP client through
        raise BrokenOff(f"reading broke off: {type(error).__name__}: {error}") from error
    return piece
