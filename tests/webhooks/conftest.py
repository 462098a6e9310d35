"""Consumers on loopback, and policies that post to them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.bootstrap import bootstrap
from app.resources import open_resources
from app.settings import Settings, load
from tests.conftest import ADMIN_PASSWORD, SECRET_KEY
from tests.support.consumer import Consumer, running_consumer
from tests.webhooks.posting import Posting


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """The settings of all tests, and loopback may be called."""
    return load(
        {
            "ROADSTEAD_DATA": str(tmp_path),
            "ROADSTEAD_LISTEN": "127.0.0.1:0",
            "ROADSTEAD_EXTERNAL_URL": "https://registry.example.org",
            "ROADSTEAD_DATABASE_URL": database_url,
            "ROADSTEAD_REDIS_URL": redis_url,
            "ROADSTEAD_AUTH_SECRET_KEY": SECRET_KEY,
            "ROADSTEAD_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "ROADSTEAD_OUTGOING_ALLOW": "127.0.0.0/8",
        }
    )


@pytest.fixture
async def consumer() -> AsyncIterator[Consumer]:
    async with running_consumer() as running:
        yield running


@pytest.fixture
async def other_consumer() -> AsyncIterator[Consumer]:
    async with running_consumer() as running:
        yield running


@pytest.fixture
async def posting(settings: Settings) -> AsyncIterator[Posting]:
    """What posts the events of a registry, in the process of the test."""
    async with open_resources(settings) as r:
        await bootstrap(r.database, "")
        yield Posting(r)
