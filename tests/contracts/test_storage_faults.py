"""What every driver of buckets does when the server fails: tries again, goes on, or says that it is busy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest
from aiohttp import web

from app.oci.digest import Digest
from app.settings import load
from app.storage import CredentialsRefused, StorageBusy, StorageDriver, StorageError, open_storage
from tests.contracts.storing import CONTENT, EVERYTHING, LARGE, append, blob, joined
from tests.support.faulty import (
    Ask,
    Fault,
    FaultyWay,
    answering,
    endless,
    faulty_way,
    first,
    no_fault,
    reset,
    stalled,
    truncated,
)
from tests.support.places import Place

DIGEST = Digest.of(CONTENT)
BUSY = answering(503, "<Error><Code>ServerBusy</Code><Message>Come again.</Message></Error>")


@pytest.fixture
async def way(place: Place) -> AsyncIterator[FaultyWay]:
    async with faulty_way(place.settings["storage_endpoint"]) as lent:
        yield lent


@asynccontextmanager
async def opened(place: Place, **changed: str) -> AsyncIterator[StorageDriver]:
    named = {**place.settings, **{f"storage_{name}": value for name, value in changed.items()}}
    settings = load({f"ROADSTEAD_{name.upper()}": value for name, value in named.items()})
    async with open_storage(settings) as driver:
        yield driver


@pytest.fixture
async def driver(place: Place, way: FaultyWay) -> AsyncIterator[StorageDriver]:
    async with opened(place, endpoint=way.url, patience="0.1", read_timeout="1") as driver:
        yield driver


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answering(500, ""), id="500"),
        pytest.param(BUSY, id="503"),
        pytest.param(answering(408, ""), id="408"),
        pytest.param(reset, id="reset"),
        pytest.param(stalled, id="stalled", marks=pytest.mark.slow),
    ],
)
async def test_what_fails_for_a_moment_is_tried_again(
    way: FaultyWay, driver: StorageDriver, fault: Fault
) -> None:
    way.fault = first(1, fault)
    await driver.put(DIGEST, CONTENT)
    assert await blob(driver, DIGEST) == CONTENT
    way.fault = first(1, fault)
    assert await driver.stat(DIGEST) == len(CONTENT)


@pytest.mark.slow
async def test_who_takes_no_more_of_a_body_is_given_up(way: FaultyWay, driver: StorageDriver) -> None:
    """More than the buffers of two sockets hold."""
    digest = Digest.of(LARGE)
    way.is_deaf = True
    async with asyncio.timeout(20):
        with pytest.raises(StorageBusy):
            await driver.put(digest, LARGE)
    way.is_deaf = False
    await driver.put(digest, LARGE)
    assert await blob(driver, digest) == LARGE


async def test_that_much_has_failed_makes_nobody_less_patient(way: FaultyWay, driver: StorageDriver) -> None:
    await driver.put(DIGEST, CONTENT)
    way.fault = BUSY
    failed = await asyncio.gather(*(driver.stat(DIGEST) for _ in range(101)), return_exceptions=True)
    assert {type(error) for error in failed} == {StorageBusy}
    way.fault = first(1, BUSY)
    assert await driver.stat(DIGEST) == len(CONTENT)


@pytest.mark.slow
async def test_what_goes_on_failing_is_busy_and_works_later(way: FaultyWay, driver: StorageDriver) -> None:
    state = await append(driver, driver.new_upload(), 0, LARGE)
    await driver.put(DIGEST, CONTENT)
    way.fault = BUSY
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
    way.fault = no_fault
    await driver.commit(state, Digest.of(LARGE), len(LARGE))
    assert await blob(driver, Digest.of(LARGE)) == LARGE


async def test_a_body_that_breaks_off_is_asked_for_again_from_there(
    way: FaultyWay, driver: StorageDriver
) -> None:
    await driver.put(DIGEST, CONTENT)
    way.fault = first(2, truncated)
    assert await joined(driver.read(DIGEST, 0, len(CONTENT))) == CONTENT


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answering(200, ""), id="empty 200"),
        pytest.param(answering(201, ""), id="empty 201"),
        pytest.param(answering(200, '{"status": "fine"}'), id="200 of a stranger"),
        pytest.param(endless, id="200 without a length"),
    ],
)
async def test_what_only_a_proxy_says_is_done_is_not(place: Place, way: FaultyWay, fault: Fault) -> None:
    async with opened(place, endpoint=way.url, patience="0.1") as driver:
        state = await append(driver, driver.new_upload(), 0, LARGE)
        way.fault = fault
        for failing in (
            driver.put(DIGEST, CONTENT),
            driver.stat(DIGEST),
            joined(driver.read(DIGEST, 0, len(CONTENT))),
            append(driver, driver.new_upload(), 0, LARGE),
            driver.commit(state, Digest.of(LARGE), len(LARGE)),
        ):
            with pytest.raises(StorageError):
                await failing
        way.fault = no_fault
        await driver.commit(state, Digest.of(LARGE), len(LARGE))
        assert await blob(driver, Digest.of(LARGE)) == LARGE


async def test_an_error_that_breaks_off_is_no_other_one(way: FaultyWay, driver: StorageDriver) -> None:
    await driver.put(DIGEST, CONTENT)

    async def cut(request: web.Request, _: Ask) -> web.StreamResponse:
        return await truncated(request, partial(said, request))

    async def said(_: web.Request) -> web.Response:
        return web.Response(status=503, text="<Error><Code>SlowDown</Code></Error>")

    way.fault = first(1, cut)
    assert await joined(driver.read(DIGEST, 0, len(CONTENT))) == CONTENT
    way.fault = cut
    with pytest.raises(StorageBusy):
        await joined(driver.read(DIGEST, 0, len(CONTENT)))


async def test_a_server_that_refuses_us_is_another_matter_than_one_that_is_busy(
    way: FaultyWay, driver: StorageDriver
) -> None:
    way.fault = answering(403, "<Error><Code>InvalidAccessKeyId</Code><Message>Who?</Message></Error>")
    for failing in (driver.put(DIGEST, CONTENT), driver.stat(DIGEST), driver.delete(DIGEST)):
        with pytest.raises(CredentialsRefused):
            await failing


async def test_a_server_that_is_gone_is_busy(place: Place) -> None:
    async with AsyncExitStack() as stack:
        async with faulty_way(place.settings["storage_endpoint"]) as way:
            driver = await stack.enter_async_context(opened(place, endpoint=way.url, patience="0.1"))
        with pytest.raises(StorageBusy):
            await driver.stat(DIGEST)


async def test_a_bucket_that_is_not_there_is_named(place: Place) -> None:
    with pytest.raises(StorageError, match="nowhere-to-be-found"):
        async with opened(place, bucket="nowhere-to-be-found"):
            pass
