"""What the drivers do that put pieces together: more of them than one request takes, and after long."""

from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from aiohttp import ClientSession
from yarl import URL

from app.oci.digest import Digest
from app.oci.errors import BlobUploadInvalid
from app.storage import DirectPart, StorageDriver, StorageError, UploadState
from app.storage.pieces import Piece, Upload, new_name, new_piece
from app.storage.pieces_driver import PieceDriver
from tests.contracts.storing import EVERYTHING, PART, OpenDriver, append, blob, joined
from tests.support.places import BUCKETS, Place, place_of

pytestmark = pytest.mark.slow

COUNT = 70
CONTENTS = [str(number).encode() * 3 for number in range(COUNT)]
WHOLE = b"".join(CONTENTS)
DIGEST = Digest.of(WHOLE)
ONLY_AZURE = [driver for driver in BUCKETS if driver == "azure"]
"""Google's test server heeds no conditions: `tests/integration/test_gcs_conditions.py` does."""


@pytest.fixture(params=[driver for driver in BUCKETS if driver != "s3"])
def somewhere(request: pytest.FixtureRequest) -> Place:
    return place_of(request, request.param).below(uuid4().hex)


@pytest.fixture
async def upload(driver: StorageDriver) -> Upload:
    """An upload of many small pieces, as an older version might have left it."""
    assert isinstance(driver, PieceDriver)
    name, pieces = new_name(), list[Piece]()
    for content in CONTENTS:
        pieces.append(new_piece(len(content)))
        await driver._container.put_piece(name, pieces[-1], content)
    return Upload(name, tuple(pieces))


async def test_any_number_of_pieces_becomes_one_blob(another: OpenDriver, upload: Upload) -> None:
    assert await joined(another().read_upload(upload.state, len(WHOLE) - 1)) == WHOLE[:-1]
    await another().commit(upload.state, DIGEST, len(WHOLE))
    assert await blob(another(), DIGEST) == WHOLE
    assert await another().list_uploads(EVERYTHING) == []


@pytest.mark.parametrize("offset", [1, 100, len(WHOLE)])
async def test_any_number_of_pieces_is_taken_over(another: OpenDriver, upload: Upload, offset: int) -> None:
    state, writer = await another().append(upload.state, offset, is_contested=True)
    assert state["name"] != upload.name
    await another().discard(upload.state)
    await writer.write(WHOLE[offset:] + b"!")
    state = await writer.finish()
    writer.close()
    assert len(state["pieces"].split()) < COUNT
    content = WHOLE + b"!"
    await another().commit(state, Digest.of(content), len(content))
    assert await blob(another(), Digest.of(content)) == content
    assert await another().list_uploads(EVERYTHING) == []


async def test_an_upload_that_is_still_written_to_is_not_idle(another: OpenDriver, upload: Upload) -> None:
    state = await append(another(), upload.state, len(WHOLE), b"!")
    assert await another().list_uploads(timedelta(minutes=5)) == []
    (found,) = await another().list_uploads(EVERYTHING)
    assert found.items() <= state.items()


@pytest.mark.parametrize("is_finished", [False, True])
async def test_a_writer_drops_all_of_what_it_began(driver: StorageDriver, *, is_finished: bool) -> None:
    _, writer = await driver.append(driver.new_upload(), 0, is_contested=False)
    await writer.write(bytes(2 * PART + 1))
    if is_finished:
        await writer.finish()
        assert len(await driver.list_uploads(EVERYTHING)) == 1
    await writer.drop()
    writer.close()
    assert await driver.list_uploads(EVERYTHING) == []


async def signed_for(driver: StorageDriver, session: ClientSession, contents: list[bytes]) -> UploadState:
    """Return an upload whose parts a client has sent."""
    assert driver.direct is not None
    state = await driver.direct.begin(None)
    for number, content in enumerate(contents, 1):
        signed = await driver.direct.sign(state, number, timedelta(hours=1))
        async with session.put(URL(signed.url, encoded=True), data=content) as answer:
            assert answer.status < 300
    return state


async def staged_in(driver: StorageDriver, state: UploadState) -> Upload:
    """Return the pieces that clients sent, where they sent them."""
    assert isinstance(driver, PieceDriver)
    sizes = await driver._container.sizes(f"{state['name']}.signed")
    return Upload(f"{state['name']}.signed", tuple(Piece(*one) for one in sorted(sizes.items())))


async def test_any_number_of_parts_is_frozen(driver: StorageDriver, session: ClientSession) -> None:
    state = await signed_for(driver, session, CONTENTS)
    assert driver.direct is not None
    frozen = await driver.direct.freeze(state)
    assert await joined(driver.read_upload(frozen.state, len(WHOLE))) == WHOLE
    await driver.commit(frozen.state, DIGEST, len(WHOLE))
    assert await blob(driver, DIGEST) == WHOLE
    assert await driver.list_uploads(EVERYTHING) == []


async def test_of_a_part_that_came_by_several_urls_the_one_asked_for_last_counts(
    driver: StorageDriver, session: ClientSession
) -> None:
    state = await signed_for(driver, session, [b"first"])
    assert driver.direct is not None
    hour = timedelta(hours=1)
    urls = [(await driver.direct.sign(state, 1, hour, size=size)).url for size in (4, 6)]
    for url, content in zip(reversed(urls), (b"second", b"last"), strict=True):
        async with session.put(URL(url, encoded=True), data=content) as answer:
            assert answer.status < 300
    assert await driver.direct.list_parts(state) == [DirectPart(1, 6)]
    frozen = await driver.direct.freeze(state)
    assert await joined(driver.read_upload(frozen.state, 6)) == b"second"


async def test_what_was_cut_short_is_frozen_by_the_next(
    driver: StorageDriver, session: ClientSession
) -> None:
    """On Azure the blocks are committed by then; and a part can still come."""
    state = await signed_for(driver, session, [b"one", b"two"])
    assert isinstance(driver, PieceDriver)
    assert driver.direct is not None
    await joined(driver._container.read_pieces(await staged_in(driver, state), 0, 6))
    signed = await driver.direct.sign(state, 2, timedelta(hours=1))
    async with session.put(URL(signed.url, encoded=True), data=b"more") as answer:
        assert answer.status < 300
    frozen = await driver.direct.freeze(state)
    assert await joined(driver.read_upload(frozen.state, 7)) == b"onemore"


@pytest.mark.parametrize("somewhere", ONLY_AZURE, indirect=True)
async def test_who_comes_late_with_other_parts_does_not_freeze_them(
    driver: StorageDriver, session: ClientSession
) -> None:
    """A process that was held up after it had looked, until another one had frozen and looked."""
    state = await signed_for(driver, session, [b"good"])
    assert isinstance(driver, PieceDriver)
    assert driver.direct is not None
    frozen = await driver.direct.freeze(state)
    await driver._container.put_piece(f"{state['name']}.signed", piece := new_piece(4), b"evil")
    await driver._container.freeze(Upload(f"{state['name']}.signed", (piece,)), state["name"])
    assert await driver.direct.freeze(state) == frozen
    assert await joined(driver.read_upload(frozen.state, 4)) == b"good"


FORGED = {
    "a block by another name": ("comp=block&blockid=bm90IG91cnMgYXQgYWxsLCBhbmQgbG9uZ2Vy", {}),
    "a block of the future": ("comp=block&blockid=ZmZmZmZmZmYwMDAwMDAxLS0tLS0tLS0tLS0t", {}),
    "a blob of another kind": ("", {"x-ms-blob-type": "AppendBlob"}),
    "a lease": ("comp=lease", {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1"}),
    "a snapshot": ("comp=snapshot", {}),
}


@pytest.mark.parametrize("somewhere", ONLY_AZURE, indirect=True)
@pytest.mark.parametrize("forged", FORGED)
async def test_whatever_a_client_does_to_its_own_upload_can_be_removed(
    driver: StorageDriver, session: ClientSession, forged: str
) -> None:
    """A signature of Azure is for writing, not for one way to write."""
    assert driver.direct is not None
    state = await driver.direct.begin(None)
    signed = await driver.direct.sign(state, 1, timedelta(hours=1))
    if forged in {"a lease", "a snapshot"}:
        assert await direct_put(session, signed.url, "", {"x-ms-blob-type": "BlockBlob"}) == 201
    query, headers = FORGED[forged]
    assert await direct_put(session, signed.url, query, headers) == 201
    with suppress(BlobUploadInvalid, FileNotFoundError, StorageError):
        await driver.direct.freeze(state)
    (found,) = await driver.list_uploads(EVERYTHING)
    assert found.items() <= state.items()
    await driver.discard(state)
    assert await driver.list_uploads(EVERYTHING) == []


async def direct_put(session: ClientSession, url: str, query: str, headers: dict[str, str]) -> int:
    signature = url.partition("&comp=")[0]
    async with session.put(
        URL(f"{signature}&{query}", encoded=True),
        data=b"" if "blob-type" in str(headers) else b"x",
        headers=headers,
    ) as answer:
        return answer.status
