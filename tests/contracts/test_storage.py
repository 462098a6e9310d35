"""What every storage driver does with blobs: the same tests for each of them."""

import pytest

from app.oci.digest import Algorithm, Digest
from app.storage import StorageDriver, StorageError
from tests.contracts.storing import CONTENT, EVERYTHING, OpenDriver, blob, digests_in, joined, poured

BOTH: tuple[Algorithm, ...] = ("sha256", "sha512")


async def test_a_storage_that_can_be_written_to_says_so(driver: StorageDriver) -> None:
    await driver.check_writing()
    await driver.check()


async def test_a_storage_with_a_limit_says_how_much_is_left(driver: StorageDriver) -> None:
    room = await driver.room()
    assert room is None or 0 < room.free_bytes < room.total_bytes
    assert await digests_in(driver) == []
    assert await driver.list_uploads(EVERYTHING) == []


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
    assert await driver.list_uploads(EVERYTHING) == []


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


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 1), (5, len(CONTENT)), (0, len(CONTENT))])
async def test_what_is_poured_is_what_is_read(driver: StorageDriver, start: int, stop: int) -> None:
    digest = Digest.of(CONTENT)
    await driver.put(digest, CONTENT)
    assert (await poured(driver.pour(digest, start, stop)))[0] == CONTENT[start:stop]


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


async def test_any_number_of_blobs_is_deleted_at_once(driver: StorageDriver) -> None:
    gone, kept = [Digest.of(bytes([i])) for i in range(20)], Digest.of(b"kept")
    for number, digest in enumerate(gone):
        await driver.put(digest, bytes([number]))
    await driver.put(kept, b"kept")
    await driver.delete()
    await driver.delete(*gone, *(Digest.of(b"%d" % number) for number in range(1100)))
    assert await digests_in(driver) == [kept]


async def test_blobs_are_listed_by_how_they_begin(driver: StorageDriver) -> None:
    digests = [Digest.of(b"%d" % number, algorithm) for number in range(20) for algorithm in BOTH]
    for number, digest in enumerate(digests):
        await driver.put(digest, b"%d" % (number // 2))
    for beginning in {digest.encoded[:2] for digest in digests} | {"00", "ff"}:
        found = [digest async for digest in driver.list_digests(beginning)]
        assert sorted(found) == sorted(digest for digest in digests if digest.encoded.startswith(beginning))


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
