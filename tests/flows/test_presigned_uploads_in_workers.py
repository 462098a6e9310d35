"""Uploads by signed URLs that are large: a worker reads them while the client comes again."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import pytest

from app.db import SQL
from tests.conformance.client import Answer, Repository
from tests.conformance.content import digest_of, unique
from tests.conformance.serving import environment_for, settings_for
from tests.flows.closing import STEPS
from tests.flows.presigned import Uploader, left_in
from tests.support.eventually import until
from tests.support.faulty import FaultyWay, faulty_way, stalled, where
from tests.support.places import Place
from tests.support.registry import Registry, running_registry
from tests.support.roadstead import UNMEASURED, RunningRoadstead, roadstead

pytestmark = pytest.mark.slow

SIZE = 3 << 20
READING = SQL("SELECT count(*) FROM upload_sessions WHERE direct = 'hashing' AND lease_token IS NOT NULL")
WORKERS = SQL("SELECT array_agg(id::text) FROM workers")
CRASHES = SQL("SELECT crashes FROM pending_jobs WHERE name = 'hash_received'")
OWED = SQL("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM pending_jobs)")
AUDITED = SQL("SELECT count(*) FROM audit_logs WHERE operation = 'receive' AND resource_type = 'blob'")

StartWorker: TypeAlias = Callable[[Place], AbstractContextManager[RunningRoadstead]]


def settings_on(place: Place, redis_url: str) -> dict[str, str]:
    return {
        "redis_url": redis_url,
        "uploads_hash_inline_bytes": "1000",
        "uploads_lease": "2",
        "workers_heartbeat": "0.5",
        **place.settings,
    }


@pytest.fixture
async def on_storage(
    database_url: str, redis_url: str, tmp_path: Path, place: Place
) -> AsyncIterator[Registry]:
    settings = settings_for(database_url, tmp_path, **settings_on(place, redis_url))
    async with running_registry(settings) as running:
        yield running


@pytest.fixture
def start_worker(database_url: str, redis_url: str, tmp_path: Path) -> StartWorker:
    def start(place: Place) -> AbstractContextManager[RunningRoadstead]:
        environment = environment_for(database_url, tmp_path, **settings_on(place, redis_url))
        output = tmp_path / f"worker-{uuid4().hex}"
        return roadstead("work", output=output, environment={**environment, **UNMEASURED})

    return start


async def value(registry: Registry, statement: SQL) -> Any:
    async with registry.resources.database.autocommit() as statements:
        return await statements.value(statement)


async def closed(repo: Repository, session: str, digest: str) -> Answer:
    """Close and come again, as the answers say, until there is another one."""
    return await until(lambda: repo.close(session, digest), lambda answer: answer.status not in {202, 409})


async def test_a_large_upload_is_read_by_a_worker(
    repo: Repository, on_storage: Registry, place: Place, start_worker: StartWorker
) -> None:
    data = unique(SIZE)
    session = await Uploader(repo).send(data)
    for answer in (await repo.close(session, digest_of(data)), await repo.get(session)):
        assert (answer.status, answer.location, answer.headers["Retry-After"]) == (202, session, "2")
    assert (await repo.head(f"blobs/{digest_of(data)}")).status == 404
    assert (await Uploader(repo).ask(session)).status == 400
    with start_worker(place):
        await until(lambda: repo.get(session), lambda answer: answer.status == 204)
        assert (await repo.get(session)).upload_end == SIZE - 1
        assert (await repo.head(f"blobs/{digest_of(data)}")).status == 404
        assert (await repo.close(session, digest_of(data))).status == 201
        assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
        await until(lambda: value(on_storage, OWED), lambda owed: owed == 0)
    assert await value(on_storage, AUDITED) == 1
    assert await left_in(on_storage) == []


@pytest.mark.parametrize("place", ["s3"], indirect=True)
async def test_what_the_storage_has_verified_needs_no_worker(repo: Repository) -> None:
    data = unique(SIZE)
    session = await Uploader(repo).send(data, digest=digest_of(data))
    assert (await repo.close(session, digest_of(data))).status == 201


async def test_a_worker_does_not_take_a_clients_word_for_it(
    repo: Repository, on_storage: Registry, place: Place, start_worker: StartWorker
) -> None:
    session = await Uploader(repo).send(unique(SIZE))
    with start_worker(place):
        refused = await closed(repo, session, digest_of(b"other"))
        assert (refused.status, refused.code) == (400, "DIGEST_INVALID")
        assert (await repo.get(session)).status == 404
    assert await left_in(on_storage) == []
    assert [digest async for digest in on_storage.resources.storage.list_digests()] == []


async def test_a_client_names_one_algorithm_while_it_is_computed(
    repo: Repository, place: Place, start_worker: StartWorker
) -> None:
    data = unique(SIZE)
    session = await Uploader(repo).send(data)
    assert (await repo.close(session, digest_of(data, "sha512"))).status == 202
    assert (await repo.close(session, digest_of(data))).code == "BLOB_UPLOAD_INVALID"
    with start_worker(place):
        assert (await closed(repo, session, digest_of(data, "sha512"))).status == 201
    assert (await repo.get(f"blobs/{digest_of(data, 'sha512')}")).body == data


@pytest.mark.parametrize("is_cancelled", [True, False])
async def test_an_upload_that_is_gone_is_owed_no_more(
    repo: Repository, on_storage: Registry, place: Place, start_worker: StartWorker, *, is_cancelled: bool
) -> None:
    data = unique(SIZE)
    session = await Uploader(repo).send(data)
    assert (await repo.close(session, digest_of(data))).status == 202
    if is_cancelled:
        assert (await repo.delete(session)).status == 204
    else:
        for state in await left_in(on_storage):
            await on_storage.resources.storage.discard(state)  # somebody cleaned the bucket
    with start_worker(place):
        await until(lambda: value(on_storage, OWED), lambda owed: owed == 0)
    assert (await repo.close(session, digest_of(data))).status == 404


@pytest.fixture
async def way(place: Place) -> AsyncIterator[FaultyWay]:
    async with faulty_way(place.settings["storage_endpoint"]) as lent:
        yield lent


async def test_what_a_killed_worker_read_is_read_again_by_the_next(
    repo: Repository, on_storage: Registry, place: Place, way: FaultyWay, start_worker: StartWorker
) -> None:
    data = unique(SIZE)
    session = await Uploader(repo).send(data)
    assert (await repo.close(session, digest_of(data))).status == 202
    way.fault = where(STEPS[place.settings["storage_driver"]]["read"], stalled)
    # A program that starts, one that is missed, and one that reads have each a deadline of their own.
    with start_worker(place.by(way.url)) as killed:
        first = await until(lambda: value(on_storage, WORKERS), bool)
        await until(lambda: value(on_storage, READING), lambda reading: reading == 1)
        assert (await repo.close(session, digest_of(data))).status == 202
        killed.kill()
    assert (await repo.get(session)).status == 202
    with start_worker(place):
        await until(lambda: value(on_storage, WORKERS), lambda workers: workers != first)
        await until(lambda: value(on_storage, CRASHES), lambda crashes: crashes != 0)

        async def come_again() -> Answer:
            return await repo.close(session, digest_of(data))

        assert (await until(come_again, lambda answer: answer.status != 202)).status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
