"""The order in which the filesystem driver makes content durable, as the system is asked for it.

A power loss takes what was not fsynced: so the content before it has its name, and the names after.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType

from app.oci.digest import Digest
from app.storage import FilesystemDriver, UploadState

CONTENT = b"content that must survive"
DIGEST = Digest.of(CONTENT)
FAN_OUT = f"blobs/sha256/{DIGEST.encoded[:2]}"
DIRECTORY = f"{FAN_OUT}/{DIGEST.encoded[2:4]}"


class Fsyncs:
    """Every fsync with what of the storage was open, and whether the blob had its name by then."""

    def __init__(self, root: Path, blob: Path) -> None:
        self.root = root.resolve()
        self.blob = blob
        self.before_the_name: list[str] = []
        self.after_the_name: list[str] = []

    def of(self, work: Callable[[], Awaitable[None]]) -> None:
        """Watch the work in a thread of its own, and the threads that it starts."""

        async def run() -> None:
            await work()

        threading.setprofile(self._look)
        try:
            thread = threading.Thread(target=lambda: asyncio.run(run()))
            thread.start()
            thread.join()
        finally:
            threading.setprofile(None)

    def _look(self, _frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and called is os.fsync:
            seen = self.after_the_name if self.blob.exists() else self.before_the_name
            seen += self._open_paths()

    def _open_paths(self) -> list[str]:
        links = list(Path("/proc/self/fd").iterdir())
        paths = [link.readlink() for link in links if link.exists()]
        return [str(path.relative_to(self.root)) for path in paths if path.is_relative_to(self.root)]


def test_a_put_fsyncs_the_content_then_its_name(tmp_path: Path) -> None:
    driver = FilesystemDriver(tmp_path)
    fsyncs = Fsyncs(tmp_path, driver.local_path(DIGEST))

    async def put() -> None:
        await driver.put(DIGEST, CONTENT)

    fsyncs.of(put)
    assert driver.local_path(DIGEST).read_bytes() == CONTENT
    content, *directories = fsyncs.before_the_name
    assert content.startswith("uploads/")
    assert directories == [FAN_OUT]  # that holds the directory which was made
    assert fsyncs.after_the_name == [DIRECTORY]


def test_an_upload_is_fsynced_when_it_ends_and_its_name_at_the_commit(tmp_path: Path) -> None:
    driver = FilesystemDriver(tmp_path)
    fsyncs = Fsyncs(tmp_path, driver.local_path(DIGEST))
    states: list[UploadState] = []

    async def upload() -> None:
        state, writer = await driver.append(driver.new_upload(), 0, is_contested=False)
        await writer.write(CONTENT)
        await writer.finish()
        writer.close()
        states.append(state)

    async def commit() -> None:
        await driver.commit(states[0], DIGEST, len(CONTENT))

    fsyncs.of(upload)
    file = f"uploads/{states[0]['file']}"
    assert fsyncs.before_the_name[0] == file
    assert "uploads" in fsyncs.before_the_name[1:]  # the file is new there
    fsyncs.of(commit)
    assert fsyncs.after_the_name == [DIRECTORY]


def test_directories_that_another_process_made_are_fsynced_too(tmp_path: Path) -> None:
    blob = FilesystemDriver(tmp_path).local_path(DIGEST)
    blob.parent.mkdir()  # and lost its power before the fsync
    fsyncs = Fsyncs(tmp_path, blob)

    async def put() -> None:
        await FilesystemDriver(tmp_path).put(DIGEST, CONTENT)

    fsyncs.of(put)
    assert set(fsyncs.before_the_name) >= {"blobs", "blobs/sha256", FAN_OUT}
    assert fsyncs.after_the_name == [DIRECTORY]
