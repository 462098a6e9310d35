"""Writing files so that a loss of power does not take it back."""

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.storage.driver import StorageError, StorageFull

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_all(file: int, content: bytes, offset: int) -> None:
    """Write all of it at the offset, in as many calls as it takes."""
    rest = memoryview(content)
    while rest:
        written = os.pwrite(file, rest, offset)
        rest = rest[written:]
        offset += written


def fsync(file: int) -> None:
    """Wait until the drive has what was written."""
    if sys.platform == "darwin":
        fcntl.fcntl(file, fcntl.F_FULLFSYNC)  # its fsync stops at the drive's cache
    else:
        os.fsync(file)


def fsync_directory(path: Path | str) -> None:
    """Wait until the drive has the names in a directory."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def storage_errors(*, is_missing_fine: bool = True) -> Iterator[None]:
    """Raise StorageFull or StorageError; pass on FileNotFoundError where that is an answer."""
    try:
        yield
    except OSError as error:
        if is_missing_fine and isinstance(error, FileNotFoundError):
            raise
        kind = StorageFull if error.errno in _FULL else StorageError
        raise kind(f"{error.strerror}: {error.filename}" if error.filename else error.strerror) from error
