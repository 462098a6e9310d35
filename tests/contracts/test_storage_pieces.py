"""What the drivers do that put pieces together: more of them than one request takes, and after long."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.oci.digest import Digest
from app.storage import StorageDriver
from app.storage.pieces import Piece, Upload, new_name, new_piece
from app.storage.pieces_driver import PieceDriver
from tests.contracts.storing import EVERYTHING, PART, OpenDriver, append, blob, joined
from tests.support.places import BUCKETS, Place, place_of

pytestmark = pytest.mark.slow

COUNT = 70
CONTENTS = [str(number).encode() * 3 for number in range(COUNT)]
WHOLE = b"".join(CONTENTS)
DIGEST = Digest.of(WHOLE)


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
