"""Who stops reading in the middle leaves nothing to the garbage collector, which warns of connections."""

import gc
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from app.oci.digest import Digest
from app.storage import Inflow, StorageDriver
from tests.contracts.storing import LARGE, append


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Fail when an asynchronous generator is dropped before it has ended or was closed."""
    dropped: list[str] = []
    before = sys.get_asyncgen_hooks()

    def finalize(generator: AsyncGenerator[object]) -> None:
        dropped.append(repr(generator))
        if before.finalizer:
            before.finalizer(generator)

    sys.set_asyncgen_hooks(finalizer=finalize)
    try:
        yield
        gc.collect()
    finally:
        sys.set_asyncgen_hooks(*before)
    assert dropped == []


async def begin(pieces: AsyncGenerator[bytes | Inflow], count: int) -> None:
    """Take some pieces, and no more."""
    async with aclosing(pieces):
        for _ in range(count):
            await anext(pieces)


async def test_blob_that_is_not_read_to_its_end(driver: StorageDriver) -> None:
    digest = Digest.of(LARGE)
    await driver.put(digest, LARGE)
    with nothing_left_open():
        await begin(driver.read(digest, 0, len(LARGE)), 1)
        for count in (1, 2):
            await begin(driver.pour(digest, 0, len(LARGE)), count)


async def test_upload_that_is_not_read_to_its_end(driver: StorageDriver) -> None:
    state = await append(driver, driver.new_upload(), 0, LARGE)
    with nothing_left_open():
        await begin(driver.read_upload(state, len(LARGE)), 1)
