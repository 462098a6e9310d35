"""What every driver of buckets does when the server fails: tries again, goes on, or says that it is busy."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from app.oci.digest import Digest
from app.settings import Settings, load
from app.storage import StorageBusy, StorageDriver, StorageError, open_storage
from tests.contracts.storing import CONTENT, EVERYTHING, LARGE, append, blob, joined
from tests.support.faulty import FaultyWay, faulty_way
from tests.support.places import Place

DIGEST = Digest.of(CONTENT)


@pytest.fixture
async def way(place: Place) -> AsyncIterator[FaultyWay]:
    async with faulty_way(place.settings["storage_endpoint"]) as lent:
        yield lent


@asynccontextmanager
async def opened(place: Place, **changed: str) -> AsyncIterator[StorageDriver]:
    async with open_storage(settings_of(place, **changed)) as driver:
        yield driver


def settings_of(place: Place, **changed: str) -> Settings:
    named = {**place.settings, **{f"storage_{name}": value for name, value in changed.items()}}
    return load({f"ROADSTEAD_{name.upper()}": value for name, value in named.items()})


@pytest.fixture
async def driver(place: Place, way: FaultyWay) -> AsyncIterator[StorageDriver]:
    async with opened(place, endpoint=way.url, attempts="3") as driver:
        yield driver


def busy(_: web.Request) -> web.Response:
    return web.Response(status=503, text="<Error><Code>ServerBusy</Code></Error>")


@pytest.mark.parametrize("status", [500, 503])
async def test_what_fails_for_a_moment_is_tried_again(
    way: FaultyWay, driver: StorageDriver, status: int
) -> None:
    way.fault = lambda _: web.Response(status=status) if way.faults < 2 else None
    await driver.put(DIGEST, CONTENT)
    assert way.faults == 2
    assert await blob(driver, DIGEST) == CONTENT


async def test_what_goes_on_failing_is_busy(way: FaultyWay, driver: StorageDriver) -> None:
    state = await append(driver, driver.new_upload(), 0, LARGE)
    await driver.put(DIGEST, CONTENT)
    way.fault = busy
    for failing in (
        driver.put(DIGEST, CONTENT),
        driver.stat(DIGEST),
        joined(driver.read(DIGEST, 0, 1)),
        driver.delete(DIGEST),
        anext(driver.list_digests()),
        driver.commit(state, Digest.of(LARGE), len(LARGE)),
        driver.list_uploads(EVERYTHING),
    ):
        with pytest.raises(StorageBusy):
            await failing
    way.fault = lambda _: None
    await driver.commit(state, Digest.of(LARGE), len(LARGE))
    assert await blob(driver, Digest.of(LARGE)) == LARGE


async def test_a_server_that_is_gone_is_busy(place: Place) -> None:
    async with AsyncExitStack() as stack:
        async with faulty_way(place.settings["storage_endpoint"]) as way:
            driver = await stack.enter_async_context(opened(place, endpoint=way.url, attempts="1"))
        with pytest.raises(StorageBusy):
            await driver.stat(DIGEST)


async def test_a_bucket_that_is_not_there_is_named(place: Place) -> None:
    with pytest.raises(StorageError, match="nowhere-to-be-found"):
        async with opened(place, bucket="nowhere-to-be-found"):
            pass
