"""Registries for flows through several slices: on files, and on each storage that the tests have."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conformance.client import Repository, open_repository
from tests.conformance.serving import settings_for
from tests.flows.presigned import Uploader
from tests.flows.quota import Counted, counted_project
from tests.support.places import BUCKETS, Place, place_of
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


@pytest.fixture(params=BUCKETS)
def place(request: pytest.FixtureRequest) -> Place:
    return place_of(request, request.param).below(f"flows/{uuid4().hex}")


@pytest.fixture
async def on_storage(database_url: str, place: Place, tmp_path: Path) -> AsyncIterator[Registry]:
    async with running_registry(settings_for(database_url, tmp_path, **place.settings)) as running:
        yield running


@pytest.fixture
async def repo(on_storage: Registry) -> Repository:
    return await open_repository(on_storage)


@pytest.fixture
def client(repo: Repository) -> Uploader:
    return Uploader(repo)
