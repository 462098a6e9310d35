"""The disk is full: said as such, nothing of the failed write stays, and work goes on when there is room."""

import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from app.oci.digest import Digest
from app.storage import FilesystemDriver, StorageFull

DISK = 1 << 20
LEFT = 64 << 10
CONTENT = bytes(range(256)) * 1_000  # fits on the disk, and not into what is left
DIGEST = Digest.of(CONTENT)

Full: TypeAlias = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Full]]:
    """A small disk where we may mount one, else a limit on files that the kernel answers much like it."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield tmp_path, limited
        return
    try:
        yield tmp_path, lambda: filled(tmp_path / "filler")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@contextmanager
def limited() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LEFT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def filled(filler: Path) -> Iterator[None]:
    filler.write_bytes(bytes(DISK - LEFT))
    try:
        yield
    finally:
        filler.unlink()


def files(root: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in root.rglob("*") if path.is_file()}


async def test_a_blob_is_refused_and_taken_when_there_is_room(disk: tuple[Path, Full]) -> None:
    root, full = disk
    driver = FilesystemDriver(root / "storage")
    with full():
        with pytest.raises(StorageFull):
            await driver.put(DIGEST, CONTENT)
        assert await driver.stat(DIGEST) is None
        assert files(root / "storage") == {}
        await driver.put(Digest.of(b"small"), b"small")  # what the failed write took is free again
    await driver.put(DIGEST, CONTENT)
    assert driver.local_path(DIGEST).read_bytes() == CONTENT


async def test_an_upload_keeps_what_it_had_and_goes_on_when_there_is_room(disk: tuple[Path, Full]) -> None:
    root, full = disk
    driver = FilesystemDriver(root / "storage")
    state, writer = await driver.append(driver.new_upload(), 0, is_contested=False)
    await writer.write(CONTENT[:4])
    await writer.finish()
    writer.close()
    with full():
        state, writer = await driver.append(state, 4, is_contested=False)
        await writer.write(CONTENT[4:1_000])
        with pytest.raises(StorageFull):
            await writer.write(CONTENT[1_000:])
        writer.close()
        assert list(files(root / "storage").values()) == [4]
    state, writer = await driver.append(state, 4, is_contested=False)
    await writer.write(CONTENT[4:])
    await writer.finish()
    writer.close()
    await driver.commit(state, DIGEST, len(CONTENT))
    assert driver.local_path(DIGEST).read_bytes() == CONTENT
