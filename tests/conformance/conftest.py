"""The registry that is tested: our own, or the one at ROADSTEAD_TEST_URL.

ROADSTEAD_TEST_URL=http://127.0.0.1:5000 ROADSTEAD_TEST_AUTH=admin:password pytest tests/conformance
ROADSTEAD_TEST_STORAGE=s3 pytest tests/conformance       or azure, gcs
"""

import os
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.conformance.client import Registry, Repository, bearer, open_repository
from tests.conformance.remote import Remote
from tests.conformance.serving import settings_for
from tests.support.places import chosen_place
from tests.support.registry import running_registry
from tests.support.servers import Databases

REMOTE_URL = os.environ.get("ROADSTEAD_TEST_URL", "").rstrip("/")
REMOTE_AUTH = os.environ.get("ROADSTEAD_TEST_AUTH", "")


@pytest.fixture(scope="session")
async def remote() -> AsyncIterator[Remote]:
    async with aiohttp.ClientSession() as session:
        yield Remote(REMOTE_URL, session, REMOTE_AUTH)


@pytest.fixture(scope="session")
def storage(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where our own registry keeps content."""
    return chosen_place(request, "conformance")


@pytest.fixture(scope="session")
async def shared(
    databases: Databases, storage: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    """One registry of ours for all tests: each has its own repositories."""
    with databases.fresh(migrated=True) as url:
        settings = settings_for(url, tmp_path_factory.mktemp("shared"), **storage)
        async with running_registry(settings) as running:
            yield running


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Registry:
    chosen: Registry = request.getfixturevalue("remote" if REMOTE_URL else "shared")
    return chosen


@pytest.fixture
async def repo(target: Registry) -> Repository:
    """A repository of its own for each test."""
    return await open_repository(target)


@pytest.fixture
async def other(target: Registry) -> Repository:
    """A second repository in the same project."""
    return await open_repository(target)


@pytest.fixture
async def catalog(target: Registry) -> Repository:
    """Permission to list all repositories."""
    return Repository(target, "", bearer(await target.token("registry:catalog:*")))
