"""What the emulator of Google Cloud Storage does not: it heeds no condition, and always says what it did."""

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.oci.digest import Digest
from app.storage import StorageBusy
from app.storage.gcs import open_driver
from app.storage.pieces import Piece, Upload
from tests.contracts.storing import settings_on

KIND = {"kind": "storage#object"}


class Composing:
    """As much of Google as it takes: lists nothing, and composes objects as conditions have it."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.application = web.Application()
        self.application.router.add_get("/storage/v1/b/tests/o", self._list)
        self.application.router.add_get("/storage/v1/b/tests/o/{key}", self._get)
        self.application.router.add_post("/storage/v1/b/tests/o/{key}/compose", self._compose)
        self.application.router.add_post("/upload/storage/v1/b/tests/o", self._say_nothing)

    async def _say_nothing(self, request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"kind": "storage#objects"})

    async def _get(self, request: web.Request) -> web.Response:
        size = self.sizes.get(request.match_info["key"])
        return web.Response(status=404) if size is None else web.json_response(KIND | {"size": str(size)})

    async def _compose(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        if request.query.get("ifGenerationMatch") == "0" and key in self.sizes:
            return web.Response(status=412)
        self.sizes[key] = len(json.loads(await request.text())["sourceObjects"])
        return web.json_response(KIND)


@pytest.fixture
async def composing() -> AsyncIterator[tuple[Composing, str]]:
    google = Composing()
    async with TestServer(google.application) as server:
        yield google, str(server.make_url("")).rstrip("/")


async def test_only_the_first_freezes_an_upload(composing: tuple[Composing, str]) -> None:
    google, url = composing
    place = {"storage_driver": "gcs", "storage_bucket": "tests", "storage_endpoint": url}
    async with open_driver(settings_on(place)) as driver:
        assert driver.direct is None  # there is nobody who could sign
        container = driver._container
        assert await container.frozen("name") is None
        for pieces in (3, 2):
            upload = Upload("name.signed", tuple(Piece(f"{number}", 1) for number in range(pieces)))
            await container.freeze(upload, "name")
            assert await container.frozen("name") == Upload("name", (Piece("frozen", 3),))
    assert google.sizes == {"uploads/name/frozen": 3}


async def test_an_answer_that_says_nothing_is_no_success(composing: tuple[Composing, str]) -> None:
    """As a proxy on the way makes it up."""
    _, url = composing
    place = {"storage_driver": "gcs", "storage_bucket": "tests", "storage_endpoint": url}
    async with open_driver(settings_on(place)) as driver:
        with pytest.raises(StorageBusy):
            await driver.put(Digest.of(b"content"), b"content")
