"""Reading objects of S3."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

from app.storage.driver import Inflow, StorageError
from app.storage.held import Held, hold
from app.storage.resumed import BrokenOff, resumed
from app.storage.s3_client import Bucket
from app.storage.s3_errors import storage_errors

if TYPE_CHECKING:
    from aiobotocore.response import AioStreamingBody

_POURED_BYTES: Final = 1 << 20
"""Less is read here: the connection of a body that was not has to be closed."""


def stream(bucket: Bucket, key: str, start: int, *, stop: int) -> AsyncGenerator[bytes]:
    """Yield the bytes `start <= i < stop`; raise FileNotFoundError."""

    async def read(first: int, end: int) -> AsyncGenerator[bytes]:
        async with _body(bucket, key, first, stop=end) as body:
            while piece := await _piece(body):
                yield piece

    return resumed(read, start, stop)


def pour(bucket: Bucket, key: str, start: int, *, stop: int) -> AsyncGenerator[bytes | Inflow]:
    """Yield the same, but most of it on its socket where it can be taken from there."""

    async def read(first: int, end: int) -> AsyncGenerator[bytes | Inflow]:
        async with _body(bucket, key, first, stop=end) as body:
            left = end - first
            if left >= _POURED_BYTES and (held := _held(body)):
                yield held.begun
                left -= len(held.begun)
                yield (inflow := Inflow(held.descriptor, left, patience=bucket.patience))
                left -= inflow.taken
                held.release()
            while left and (piece := await _piece(body)):
                left -= len(piece)
                yield piece

    return resumed(read, start, stop)


async def read_first(bucket: Bucket, key: str, length: int) -> bytes:
    """Return the first bytes of an object; raise FileNotFoundError."""
    return b"".join([piece async for piece in stream(bucket, key, 0, stop=length)])


@asynccontextmanager
async def _body(bucket: Bucket, key: str, start: int, *, stop: int) -> AsyncIterator["AioStreamingBody"]:
    with _broken_off(), storage_errors():
        found = await bucket.s3.get_object(**bucket.at(key), Range=f"bytes={start}-{stop - 1}")
    body = found["Body"]
    try:
        if found.get("ContentLength") != stop - start:
            raise StorageError(f"{key} has not the {stop} bytes that it should have")
        yield body
    finally:
        body.close()


def _held(body: "AioStreamingBody") -> Held | None:
    with _broken_off():
        return hold(body.raw_stream)


async def _piece(body: "AioStreamingBody") -> bytes:
    with _broken_off():
        # As it came from the socket: the SDK's own `read` would put it together with what came before.
        piece: bytes = (await body.raw_stream.content.readchunk())[0]
        return piece


@contextmanager
def _broken_off() -> Iterator[None]:
    try:
        yield
    except (StorageError, FileNotFoundError):
        raise
    except Exception as error:  # the SDK lets those of its HTTP client through
        raise BrokenOff(f"reading broke off: {type(error).__name__}: {error}") from error
