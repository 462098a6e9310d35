"""Every storage driver, each on a storage of its own for each test."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from app.storage import FilesystemDriver, StorageDriver
from app.storage.s3 import open_s3
from tests.contracts.storing import PART, OpenDriver, settings_on
from tests.support.seaweed import Bucket


@pytest.fixture
def filesystem(tmp_path: Path) -> OpenDriver:
    return lambda: FilesystemDriver(tmp_path / "storage")


@pytest.fixture
async def s3(bucket: Bucket) -> AsyncIterator[OpenDriver]:
    settings = settings_on(bucket.below(uuid4().hex).settings)
    async with AsyncExitStack() as stack:
        drivers = [await stack.enter_async_context(open_s3(settings, 2 * PART)) for _ in range(3)]
        yield lambda: random.choice(drivers)  # noqa: S311 - any of them will do


@pytest.fixture(params=["filesystem", "s3"])
def another(request: pytest.FixtureRequest) -> OpenDriver:
    chosen: OpenDriver = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def driver(another: OpenDriver) -> StorageDriver:
    return another()
