"""What the file system does that no other storage does."""

import asyncio
import os
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from app.oci.digest import Digest
from app.storage import FilesystemDriver, StorageError, UploadWriter
from tests.contracts.storing import joined
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


async def test_what_is_opened_when_nobody_waits_any_more_is_closed(tmp_path: Path) -> None:
    driver = FilesystemDriver(tmp_path)
    blob = driver.local_path(DIGEST)
    blob.parent.mkdir(parents=True)
    os.mkfifo(blob)  # opening it waits for the other end
    reading = asyncio.create_task(joined(driver.read(DIGEST, 0, 1)))
    other_end = await until(partial(opened_other_end, blob), bool)
    reading.cancel()
    await asyncio.wait([reading])
    os.close(other_end)
    await until(lambda: asyncio.to_thread(open_files), lambda files: blob not in files)


async def opened_other_end(path: Path) -> int:
    """Open what somebody waits for; 0: nobody does yet."""
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return 0


async def test_no_writer_is_left_open_that_nobody_waits_for_any_more(tmp_path: Path) -> None:
    driver = FilesystemDriver(tmp_path)
    for _ in range(100):
        opening = asyncio.create_task(driver.append(driver.new_upload(), 0, is_contested=False))
        await asyncio.wait([opening], timeout=0)  # a thread has it now
        opening.cancel()
        await asyncio.wait([opening])
    await until(lambda: asyncio.to_thread(open_files), lambda files: not uploads_in(files, tmp_path))


async def test_a_writer_that_cannot_be_opened_leaves_nothing_open(tmp_path: Path) -> None:
    driver = FilesystemDriver(tmp_path)
    state = driver.new_upload()
    path = tmp_path / "uploads" / state["file"]
    os.mkfifo(path)
    other_end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(StorageError):  # it cannot be cut
        await driver.append(state, 0, is_contested=False)
    os.close(other_end)
    assert path not in open_files()


def uploads_in(files: list[Path], root: Path) -> list[Path]:
    return [file for file in files if file.is_relative_to(root / "uploads")]


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
