"""What every storage driver does: the same tests for each of them."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest

from app.oci.digest import Algorithm, Digest
from app.storage import FilesystemDriver, StorageDriver, StorageError, UploadState, UploadWriter

OpenDriver: TypeAlias = Callable[[], StorageDriver]
"""Opens the same storage once more, as another process does."""

CONTENT = bytes(range(251)) * 9_000  # more than two reads of a mebibyte


def on_files(root: Path) -> StorageDriver:
    return FilesystemDriver(root / "storage")


@pytest.fixture(params=[on_files], ids=["filesystem"])
def another(request: pytest.FixtureRequest, tmp_path: Path) -> OpenDriver:
    return lambda: request.param(tmp_path)


@pytest.fixture
def driver(another: OpenDriver) -> StorageDriver:
    return another()


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def blob(driver: StorageDriver, digest: Digest) -> bytes:
    size = await driver.stat(digest)
    assert size is not None
    return await joined(driver.read(digest, 0, size))


async def digests_in(driver: StorageDriver) -> list[Digest]:
    return sorted([digest async for digest in driver.list_digests()])


async def end(writer: UploadWriter, piece: bytes) -> None:
    await writer.write(piece)
    await writer.finish()
    writer.close()


async def append(driver: StorageDriver, state: UploadState, offset: int, piece: bytes) -> UploadState:
    state, writer = await driver.append(state, offset, is_contested=False)
    await end(writer, piece)
    return state


async def test_a_storage_that_can_be_written_to_says_so(driver: StorageDriver) -> None:
    await driver.check()


async def test_a_storage_with_a_limit_says_how_much_is_left(driver: StorageDriver) -> None:
    room = await driver.room()
    assert room is None or 0 < room.free_bytes < room.total_bytes
    assert await digests_in(driver) == []
    assert await driver.list_uploads(timedelta(seconds=-60)) == []


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("content", [b"", b"small", CONTENT], ids=len)
async def test_what_was_put_is_there_for_every_process(
    another: OpenDriver, content: bytes, algorithm: Algorithm
) -> None:
    digest = Digest.of(content, algorithm)
    assert await another().stat(digest) is None
    await another().put(digest, content)
    assert await another().stat(digest) == len(content)
    assert await blob(another(), digest) == content
    assert await digests_in(another()) == [digest]


async def test_putting_it_twice_is_fine(driver: StorageDriver) -> None:
    digest = Digest.of(b"x")
    await driver.put(digest, b"x")
    await driver.put(digest, b"x")
    assert await blob(driver, digest) == b"x"
    assert await driver.list_uploads(timedelta(seconds=-60)) == []


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (0, 1),
        (0, 0),
        (7, 7),
        (5, 300),
        (1 << 20, (1 << 20) + 1),
        (1, len(CONTENT)),
        (len(CONTENT) - 1, len(CONTENT)),
    ],
)
async def test_any_range_can_be_read(driver: StorageDriver, start: int, stop: int) -> None:
    digest = Digest.of(CONTENT)
    await driver.put(digest, CONTENT)
    assert await joined(driver.read(digest, start, stop)) == CONTENT[start:stop]


async def test_a_blob_that_is_shorter_than_it_should_be_is_an_error(driver: StorageDriver) -> None:
    digest = Digest.of(b"short")
    await driver.put(digest, b"short")
    with pytest.raises(StorageError):
        await joined(driver.read(digest, 0, 6))


async def test_a_reader_that_has_begun_gets_all_of_a_deleted_blob(driver: StorageDriver) -> None:
    digest = Digest.of(CONTENT)
    await driver.put(digest, CONTENT)
    pieces = driver.read(digest, 0, len(CONTENT))
    first = await anext(pieces)
    await driver.delete(digest)
    assert first + await joined(pieces) == CONTENT


async def test_a_local_path_is_the_content_itself(driver: StorageDriver) -> None:
    digest = Digest.of(CONTENT)
    await driver.put(digest, CONTENT)
    path = driver.local_path(digest)
    assert path is None or path.read_bytes() == CONTENT


async def test_a_deleted_blob_is_gone_and_deleting_it_again_is_fine(driver: StorageDriver) -> None:
    gone, kept = Digest.of(b"gone"), Digest.of(b"kept")
    await driver.put(gone, b"gone")
    await driver.put(kept, b"kept")
    await driver.delete(gone)
    await driver.delete(gone)
    assert await driver.stat(gone) is None
    assert await digests_in(driver) == [kept]
    with pytest.raises(FileNotFoundError):
        await joined(driver.read(gone, 0, 4))


async def test_an_upload_by_several_processes_becomes_a_blob(another: OpenDriver) -> None:
    state, offset = another().new_upload(), 0
    for piece in (CONTENT[:1], CONTENT[1:100], b"", CONTENT[100:]):
        state = await append(another(), state, offset, piece)
        offset += len(piece)
    assert await joined(another().read_upload(state, 100)) == CONTENT[:100]
    digest = Digest.of(CONTENT)
    assert await another().stat(digest) is None
    await another().commit(state, digest, len(CONTENT))
    assert await blob(another(), digest) == CONTENT
    assert await another().list_uploads(timedelta(seconds=-60)) == []


async def test_an_upload_without_a_byte_becomes_the_empty_blob(driver: StorageDriver) -> None:
    state = await append(driver, driver.new_upload(), 0, b"")
    await driver.commit(state, Digest.of(b""), 0)
    assert await driver.stat(Digest.of(b"")) == 0


async def test_what_lies_beyond_the_offset_is_dropped(driver: StorageDriver) -> None:
    state = await append(driver, driver.new_upload(), 0, b"kept, never acknowledged")
    state = await append(driver, state, 4, b"!")
    await driver.commit(state, Digest.of(b"kept!"), 5)
    assert await blob(driver, Digest.of(b"kept!")) == b"kept!"


async def test_two_uploads_do_not_meet(driver: StorageDriver) -> None:
    one = await append(driver, driver.new_upload(), 0, b"one")
    two = await append(driver, driver.new_upload(), 0, b"two")
    assert await joined(driver.read_upload(one, 3)) == b"one"
    await driver.discard(one)
    assert await joined(driver.read_upload(two, 3)) == b"two"


@pytest.mark.parametrize("offset", [0, 4])
async def test_an_old_writer_cannot_harm_a_new_one(another: OpenDriver, offset: int) -> None:
    old_state = await append(another(), another().new_upload(), 0, b"sure")
    old_state, old = await another().append(old_state, 4, is_contested=False)
    await old.write(b" and lost")
    state, new = await another().append(old_state, offset, is_contested=True)
    await old.write(b" for ever")
    await new.write(b" and new")
    await another().discard(old_state)
    await end(old, b", written after the new writer began, and longer")
    await end(new, b".")
    content = b"sure"[:offset] + b" and new."
    await another().commit(state, Digest.of(content), len(content))
    assert await blob(another(), Digest.of(content)) == content
    assert await another().list_uploads(timedelta(seconds=-60)) == []


async def test_bytes_that_are_gone_are_not_made_up(driver: StorageDriver) -> None:
    state = await append(driver, driver.new_upload(), 0, b"four")
    with pytest.raises(FileNotFoundError):
        await driver.append(state, 5, is_contested=False)
    await driver.discard(state)
    for is_contested in (False, True):
        with pytest.raises(FileNotFoundError):
            await driver.append(state, 4, is_contested=is_contested)
    with pytest.raises(FileNotFoundError):
        await joined(driver.read_upload(state, 4))
    with pytest.raises(FileNotFoundError):
        await driver.commit(state, Digest.of(b"four"), 4)
    assert await driver.stat(Digest.of(b"four")) is None


@pytest.mark.parametrize("size", [0, 3, 5])
async def test_an_upload_of_another_size_does_not_become_the_blob(driver: StorageDriver, size: int) -> None:
    state = await append(driver, driver.new_upload(), 0, b"four")
    with pytest.raises(StorageError):
        await driver.commit(state, Digest.of(b"four"), size)
    assert await driver.stat(Digest.of(b"four")) is None
    await driver.commit(state, Digest.of(b"four"), 4)
    assert await blob(driver, Digest.of(b"four")) == b"four"


async def test_discarding_is_fine_whether_there_are_bytes_or_not(driver: StorageDriver) -> None:
    state = driver.new_upload()
    await driver.discard(state)
    state = await append(driver, state, 0, b"bytes")
    assert await driver.list_uploads(timedelta(seconds=-60)) == [state]
    assert await driver.list_uploads(timedelta(hours=1)) == []
    await driver.discard(state)
    await driver.discard(state)
    assert await driver.list_uploads(timedelta(seconds=-60)) == []


async def test_discarding_what_was_committed_leaves_the_blob(driver: StorageDriver) -> None:
    state = await append(driver, driver.new_upload(), 0, b"blob")
    await driver.commit(state, Digest.of(b"blob"), 4)
    await driver.discard(state)
    assert await blob(driver, Digest.of(b"blob")) == b"blob"
