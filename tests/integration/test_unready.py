"""What a program that cannot start says, and that it leaves nothing open."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.db import DatabaseError, open_database
from app.storage import FilesystemDriver, StorageError


async def test_a_database_that_is_not_migrated_names_the_remedy(empty_database_url: str) -> None:
    with pytest.raises(DatabaseError, match="run `roadstead migrate` first"):
        async with open_database(empty_database_url, size=2, statement_timeout=timedelta(seconds=5)):
            pass


def test_a_storage_that_cannot_be_made_is_named() -> None:
    with pytest.raises(StorageError, match="/proc/"):
        FilesystemDriver(Path("/proc/roadstead"))


async def test_a_storage_that_went_away_is_an_error_of_the_storage(tmp_path: Path) -> None:
    driver = FilesystemDriver(tmp_path / "storage")
    (tmp_path / "storage").rename(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        await driver.check()
    with pytest.raises(StorageError):
        await driver.check_writing()
