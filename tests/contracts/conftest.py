"""Every storage driver, each on a storage of its own for each test."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import ClientSession

from app.storage import FilesystemDriver, StorageDriver
from tests.contracts.storing import PART, OpenDriver, settings_on
from tests.support.places import BUCKETS, Place, place_of

ON_SERVERS = [pytest.param(driver, marks=pytest.mark.slow) for driver in BUCKETS]


@pytest.fixture(params=ON_SERVERS)
def place(request: pytest.FixtureRequest) -> Place:
    """A place of its own in a bucket of each server."""
    return place_of(request, request.param).below(uuid4().hex)


@pytest.fixture(params=["filesystem", *ON_SERVERS])
def somewhere(request: pytest.FixtureRequest) -> Place | None:
    """The same, or none for a driver that has files."""
    return None if request.param == "filesystem" else place_of(request, request.param).below(uuid4().hex)


@pytest.fixture
async def another(somewhere: Place | None, tmp_path: Path) -> AsyncIterator[OpenDriver]:
    if somewhere is None:
        yield lambda: FilesystemDriver(tmp_path / "storage", [b"key"])
        return
    settings = settings_on(somewhere.settings)
    module = import_module(f"app.storage.{settings.driver}")
    # So that copies inside S3 are in several ranges.
    more = {"copy_bytes": 2 * PART} if settings.driver == "s3" else {}
    async with AsyncExitStack() as stack:
        drivers: list[StorageDriver] = [
            await stack.enter_async_context(module.open_driver(settings, **more)) for _ in range(3)
        ]
        yield lambda: random.choice(drivers)  # noqa: S311 - any of them will do


@pytest.fixture
def driver(another: OpenDriver) -> StorageDriver:
    return another()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A client that knows nothing but URLs."""
    async with ClientSession() as opened:
        yield opened
