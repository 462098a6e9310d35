"""Real servers for every test that asks: one PostgreSQL, one Valkey, one of each storage per test process."""

import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis import Redis

from app.settings import Settings, load
from tests.support import scratch
from tests.support.azurite import Container, azure_server
from tests.support.fakegcs import GcsBucket, gcs_server
from tests.support.registry import Registry, running_registry
from tests.support.s3 import IS_ELSEWHERE, Bucket, bucket_elsewhere
from tests.support.seaweed import s3_server
from tests.support.servers import Databases, databases_on, postgres_server, valkey_server

SECRET_KEY = "tests-only-" + "0123456789abcdef" * 2
ADMIN_PASSWORD = "Admin-password-1"

scratch.prepare()

# Who starts us in the background has us ignore Ctrl-C, and programs that we start would ignore it, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    with (
        scratch.short_directory() as directory,
        postgres_server(directory) as server,
        databases_on(server) as made,
    ):
        yield made


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with scratch.short_directory() as directory, valkey_server(directory) as server:
        yield server.url()


@pytest.fixture(scope="session")
async def bucket() -> AsyncIterator[Bucket]:
    """A bucket on an S3 server: each test takes a prefix of its own."""
    if IS_ELSEWHERE:
        async with bucket_elsewhere() as lent:
            yield lent
        return
    with scratch.short_directory() as directory:
        async with s3_server(directory) as lent:
            yield lent


@pytest.fixture(scope="session")
async def azure_bucket() -> AsyncIterator[Container]:
    """A container on a server that speaks as Azure: each test takes a prefix of its own."""
    with scratch.short_directory() as directory:
        async with azure_server(directory) as lent:
            yield lent


@pytest.fixture(scope="session")
async def gcs_bucket() -> AsyncIterator[GcsBucket]:
    """A bucket on a server that speaks as Google: each test takes a prefix of its own."""
    with scratch.short_directory() as directory:
        async with gcs_server(directory) as lent:
            yield lent


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A migrated database of its own."""
    with databases.fresh(migrated=True) as url:
        yield url


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """A database of its own without a single table."""
    with databases.fresh(migrated=False) as url:
        yield url


@pytest.fixture
def redis_url(valkey_url: str) -> Iterator[str]:
    """An empty Valkey."""
    yield valkey_url
    with Redis.from_url(valkey_url) as client:
        client.flushall()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return load(
        {
            "ROADSTEAD_DATA": str(tmp_path),
            "ROADSTEAD_LISTEN": "127.0.0.1:0",
            "ROADSTEAD_DATABASE_URL": database_url,
            "ROADSTEAD_REDIS_URL": redis_url,
            "ROADSTEAD_AUTH_SECRET_KEY": SECRET_KEY,
            "ROADSTEAD_ADMIN_PASSWORD": ADMIN_PASSWORD,
        }
    )


@pytest.fixture
async def registry(settings: Settings) -> AsyncIterator[Registry]:
    """Our application on a loopback port, with authentication on."""
    async with running_registry(settings) as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuses tests that share an id: xdist would run one of them, and nobody would miss the others."""
    shared = [nodeid for nodeid, count in Counter(item.nodeid for item in items).items() if count > 1]
    if shared:
        raise pytest.UsageError(f"several tests have the id {shared[0]}")
