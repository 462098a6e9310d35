"""What other servers than that of the tests do, done by a way to it: the driver can do with less."""

import asyncio
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from app.oci.digest import Digest
from app.storage import StorageBusy, StorageDriver, StorageError, StorageFull
from app.storage.s3 import open_driver
from tests.contracts.storing import EVERYTHING, LARGE, append, blob, settings_on
from tests.support.faulty import Ask, FaultyWay, answering, faulty_way, first, no_fault, where
from tests.support.s3 import Bucket

pytestmark = pytest.mark.slow

DIGEST = Digest.of(LARGE)


@pytest.fixture
async def way(bucket: Bucket) -> AsyncIterator[FaultyWay]:
    async with faulty_way(bucket.endpoint) as lent:
        yield lent


@pytest.fixture
async def driver(bucket: Bucket, way: FaultyWay) -> AsyncIterator[StorageDriver]:
    async with AsyncExitStack() as stack:
        place = bucket.by(way.url).below(uuid4().hex)
        yield await stack.enter_async_context(open_driver(settings_on(place.settings)))


async def test_uploads_are_found_where_a_prefix_is_taken_for_a_key(
    way: FaultyWay, driver: StorageDriver
) -> None:
    """MinIO."""
    none = answering(
        200, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
    )
    way.fault = where(lambda request: "uploads" in request.query and bool(request.query.get("prefix")), none)
    state = await append(driver, driver.new_upload(), 0, LARGE)
    assert [found for found in await driver.list_uploads(EVERYTHING) if "upload" in found] != []
    await driver.discard(state)
    assert await driver.list_uploads(EVERYTHING) == []


async def test_uploads_of_others_in_the_bucket_are_left_alone(bucket: Bucket, driver: StorageDriver) -> None:
    async with open_driver(settings_on(bucket.below(uuid4().hex).settings)) as other:
        state = await append(other, other.new_upload(), 0, LARGE)
        assert await driver.list_uploads(EVERYTHING) == []
        await other.discard(state)


async def test_an_upload_becomes_a_blob_where_no_copy_becomes_a_part_that_has_a_checksum(
    way: FaultyWay, driver: StorageDriver
) -> None:
    """MinIO, too."""
    refused = answering(400, "<Error><Code>InvalidArgument</Code><Message>checksum missing</Message></Error>")
    checked: set[str] = set()

    async def without_copies(request: web.Request, ask: Ask) -> web.StreamResponse:
        answer = await ask()
        if "x-amz-checksum-algorithm" in request.headers and "uploads" in request.query:
            checked.add((answer.text or "").partition("<UploadId>")[2].partition("<")[0])
        elif "x-amz-copy-source" in request.headers and request.query.get("uploadId") in checked:
            return await refused(request, ask)
        return answer

    way.fault = without_copies
    state = await append(driver, driver.new_upload(), 0, LARGE)
    _, writer = await driver.append(state, len(LARGE), is_contested=False, blob=DIGEST)
    state = await writer.finish(DIGEST)
    writer.close()
    await driver.commit(state, DIGEST, len(LARGE))
    assert checked != set()
    assert await blob(driver, DIGEST) == LARGE


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("QuotaExceeded", 403),  # Ceph
        ("XMinioAdminBucketQuotaExceeded", 400),
        ("XMinioStorageFull", 507),
    ],
)
async def test_a_storage_without_room_is_full_in_the_words_of_each(
    way: FaultyWay, driver: StorageDriver, code: str, status: int
) -> None:
    way.fault = answering(status, f"<Error><Code>{code}</Code><Message>No room.</Message></Error>")
    with pytest.raises(StorageFull):
        await driver.put(Digest.of(b"blob"), b"blob")


async def test_a_bucket_in_another_region_is_refused_at_the_start(bucket: Bucket, way: FaultyWay) -> None:
    """Requests would find their way, but URLs would be signed for the wrong one."""
    said = "<Code>AuthorizationHeaderMalformed</Code><Message>Wrong.</Message><Region>eu-central-1</Region>"
    way.fault = first(1, answering(400, f"<Error>{said}</Error>"))
    with pytest.raises(StorageError, match="ROADSTEAD_STORAGE_REGION"):
        async with open_driver(settings_on(bucket.by(way.url).settings)):
            pass


async def test_what_answers_and_is_no_s3_is_said(bucket: Bucket, way: FaultyWay) -> None:
    way.fault = answering(404, "<html><body>Nothing here.<br></body>")
    with pytest.raises(StorageError, match="does not speak S3"):
        async with open_driver(settings_on(bucket.by(way.url).settings)):
            pass


async def test_a_check_leaves_no_version_behind_where_all_are_kept(
    way: FaultyWay, driver: StorageDriver
) -> None:
    stored = []

    async def versioned(request: web.Request, ask: Ask) -> web.StreamResponse:
        answer = await ask()
        if request.method == "PUT":
            stored.append(request.path)
            answer.headers["x-amz-version-id"] = str(len(stored))
        return answer

    before = driver.keeps_versions
    way.fault = versioned
    for _ in range(3):
        await driver.check_writing()
    assert (before, driver.keeps_versions) == (False, True)
    assert len(stored) == 1
    way.fault = where(lambda request: request.method == "POST", answering(403, ""))
    with pytest.raises(StorageError):
        await driver.check_writing()


async def test_that_nothing_could_be_asked_is_no_proof_that_wrong_bytes_are_taken(
    way: FaultyWay, driver: StorageDriver
) -> None:
    """As while credentials have ended: the next upload is refused by the storage itself again."""
    assert driver.direct is not None
    denied = answering(400, "<Error><Code>ExpiredToken</Code><Message>It is over.</Message></Error>")
    way.fault = where(lambda request: "partNumber" in request.query, denied)
    unproven = await driver.direct.begin(DIGEST)
    way.fault = no_fault
    proven = await driver.direct.begin(DIGEST)
    assert ("sha256" in unproven, "sha256" in proven) == (False, True)
    await driver.discard(unproven)
    await driver.discard(proven)


async def test_no_certificate_where_one_is_named_is_said(bucket: Bucket, tmp_path: Path) -> None:
    for file in (tmp_path / "none.pem", Path(__file__)):
        place = bucket.settings | {"storage_ca_file": str(file)}
        with pytest.raises(StorageError, match="ROADSTEAD_STORAGE_CA_FILE"):
            async with open_driver(settings_on(place)):
                pass


async def _lists_and_says_nothing_else(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(IncompleteReadError):
        while (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n<ListBucketResult/>")
        await reader.read()
    writer.close()


async def test_a_server_that_takes_a_body_and_says_nothing_is_given_up(bucket: Bucket) -> None:
    """Not even "100 Continue", as a process that hangs: its machine still takes what is sent."""
    async with await asyncio.start_server(_lists_and_says_nothing_else, "127.0.0.1") as server:
        place = bucket.by(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}").settings
        hasty = {"storage_read_timeout": "1", "storage_patience": "1"}
        async with open_driver(settings_on({**place, **hasty})) as driver:
            with pytest.raises(StorageBusy):
                await asyncio.wait_for(driver.put(Digest.of(b"small"), b"small"), 20)
