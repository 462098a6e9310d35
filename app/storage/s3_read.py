"""Reading objects of S3."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from app.storage.driver import StorageError
from app.storage.resumed import BrokenOff, resumed
from app.storage.s3_client import Bucket, storage_errors

if TYPE_CHECKING:
    from aiobotocore.response import AioStreamingBody


def stream(bucket: Bucket, key: str, start: int, *, stop: int) -> AsyncGenerator[bytes]:
    """Yield the bytes `start <= i < stop`; raise FileNotFoundError."""

    def read(first: int, end: int) -> AsyncGenerator[bytes]:
        return _read(bucket, key, first, stop=end)

    return resumed(read, start, stop)


async def read_first(bucket: Bucket, key: str, length: int) -> bytes:
    """Return the first bytes of an object; raise FileNotFoundError."""
    return b"".join([piece async for piece in stream(bucket, key, 0, stop=length)])


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
        # As it came from the socket: the SDK's own `read` would put it together with what came before.
        piece: bytes = (await body.raw_stream.content.readchunk())[0]
    except Exception as error:  # the SDK lets those of its HTTP client through
        raise BrokenOff(f"reading broke off: {type(error).__name__}: {error}") from error
    return piece
