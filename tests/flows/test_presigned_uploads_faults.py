"""Uploads by signed URLs while a storage fails or a process dies: they end verified, or are refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import ClientError, web

from tests.conformance.client import Repository, open_repository
from tests.conformance.content import damaged, digest_of, unique
from tests.conformance.serving import served_by_processes, settings_for
from tests.flows.closing import STEPS, IsMeant
from tests.flows.presigned import Uploader, left_in
from tests.support.eventually import DEADLINE_SECONDS, pass_time, until
from tests.support.faulty import Ask, Fault, FaultyWay, answering, faulty_way, first, reset, where
from tests.support.places import BUCKETS, Place
from tests.support.registry import Registry, running_registry

pytestmark = pytest.mark.slow

SIZE = 100_000
SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
BROKEN = "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"

EVERY_STEP = [
    pytest.param(driver, is_meant, id=f"{driver}-{step}")
    for driver in BUCKETS
    for step, is_meant in STEPS[driver].items()
]
THAT_TAKE_LONG = [one for one in EVERY_STEP if one.id in {"s3-copy", "azure-end"}]
LEASE_SECONDS = 1
THAT_IS_TRIED_AGAIN = [one for one in EVERY_STEP if str(one.id).partition("-")[2] != "removal"]


@pytest.fixture
async def way(place: Place) -> AsyncIterator[FaultyWay]:
    async with faulty_way(place.endpoint) as lent:
        yield lent


@pytest.fixture
def settings(place: Place, way: FaultyWay) -> dict[str, str]:
    """The registry goes the faulty way, and its clients do not."""
    ours = place.by(way.url).settings
    return {
        "uploads_lease": str(LEASE_SECONDS),
        "storage_patience": "0.1",
        "storage_public_endpoint": place.endpoint,
        **ours,
    }


@pytest.fixture
async def on_storage(database_url: str, tmp_path: Path, settings: dict[str, str]) -> AsyncIterator[Registry]:
    async with running_registry(settings_for(database_url, tmp_path, **settings)) as running:
        yield running


@pytest.mark.parametrize(("place", "is_meant"), THAT_IS_TRIED_AGAIN, indirect=["place"])
@pytest.mark.parametrize("fault", [answering(503, SLOW_DOWN), answering(200, BROKEN), reset])
async def test_a_close_that_the_storage_fails_is_sent_again(
    client: Uploader, repo: Repository, on_storage: Registry, way: FaultyWay, is_meant: IsMeant, fault: Fault
) -> None:
    data = unique(SIZE)
    session = await client.send(data)
    way.fault = where(is_meant, fault)
    refused = await repo.close(session, digest_of(data))
    assert refused.status == 503
    assert refused.headers["Retry-After"]
    assert (await repo.head(f"blobs/{digest_of(data)}")).status == 404
    way.fault = where(is_meant, first(1, fault))
    closed = await until(lambda: repo.close(session, digest_of(data)), lambda answer: answer.status != 503)
    assert closed.status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
    assert await left_in(on_storage) == []


@pytest.mark.parametrize(("place", "is_meant"), THAT_TAKE_LONG, indirect=["place"])
async def test_who_waits_for_the_storage_stays_the_only_one(
    client: Uploader, repo: Repository, way: FaultyWay, is_meant: IsMeant
) -> None:
    """For twice as long as somebody who shows no sign of life."""
    asked, is_let_go, data = 0, asyncio.Event(), unique(SIZE)

    async def slow(_: web.Request, ask: Ask) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        await is_let_go.wait()
        return await ask()

    session = await client.send(data)
    way.fault = where(is_meant, slow)
    closing = asyncio.create_task(repo.close(session, digest_of(data)))
    await pass_time(2 * LEASE_SECONDS)
    assert (await repo.close(session, digest_of(data))).status == 409
    is_let_go.set()
    assert (await closing).status == 201
    assert asked == 1
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data


@pytest.mark.parametrize(("place", "is_meant"), EVERY_STEP, indirect=["place"])
async def test_a_process_that_is_killed_in_any_step_of_the_close_is_followed_by_another(
    database_url: str, tmp_path: Path, way: FaultyWay, settings: dict[str, str], is_meant: IsMeant
) -> None:
    """Each time, the storage has done what it was asked for, and nobody was told."""
    data, is_done = unique(SIZE), asyncio.Event()

    async def done_untold(_: web.Request, ask: Ask) -> web.StreamResponse:
        await ask()
        is_done.set()
        await asyncio.Event().wait()
        return web.Response()

    async with served_by_processes(database_url, tmp_path, **settings) as served:
        repo = served.repo
        with served.process() as process:
            session = await Uploader(repo).send(data)
            way.fault = where(is_meant, first(1, done_untold))
            closing = asyncio.create_task(repo.close(session, digest_of(data)))
            await asyncio.wait_for(is_done.wait(), DEADLINE_SECONDS)
            process.kill()
            process.wait()
            closing.cancel()
            with suppress(ClientError, asyncio.CancelledError):
                await closing
        with served.process():
            assert (await repo.head(f"blobs/{digest_of(data)}")).status == 404
            closed = await until(
                lambda: repo.close(session, digest_of(data)), lambda answer: answer.status != 409
            )
            assert closed.status == 201
            assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
    async with running_registry(settings_for(database_url, tmp_path, **settings)) as registry:
        assert await left_in(registry) == []


@pytest.mark.parametrize("place", ["s3"], indirect=True)
async def test_what_proves_nothing_is_read(
    client: Uploader, repo: Repository, on_storage: Registry, way: FaultyWay
) -> None:
    """A server that takes a part with a wrong checksum: what it says of digests is worth nothing."""

    async def believing(request: web.Request, ask: Ask) -> web.StreamResponse:
        is_part = request.method == "PUT" and "partNumber" in request.query
        return web.Response(headers={"ETag": '"0"'}) if is_part else await ask()

    reads = 0

    async def counted(_: web.Request, ask: Ask) -> web.StreamResponse:
        nonlocal reads
        reads += 1
        return await ask()

    data, session = unique(SIZE), await repo.start()
    way.fault = believing
    signed = await client.sign(session, digest=digest_of(data))
    assert signed["headers"] == {}
    assert await client.put(signed, data) == 200
    way.fault = where(STEPS["s3"]["read"], counted)
    assert (await repo.close(session, digest_of(data))).status == 201
    assert reads == 1
    other = await open_repository(on_storage)
    wrong = await Uploader(other).send(damaged(data), digest=digest_of(data))
    assert (await other.close(wrong, digest_of(data))).code == "DIGEST_INVALID"
