"""A registry for flows through several slices, and what its database counts."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.serving import settings_for
from tests.flows.quota import Counted, counted_project
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases


@pytest.fixture(scope="session")
async def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Registry]:
    with databases.fresh(migrated=True) as url:
        async with running_registry(settings_for(url, tmp_path_factory.mktemp("flows"))) as running:
            yield running


@pytest.fixture
async def project(shared: Registry) -> Counted:
    """A project of its own, without a limit."""
    return await counted_project(shared)
