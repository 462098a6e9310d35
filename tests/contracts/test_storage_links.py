"""What every storage driver does that signs URLs for downloads: the same tests for each of them."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import ClientSession
from yarl import URL

from app.oci.digest import Digest
from app.storage import FilesystemDriver, StorageDriver
from tests.contracts.storing import CONTENT
from tests.support.places import BUCKETS, Place, place_of

pytestmark = pytest.mark.slow

DIGEST = Digest.of(CONTENT)
MINUTE = timedelta(minutes=1)
DISPOSITION = 'attachment; filename="a b.bin"'
CHOOSING = [driver for driver in BUCKETS if driver != "gcs"]
"""Those whose test server does what a link says of headers; Google's is tested by its signature."""


@pytest.fixture(params=BUCKETS)
def somewhere(request: pytest.FixtureRequest) -> Place:
    return place_of(request, request.param).below(uuid4().hex)


async def test_a_link_opens_the_blob_and_parts_of_it(driver: StorageDriver, session: ClientSession) -> None:
    await driver.put(DIGEST, CONTENT)
    url = await driver.presign(DIGEST, MINUTE)
    assert url is not None
    async with session.get(URL(url, encoded=True)) as answer:
        assert (answer.status, await answer.read()) == (200, CONTENT)
    async with session.get(URL(url, encoded=True), headers={"Range": "bytes=5-9"}) as answer:
        assert (answer.status, await answer.read()) == (206, CONTENT[5:10])


@pytest.mark.parametrize("somewhere", CHOOSING, indirect=True)
async def test_a_link_is_answered_with_the_headers_that_were_chosen(
    driver: StorageDriver, session: ClientSession
) -> None:
    await driver.put(DIGEST, CONTENT)
    url = await driver.presign(DIGEST, MINUTE, content_type="text/x-test", disposition=DISPOSITION)
    assert url is not None
    async with session.get(URL(url, encoded=True)) as answer:
        assert (answer.status, await answer.read()) == (200, CONTENT)
        assert answer.headers["Content-Type"] == "text/x-test"
        assert answer.headers["Content-Disposition"] == DISPOSITION


@pytest.mark.parametrize("somewhere", CHOOSING, indirect=True)
async def test_a_link_that_somebody_changed_opens_nothing(
    driver: StorageDriver, session: ClientSession
) -> None:
    other = Digest.of(b"another")
    await driver.put(other, b"another")
    url = await driver.presign(DIGEST, MINUTE)
    assert url is not None
    async with session.get(URL(url.replace(DIGEST.encoded, other.encoded), encoded=True)) as answer:
        assert answer.status == 403


def test_only_we_can_send_a_file(tmp_path: Path) -> None:
    assert asyncio.run(presigned(FilesystemDriver(tmp_path))) is None


async def presigned(driver: StorageDriver) -> str | None:
    return await driver.presign(DIGEST, MINUTE)
