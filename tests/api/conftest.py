"""A registry for the tests that share one, each with its own repository."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.client import Repository, open_repository
from tests.conformance.serving import settings_for
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases


@pytest.fixture(scope="session")
async def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Registry]:
    with databases.fresh(migrated=True) as url:
        async with running_registry(settings_for(url, tmp_path_factory.mktemp("shared"))) as running:
            yield running


@pytest.fixture
async def repo(shared: Registry) -> Repository:
    """A repository of its own for each test."""
    return await open_repository(shared)


@pytest.fixture
def storage_root(shared: Registry) -> Path:
    """Where the registry keeps its files."""
    return shared.resources.settings.storage_root
