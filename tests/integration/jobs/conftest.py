"""A database for the tests of jobs that need no worker process."""

from collections.abc import AsyncIterator

import pytest

from app.resources import Resources, open_resources
from tests.conformance.serving import settings_for
from tests.support.jobs import CLEAN, run
from tests.support.servers import Databases


@pytest.fixture(scope="session")
async def opened(
    databases: Databases, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Resources]:
    with databases.fresh(migrated=True) as url:
        settings = settings_for(url, tmp_path_factory.mktemp("jobs"), redis_url=valkey_url)
        async with open_resources(settings) as resources:
            yield resources


@pytest.fixture
async def r(opened: Resources) -> Resources:
    await run(opened, CLEAN)
    return opened
