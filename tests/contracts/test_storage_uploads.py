"""What every storage driver does with uploads: the same tests for each of them."""

import tracemalloc
from contextlib import suppress
from datetime import timedelta

import pytest

from app.oci.digest import Digest
from app.storage import FilesystemDriver, StorageDriver, StorageError, UploadState
from tests.contracts.storing import CONTENT, EVERYTHING, LARGE, PART, OpenDriver, append, blob, end, joined


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
    assert await another().list_uploads(EVERYTHING) == []


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
    state = await end(new, b".")
    await discard_all_but(another(), state)
    content = b"sure"[:offset] + b" and new."
    await another().commit(state, Digest.of(content), len(content))
    assert await blob(another(), Digest.of(content)) == content
    assert await another().list_uploads(EVERYTHING) == []


async def discard_all_but(driver: StorageDriver, state: UploadState) -> None:
    """What the job does that looks for uploads that no session names."""
    for found in await driver.list_uploads(EVERYTHING):
        if not found.items() <= state.items():
            await driver.discard(found)


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
    (found,) = await driver.list_uploads(EVERYTHING)
    assert found.items() <= state.items()
    assert await driver.list_uploads(timedelta(hours=1)) == []
    await driver.discard(state)
    await driver.discard(state)
    assert await driver.list_uploads(EVERYTHING) == []


async def test_discarding_what_was_committed_leaves_the_blob(driver: StorageDriver) -> None:
    state = await append(driver, driver.new_upload(), 0, b"blob")
    await driver.commit(state, Digest.of(b"blob"), 4)
    await driver.discard(state)
    assert await blob(driver, Digest.of(b"blob")) == b"blob"


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param([], id="at once"),
        pytest.param([PART], id="a part and the rest"),
        pytest.param([PART - 1, PART, 2 * PART + 1], id="around the ends of parts"),
        pytest.param([1, 3 * PART], id="a byte first and a byte last"),
        pytest.param([len(LARGE)], id="nothing at the end"),
    ],
)
@pytest.mark.parametrize("length", [PART, len(LARGE)])
async def test_a_large_upload_by_several_processes_becomes_a_blob(
    another: OpenDriver, cuts: list[int], length: int
) -> None:
    content, state, offset = LARGE[:length], another().new_upload(), 0
    for cut in [*cuts, length]:
        state = await append(another(), state, offset, content[offset:cut])
        offset = max(offset, min(cut, length))
    await another().commit(state, Digest.of(content), length)
    assert await blob(another(), Digest.of(content)) == content
    assert await another().list_uploads(EVERYTHING) == []


@pytest.mark.parametrize("length", [0, 1, PART, len(LARGE)])
@pytest.mark.parametrize("first", [0, 1, PART + 1, len(LARGE)])
async def test_an_upload_whose_digest_is_known_becomes_a_blob(
    another: OpenDriver, first: int, length: int
) -> None:
    content = LARGE[:length]
    digest, first = Digest.of(content), min(first, length)
    state = await append(another(), another().new_upload(), 0, content[:first])
    _, writer = await another().append(state, first, is_contested=False, blob=digest)
    await writer.write(content[first:])
    state = await writer.finish(digest)
    writer.close()
    await another().commit(state, digest, length)
    assert await blob(another(), digest) == content
    assert await another().list_uploads(EVERYTHING) == []


@pytest.mark.parametrize("offset", [0, 4, PART, PART + 7, 2 * PART, 2 * PART + 3])
async def test_an_old_writer_cannot_harm_a_new_one_in_a_large_upload(
    another: OpenDriver, offset: int
) -> None:
    old_state = await append(another(), another().new_upload(), 0, LARGE[: 2 * PART + 3])
    _, old = await another().append(old_state, 2 * PART + 3, is_contested=False)
    await old.write(bytes(PART))
    state, new = await another().append(old_state, offset, is_contested=True)
    await another().discard(old_state)
    with suppress(StorageError, FileNotFoundError):
        await end(old, bytes(PART))
    state = await end(new, LARGE[offset:])
    await discard_all_but(another(), state)
    await another().commit(state, Digest.of(LARGE), len(LARGE))
    assert await blob(another(), Digest.of(LARGE)) == LARGE
    assert await another().list_uploads(EVERYTHING) == []


async def test_what_was_written_but_never_noted_is_written_again(another: OpenDriver) -> None:
    state = await append(another(), another().new_upload(), 0, LARGE[: PART + 1])
    lost = await append(another(), state, PART + 1, bytes(2 * PART))
    assert lost != state or isinstance(another(), FilesystemDriver)
    state = await append(another(), state, PART + 1, LARGE[PART + 1 :])
    await another().commit(state, Digest.of(LARGE), len(LARGE))
    assert await blob(another(), Digest.of(LARGE)) == LARGE


@pytest.mark.parametrize("is_finished", [False, True])
@pytest.mark.parametrize("length", [1, 2 * PART + 1])
async def test_a_writer_drops_only_what_it_added(
    another: OpenDriver, length: int, *, is_finished: bool
) -> None:
    state = await append(another(), another().new_upload(), 0, b"kept")
    before = await another().list_uploads(EVERYTHING)
    _, writer = await another().append(state, 4, is_contested=False)
    await writer.write(bytes(length))
    if is_finished:
        await writer.finish()
    await writer.drop()
    writer.close()
    assert await another().list_uploads(EVERYTHING) == before
    state = await append(another(), state, 4, b"!")
    await another().commit(state, Digest.of(b"kept!"), 5)
    assert await blob(another(), Digest.of(b"kept!")) == b"kept!"


async def test_an_upload_that_was_read_goes_on(another: OpenDriver) -> None:
    state = await append(another(), another().new_upload(), 0, LARGE[: 2 * PART + 3])
    assert await joined(another().read_upload(state, 2 * PART + 2)) == LARGE[: 2 * PART + 2]
    old, (state, writer) = state, await another().append(state, 2 * PART + 3, is_contested=False)
    if state != old:
        await another().discard(old)
    state = await end(writer, LARGE[2 * PART + 3 :])
    assert await joined(another().read_upload(state, len(LARGE))) == LARGE
    await another().commit(state, Digest.of(LARGE), len(LARGE))
    assert await blob(another(), Digest.of(LARGE)) == LARGE
    assert await another().list_uploads(EVERYTHING) == []


async def test_an_upload_takes_no_more_memory_than_three_of_its_parts(driver: StorageDriver) -> None:
    """One that fills and two on their way, whatever else the SDK would like to copy."""
    _, writer = await driver.append(driver.new_upload(), 0, is_contested=False)
    tracemalloc.start()
    try:
        for start in range(0, 6 * PART, 1 << 19):
            await writer.write(start.to_bytes(8, "big") * (1 << 16))
        await writer.finish()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        writer.close()
    await writer.drop()
    assert peak < 3.5 * PART
