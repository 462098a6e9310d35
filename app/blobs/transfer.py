"""Copying every blob from one storage to another, while the registry works.

A blob is durable in the target once it is there at all, and is there only if its bytes have its digest: so a
copy that was cut short goes on where it was, by what the target lists.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import Final

from msgspec import Struct

from app.blobs import store
from app.blobs.model import INLINE_BYTES
from app.db import Database
from app.oci.digest import Digest
from app.storage import RunningDigest, StorageDriver, StorageError

_PAGE: Final = 1_000


class Tally(Struct):
    """How far a transfer got: numbers of blobs, and bytes.

    `missing` are blobs that the source has not, `wrong` those whose bytes there have another digest.
    """

    total: int = 0
    total_bytes: int = 0
    there: int = 0
    there_bytes: int = 0
    copied: int = 0
    copied_bytes: int = 0
    missing: list[str] = []
    wrong: list[str] = []


async def transfer(
    database: Database,
    source: StorageDriver,
    target: StorageDriver,
    *,
    at_once: int,
    note: Callable[[Tally], None],
) -> Tally:
    """Copy what the database knows and the target lacks; `note` is told after every blob.

    What is pushed meanwhile may be copied or not: the next run copies the rest. Raises StorageError.
    """
    async with database.autocommit() as statements:
        tally = Tally(*await store.get_totals(statements))
    blobs = _blobs(database, target)
    lock = asyncio.Lock()

    async def work() -> None:
        while True:
            async with lock:
                blob = await anext(blobs, None)
            if blob is None:
                return
            digest, size, is_there = blob
            if is_there:
                tally.there += 1
                tally.there_bytes += size
            else:
                await _copy(source, target, digest, size=size, tally=tally)
            note(tally)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except ExceptionGroup as failed:
        # Not `except*`: before Python 3.11.4, what is raised there becomes a group again.
        raise failed.exceptions[0] from None
    return tally


async def _blobs(database: Database, target: StorageDriver) -> AsyncIterator[tuple[Digest, int, bool]]:
    """Yield each blob, its size, and whether the target has it, of which a 256th is known at a time."""
    last, beginning, there = "", "", frozenset[Digest]()
    while True:
        async with database.autocommit() as statements:
            page = await store.list_blobs(statements, last=last, limit=_PAGE)
        if not page:
            return
        for text, size in page:
            digest = Digest(text)
            if digest.encoded[:2] != beginning:
                beginning = digest.encoded[:2]
                there = frozenset([found async for found in target.list_digests(beginning)])
            yield digest, size, digest in there
        last = page[-1][0]


class _OtherBytesError(Exception):
    """What lies under a digest has another one."""


async def _copy(
    source: StorageDriver, target: StorageDriver, digest: Digest, *, size: int, tally: Tally
) -> None:
    copy = _copy_small if size <= INLINE_BYTES else _copy_large
    try:
        await copy(source, target, digest, size=size)
    except FileNotFoundError:
        tally.missing.append(digest)
    except _OtherBytesError:
        tally.wrong.append(digest)
    else:
        tally.copied += 1
        tally.copied_bytes += size


async def _copy_small(source: StorageDriver, target: StorageDriver, digest: Digest, *, size: int) -> None:
    content = b"".join([piece async for piece in source.read(digest, 0, size)])
    if not digest.matches(content):
        raise _OtherBytesError
    await target.put(digest, content)


async def _copy_large(source: StorageDriver, target: StorageDriver, digest: Digest, *, size: int) -> None:
    """Copy a blob on its way to its place; nothing is left behind where it does not get there."""
    state, writer = await target.append(target.new_upload(), 0, is_contested=False, blob=digest)
    try:
        running = RunningDigest(digest.algorithm)
        async with aclosing(source.read(digest, 0, size)) as pieces:
            async for piece in pieces:
                await asyncio.gather(writer.write(piece), asyncio.to_thread(running.update, piece))
        if running.digest() != digest:
            raise _OtherBytesError
        await target.commit(await writer.finish(digest), digest, size)
    except BaseException:
        await writer.drop()
        with suppress(StorageError):
            await target.discard(state)
        raise
    finally:
        writer.close()
