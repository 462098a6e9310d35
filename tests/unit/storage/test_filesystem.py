"""What the file system does that no other storage does."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from app.oci.digest import Digest
from app.storage import FilesystemDriver, StorageError, UploadWriter
from tests.support.eventually import until

CHUNK = bytes(64 << 20)
DIGEST = Digest.of(b"content")


async def writing(driver: FilesystemDriver) -> tuple[Path, UploadWriter, asyncio.Task[None]]:
    """Begin to write what takes a while."""
    state, writer = await driver.append(driver.new_upload(), 0, is_contested=False)
    path = driver.local_path(DIGEST).parents[4] / "uploads" / state["file"]
    task = asyncio.create_task(writer.write(CHUNK))
    await asyncio.wait([task], timeout=0)  # a thread has it now
    return path, writer, task


async def test_nothing_is_written_any_more_once_a_writer_was_dropped(tmp_path: Path) -> None:
    """Whoever comes next writes to the same file."""
    path, writer, task = await writing(FilesystemDriver(tmp_path))
    task.cancel()
    await asyncio.wait([task])
    await writer.drop()
    assert path.stat().st_size == len(CHUNK)
    writer.close()


async def test_a_file_is_not_closed_while_it_is_written_to(tmp_path: Path) -> None:
    path, writer, task = await writing(FilesystemDriver(tmp_path))
    task.cancel()
    await asyncio.wait([task])
    writer.close()
    await until(lambda: asyncio.to_thread(open_files), lambda files: path not in files)
    assert path.stat().st_size == len(CHUNK)


def open_files() -> list[Path]:
    return [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.exists()]


async def test_what_ends_while_uploads_are_listed_holds_up_nothing(tmp_path: Path) -> None:
    driver = FilesystemDriver(tmp_path)
    (tmp_path / "uploads" / "listed").touch()
    (tmp_path / "uploads" / "gone").symlink_to("nowhere")  # listed, and not there when it is looked at
    assert await driver.list_uploads(timedelta(seconds=-1)) == [{"file": "listed"}]


async def test_what_a_damaged_file_system_answers_is_an_error_of_the_storage(tmp_path: Path) -> None:
    driver = FilesystemDriver(tmp_path)
    blob = driver.local_path(DIGEST)
    blob.parent.mkdir(parents=True)
    blob.mkdir()
    with pytest.raises(StorageError):
        await anext(driver.read(DIGEST, 0, 1))
    blob.rmdir()
    blob.symlink_to(blob)
    with pytest.raises(StorageError):
        await anext(driver.read(DIGEST, 0, 1))
    with pytest.raises(StorageError):
        await driver.stat(DIGEST)
