"""The registry that is tested: our own, or the one at ROADSTEAD_TEST_URL.

ROADSTEAD_TEST_URL=http://127.0.0.1:5000 ROADSTEAD_TEST_AUTH=admin:password pytest tests/conformance
"""

import os
from collections.abc import AsyncIterator
from uuid import uuid4

import aiohttp
import pytest

from tests.conformance.client import Registry, Repository
from tests.conformance.remote import Remote

REMOTE_URL = os.environ.get("ROADSTEAD_TEST_URL", "").rstrip("/")
REMOTE_AUTH = os.environ.get("ROADSTEAD_TEST_AUTH", "")


@pytest.fixture(scope="session")
async def remote() -> AsyncIterator[Remote]:
    user, _, password = REMOTE_AUTH.partition(":")
    async with aiohttp.ClientSession() as session:
        yield Remote(REMOTE_URL, session, aiohttp.BasicAuth(user, password) if user else None)


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Registry:
    chosen: Registry = request.getfixturevalue("remote" if REMOTE_URL else "registry")
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


async def open_repository(target: Registry, actions: str = "pull,push,delete", name: str = "") -> Repository:
    name = name or f"conformance/{uuid4().hex}"
    return Repository(target, name, bearer(await target.token(f"repository:{name}:{actions}")))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
