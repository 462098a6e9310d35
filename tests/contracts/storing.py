"""What the contract of the storage drivers is tested with."""

import asyncio
import os
import random
import select
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from datetime import timedelta
from typing import TypeAlias

from app.oci.digest import Digest
from app.settings import StorageSettings, load
from app.storage import Inflow, StorageDriver, UploadState, UploadWriter

OpenDriver: TypeAlias = Callable[[], StorageDriver]
"""Opens the same storage once more, as another process does."""

CONTENT = bytes(range(251)) * 9_000  # more than two reads of a mebibyte
PART = 5 << 20
LARGE = random.Random(7).randbytes(3 * PART + 1)  # noqa: S311 - noise, not a secret
EVERYTHING = timedelta(seconds=-60)


def settings_on(place: dict[str, str]) -> StorageSettings:
    """How a driver reaches a place, with parts as small as every driver takes them."""
    chosen = {**place, "storage_part_bytes": str(PART)}
    return load({f"ROADSTEAD_{name.upper()}": value for name, value in chosen.items()}).storage


async def pieces_of(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1 << 20):
        yield content[start : start + (1 << 20)]


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def poured(pieces: AsyncGenerator[bytes | Inflow]) -> tuple[bytes, int]:
    """Return the bytes, and how many of them were taken from a socket."""
    content, taken = bytearray(), 0
    async with aclosing(pieces):
        async for piece in pieces:
            content += await asyncio.to_thread(_taken, piece) if isinstance(piece, Inflow) else piece
            taken += len(piece) if isinstance(piece, Inflow) else 0
    return bytes(content), taken


def _taken(inflow: Inflow) -> bytes:
    content = bytearray()
    while inflow.taken < inflow.length and select.select([inflow.descriptor], [], [], inflow.patience)[0]:
        piece = os.read(inflow.descriptor, min(1 << 20, inflow.length - inflow.taken))
        if not piece:
            break
        content += piece
        inflow.taken += len(piece)
    return bytes(content)


async def blob(driver: StorageDriver, digest: Digest) -> bytes:
    size = await driver.stat(digest)
    assert size is not None
    return await joined(driver.read(digest, 0, size))


async def digests_in(driver: StorageDriver) -> list[Digest]:
    return sorted([digest async for digest in driver.list_digests()])


async def end(writer: UploadWriter, piece: bytes) -> UploadState:
    try:
        await writer.write(piece)
        return await writer.finish()
    finally:
        writer.close()


async def append(driver: StorageDriver, state: UploadState, offset: int, piece: bytes) -> UploadState:
    _, writer = await driver.append(state, offset, is_contested=False)
    return await end(writer, piece)
