"""The database drops its connections under traffic: 503, try again, and nothing that was answered is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import psycopg2
import pytest

from tests.conformance.client import Answer, Repository, open_repository
from tests.conformance.content import digest_of, image, unique
from tests.conformance.serving import settings_for
from tests.support.eventually import pass_time, until
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases

CLIENTS = 6
ROUNDS = 15
TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def fragile(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Registry]:
    with databases.fresh(migrated=True) as url:
        async with running_registry(settings_for(url, tmp_path_factory.mktemp("fragile"))) as registry:
            yield registry


def drop_connections(url: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(TERMINATE)
    finally:
        connection.close()


async def push(repo: Repository, data: bytes, seen: Counter[int]) -> None:
    """Push as a patient client does: what is answered 503 is tried again."""

    async def attempt() -> Answer:
        answer = await repo.send("POST", f"blobs/uploads/?digest={digest_of(data)}", data)
        seen[answer.status] += 1
        return answer

    await until(attempt, lambda answer: answer.status != 503)


async def test_clients_see_503_and_lose_nothing(fragile: Registry) -> None:
    repo, seen = await open_repository(fragile), Counter[int]()
    url = str(fragile.resources.settings.database.url)
    blobs = [unique() for _ in range(CLIENTS * ROUNDS)]
    tags = [f"tag-{number}" for number in range(CLIENTS)]
    content = image()
    await repo.push(content)

    async def client(number: int) -> None:
        for data in blobs[number::CLIENTS]:
            await push(repo, data, seen)
            tagged = await until(lambda: repo.put_manifest(content, tags[number]), lambda a: a.status != 503)
            pulled = await until(lambda: repo.get(f"manifests/{tags[number]}"), lambda a: a.status != 503)
            seen[tagged.status] += 1
            seen[pulled.status] += 1

    clients = asyncio.gather(*(client(number) for number in range(CLIENTS)))
    while not clients.done():
        await asyncio.to_thread(drop_connections, url)
        await pass_time(0.2)
    await clients
    assert set(seen) <= {200, 201, 503}
    for data in blobs:
        assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
    assert await repo.tags() == sorted(tags)
