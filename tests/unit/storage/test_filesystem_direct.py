"""Uploads to files in parts that are cut short: whoever comes next goes on, however the directories stand."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.oci.errors import Denied
from app.storage import AskedPart, FileDirectUploads, FilesystemDriver, UploadState

EVERYTHING = timedelta(seconds=-60)
HOUR = timedelta(hours=1)


class Upload:
    """An upload of two parts, and where it lies."""

    def __init__(self, root: Path) -> None:
        self.driver = FilesystemDriver(root, [b"new", b"old"])
        self._uploads = root / "uploads"
        self.state: UploadState = {}

    @property
    def direct(self) -> FileDirectUploads:
        assert self.driver.direct is not None
        return self.driver.direct

    def at(self, kind: str = "") -> Path:
        return self._uploads / (self.state["file"] + kind)

    async def put(self, url: str, content: bytes) -> None:
        path = urlsplit(url)
        _, upload, part = path.path.rsplit("/", 2)
        await self.direct.receive(AskedPart(upload, part, dict(parse_qsl(path.query))), once(content))

    async def begin(self) -> None:
        self.state = await self.direct.begin(None)
        for part, content in ((1, b"one"), (2, b"two")):
            await self.put((await self.direct.sign(self.state, part, HOUR)).url, content)

    async def frozen(self) -> bytes:
        frozen = await self.direct.freeze(self.state)
        pieces = self.driver.read_upload(frozen.state, frozen.size_bytes)
        return b"".join([piece async for piece in pieces])

    def left(self) -> list[str]:
        return sorted(path.name.removeprefix(self.state["file"]) for path in self._uploads.iterdir())


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
async def upload(tmp_path: Path) -> Upload:
    begun = Upload(tmp_path)
    await begun.begin()
    return begun


async def test_an_end_that_came_no_further_than_the_parts_is_gone_on_with(upload: Upload) -> None:
    upload.at(".parts").rename(upload.at(".frozen"))
    assert await upload.frozen() == b"onetwo"
    assert upload.left() == [""]


async def test_parts_that_somebody_else_takes_away_just_now_are_not_made_up(upload: Upload) -> None:
    upload.at(".frozen").mkdir()
    with pytest.raises(FileNotFoundError):
        await upload.frozen()
    assert not upload.at().exists()


async def test_an_end_that_came_as_far_as_the_whole_is_gone_on_with(upload: Upload) -> None:
    assert await upload.frozen() == b"onetwo"
    upload.at(".frozen").mkdir()
    (upload.at(".frozen") / "1").write_bytes(b"other")
    assert await upload.frozen() == b"onetwo"
    assert upload.left() == [""]


@pytest.mark.parametrize("kind", [".parts", ".frozen", ".done"])
async def test_whatever_is_left_is_found_and_removed(upload: Upload, kind: str) -> None:
    if kind != ".parts":
        upload.at(".parts").rename(upload.at(kind))
    assert await upload.driver.list_uploads(EVERYTHING) == [upload.state]
    await upload.driver.discard(upload.state)
    assert upload.left() == []


async def test_a_url_that_an_earlier_key_signed_is_still_good(tmp_path: Path, upload: Upload) -> None:
    signed = {}
    for key in (b"old", b"other"):
        earlier = FilesystemDriver(tmp_path, [key]).direct
        assert earlier is not None
        signed[key] = (await earlier.sign(upload.state, 2, HOUR)).url
    await upload.put(signed[b"old"], b"2")
    with pytest.raises(Denied):
        await upload.put(signed[b"other"], b"3")
    assert await upload.frozen() == b"one2"


async def test_a_url_of_before_is_over(upload: Upload) -> None:
    url = (await upload.direct.sign(upload.state, 1, -HOUR)).url
    with pytest.raises(Denied):
        await upload.put(url, b"late")


async def test_a_part_that_comes_while_its_upload_ends_finds_no_place(upload: Upload) -> None:
    """Also one that is on its way already."""
    url = (await upload.direct.sign(upload.state, 2, HOUR)).url

    async def slow() -> AsyncIterator[bytes]:
        yield b"ot"
        assert await upload.frozen() == b"onetwo"
        yield b"her"

    path = urlsplit(url)
    asked = AskedPart(upload.state["file"], "2", dict(parse_qsl(path.query)))
    with pytest.raises(FileNotFoundError):
        await upload.direct.receive(asked, slow())
    assert await upload.frozen() == b"onetwo"
    assert upload.left() == [""]
