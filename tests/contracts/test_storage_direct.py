"""What every storage driver does that signs URLs for uploads: the same tests for each of them."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import ClientOSError, ClientSession
from yarl import URL

from app.oci.digest import Digest
from app.oci.errors import BlobUploadInvalid, OciError
from app.storage import (
    AskedPart,
    DirectPart,
    DirectUploads,
    FileDirectUploads,
    FilesystemDriver,
    StorageDriver,
    StorageError,
    UploadState,
)
from tests.conformance.content import damaged
from tests.contracts.storing import EVERYTHING, LARGE, PART, OpenDriver, blob, joined, pieces_of
from tests.support.places import BUCKETS, Place, place_of

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
CHECKING = ["s3"]
"""Those whose storage computes SHA-256."""
ENDING = ["filesystem", "s3"]
"""Those whose storage ends a URL before its time."""


@pytest.fixture(params=["filesystem", *BUCKETS])
def somewhere(request: pytest.FixtureRequest) -> Place | None:
    return None if request.param == "filesystem" else place_of(request, request.param).below(uuid4().hex)


class Sender:
    """A client that knows URLs and nothing else."""

    def __init__(self, session: ClientSession, another: OpenDriver) -> None:
        self._session = session
        self._another = another

    async def put(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        if url.startswith("/"):
            return await self._put_here(URL(url), content)
        try:
            async with self._session.put(url, data=BytesIO(content), headers=headers) as answer:
                return answer.status
        except ClientOSError:
            return 400  # some break off what they refuse without a word

    async def _put_here(self, path: URL, content: bytes) -> int:
        """As the registry does, which has the files."""
        here = self._another().direct
        assert isinstance(here, FileDirectUploads)
        try:
            _, name, part = path.parts[-3:]
            await here.receive(AskedPart(name, part, path.query), pieces_of(content))
        except FileNotFoundError:
            return 404
        except OciError as refused:
            return refused.status
        return 200


@pytest.fixture
def client(session: ClientSession, another: OpenDriver) -> Sender:
    return Sender(session, another)


def direct(driver: StorageDriver) -> DirectUploads:
    assert driver.direct is not None
    return driver.direct


def test_files_cannot_be_signed_for_without_a_key(tmp_path: Path) -> None:
    assert FilesystemDriver(tmp_path).direct is None


async def send(driver: StorageDriver, client: Sender, state: UploadState, sizes: dict[int, int]) -> None:
    for number, size in sizes.items():
        signed = await direct(driver).sign(state, number, HOUR)
        assert await client.put(signed.url, bytes(size), signed.headers) < 300


@pytest.mark.parametrize("length", [0, 1, PART + 1])
@pytest.mark.parametrize("is_known", [False, True])
async def test_what_a_client_sends_becomes_a_blob(
    another: OpenDriver, client: Sender, length: int, *, is_known: bool
) -> None:
    content = LARGE[:length]
    digest = Digest.of(content)
    state = await direct(another()).begin(digest if is_known else None)
    signed = await direct(another()).sign(state, 1, HOUR, size=length)
    assert await client.put(signed.url, content, signed.headers) < 300
    assert await direct(another()).list_parts(state) == [DirectPart(1, length)]
    frozen = await direct(another()).freeze(state)
    assert (frozen.size_bytes, frozen.digest in {None, digest}) == (length, True)
    with pytest.raises(FileNotFoundError):
        await direct(another()).list_parts(state)
    assert await joined(another().read_upload(frozen.state, length)) == content
    assert await another().stat(digest) is None
    await another().commit(frozen.state, digest, length)
    assert await blob(another(), digest) == content
    assert await another().list_uploads(EVERYTHING) == []


@pytest.mark.parametrize("somewhere", CHECKING, indirect=True)
async def test_a_storage_that_checks_digests_says_so(another: OpenDriver, client: Sender) -> None:
    content = LARGE[:1000]
    state = await direct(another()).begin(Digest.of(content))
    signed = await direct(another()).sign(state, 1, HOUR)
    assert await client.put(signed.url, damaged(content), signed.headers) == 400
    assert await direct(another()).list_parts(state) == []
    assert await client.put(signed.url, content, signed.headers) == 200
    assert (await direct(another()).freeze(state)).digest == Digest.of(content)


async def test_a_digest_that_the_storage_does_not_know_is_not_proven(
    another: OpenDriver, client: Sender
) -> None:
    state = await direct(another()).begin(Digest.of(b"what", "sha512"))
    signed = await direct(another()).sign(state, 1, HOUR)
    assert await client.put(signed.url, b"ever", signed.headers) < 300
    assert (await direct(another()).freeze(state)).digest is None


async def test_bytes_of_another_size_than_a_url_is_for_do_not_count(
    another: OpenDriver, client: Sender
) -> None:
    """Where the storage does not refuse them, they are passed over."""
    state = await direct(another()).begin(None)
    signed = await direct(another()).sign(state, 1, HOUR, size=4)
    assert signed.headers["Content-Length"] == "4"
    for content in (b"fives", b"two"):
        await client.put(signed.url, content, {})
    assert await direct(another()).list_parts(state) == []
    assert await client.put(signed.url, b"four", signed.headers) < 300
    assert await direct(another()).list_parts(state) == [DirectPart(1, 4)]


async def test_parts_in_any_order_become_one(another: OpenDriver, client: Sender) -> None:
    state = await direct(another()).begin(None)
    pieces = [LARGE[:PART], LARGE[PART : 3 * PART], LARGE[3 * PART :]]
    for number in (3, 1, 2, 3):
        signed = await direct(another()).sign(state, number, HOUR)
        assert await client.put(signed.url, pieces[number - 1], signed.headers) < 300
    frozen = await direct(another()).freeze(state)
    await another().commit(frozen.state, Digest.of(LARGE), frozen.size_bytes)
    assert await blob(another(), Digest.of(LARGE)) == LARGE
    assert await another().list_uploads(EVERYTHING) == []


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({}, "nothing"),
        ({2: 1}, "part 1 is missing"),
        ({1: PART, 3: 1}, "part 2 is missing"),
    ],
)
async def test_parts_that_make_no_whole_are_refused(
    another: OpenDriver, client: Sender, sizes: dict[int, int], reason: str
) -> None:
    state = await direct(another()).begin(None)
    await send(another(), client, state, sizes)
    with pytest.raises(BlobUploadInvalid, match=reason):
        await direct(another()).freeze(state)


async def test_only_the_last_part_may_be_small(another: OpenDriver, client: Sender) -> None:
    state = await direct(another()).begin(None)
    for number, size in ((1, direct(another()).least_part_bytes - 1), (2, 1)):
        signed = await direct(another()).sign(state, number, HOUR)
        await client.put(signed.url, bytes(size), signed.headers)
    with pytest.raises(BlobUploadInvalid, match="part 1"):
        await direct(another()).freeze(state)


async def test_a_part_that_is_missing_can_be_sent_after_a_refusal(
    another: OpenDriver, client: Sender
) -> None:
    state = await direct(another()).begin(None)
    await send(another(), client, state, {2: 1})
    with pytest.raises(BlobUploadInvalid):
        await direct(another()).freeze(state)
    await send(another(), client, state, {1: PART})
    assert (await direct(another()).freeze(state)).size_bytes == PART + 1


async def test_no_url_changes_what_is_frozen(another: OpenDriver, client: Sender) -> None:
    """The same URLs again, other ones, and some that were signed only afterwards."""
    content, other = LARGE[: PART + 1], bytes(PART + 1)
    state = await direct(another()).begin(None)
    urls = [await direct(another()).sign(state, number, HOUR) for number in (1, 2)]
    assert await client.put(urls[0].url, content, urls[0].headers) < 300
    frozen = await direct(another()).freeze(state)
    urls += [await direct(another()).sign(state, number, HOUR) for number in (1, 3)]
    for signed in urls:
        await client.put(signed.url, other, signed.headers)
    assert await joined(another().read_upload(frozen.state, len(content))) == content
    assert await direct(another()).freeze(state) == frozen
    await another().commit(frozen.state, Digest.of(content), len(content))
    for signed in urls:
        await client.put(signed.url, other, signed.headers)
    assert await blob(another(), Digest.of(content)) == content


@pytest.mark.parametrize("is_frozen", [False, True])
async def test_what_is_discarded_is_gone_and_what_comes_later_is_nobodys(
    another: OpenDriver, client: Sender, *, is_frozen: bool
) -> None:
    state = await direct(another()).begin(None)
    signed = await direct(another()).sign(state, 1, HOUR)
    await client.put(signed.url, b"bytes", signed.headers)
    if is_frozen:
        await direct(another()).freeze(state)  # and whoever did was killed before it was noted
    (found,) = await another().list_uploads(EVERYTHING)
    assert found.items() <= state.items()
    await another().discard(state)
    assert await another().list_uploads(EVERYTHING) == []
    await client.put(signed.url, b"bytes", signed.headers)
    for asking in (direct(another()).freeze, direct(another()).list_parts):
        with pytest.raises(FileNotFoundError):
            await asking(state)
    for late in await another().list_uploads(EVERYTHING):
        await another().discard(late)
    assert await another().list_uploads(EVERYTHING) == []


@pytest.mark.parametrize("somewhere", ENDING, indirect=True)
@pytest.mark.parametrize("is_frozen", [False, True])
async def test_a_storage_that_ends_urls_refuses_what_comes_later(
    another: OpenDriver, client: Sender, *, is_frozen: bool
) -> None:
    state = await direct(another()).begin(None)
    signed = await direct(another()).sign(state, 1, HOUR)
    assert await client.put(signed.url, b"bytes", signed.headers) < 300
    await (direct(another()).freeze if is_frozen else another().discard)(state)
    assert await client.put(signed.url, b"bytes", signed.headers) == 404


async def test_an_upload_that_is_frozen_by_several_at_once_is_one(
    another: OpenDriver, client: Sender
) -> None:
    state = await direct(another()).begin(None)
    signed = await direct(another()).sign(state, 1, HOUR)
    assert await client.put(signed.url, b"bytes", signed.headers) < 300
    attempts = (direct(another()).freeze(state) for _ in range(3))
    ended = await asyncio.gather(*attempts, return_exceptions=True)
    frozen = await direct(another()).freeze(state)
    assert frozen in ended
    assert all(
        one == frozen or isinstance(one, FileNotFoundError | StorageError | BlobUploadInvalid)
        for one in ended
    )
    assert await joined(another().read_upload(frozen.state, 5)) == b"bytes"
