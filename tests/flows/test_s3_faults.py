"""A storage that fails: a push ends stored, or refused with Retry-After; a pull is whole, or cut."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Never
from uuid import uuid4

import pytest
from aiobotocore.credentials import AioRefreshableCredentials
from aiohttp import ClientPayloadError, web
from botocore.exceptions import CredentialRetrievalError

from app.blobs import session_store as sessions
from app.storage.s3 import S3Driver
from app.storage.s3_identity import Identity
from tests.conformance.client import Answer, Repository, open_repository
from tests.conformance.content import digest_of, unique
from tests.conformance.serving import settings_for
from tests.contracts.storing import EVERYTHING
from tests.support.faulty import (
    Fault,
    FaultyWay,
    answering,
    faulty_way,
    first,
    halted,
    late,
    no_fault,
    once,
    reset,
    stalled,
    truncated,
    where,
)
from tests.support.registry import Registry, running_registry
from tests.support.s3 import Bucket

pytestmark = pytest.mark.slow

SIZE = 9 << 20
SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
BROKEN = "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
SKEWED = (
    "<Error><Code>RequestTimeTooSkewed</Code>"
    "<Message>The difference between the request time and the current time is too large.</Message></Error>"
)


async def away() -> Never:
    raise CredentialRetrievalError(provider="AKIA1", error_msg="it is away")


ENDED = AioRefreshableCredentials.create_from_metadata(
    {"access_key": "key", "secret_key": "secret", "token": "token", "expiry_time": "2026-01-01T00:00:00Z"},
    refresh_using=away,
    method="test",
)


@pytest.fixture
async def way(bucket: Bucket) -> AsyncIterator[FaultyWay]:
    async with faulty_way(bucket.endpoint) as lent:
        yield lent


@pytest.fixture
async def registry(
    bucket: Bucket, way: FaultyWay, database_url: str, tmp_path: Path
) -> AsyncIterator[Registry]:
    """A registry that soon gives up on its storage."""
    place = bucket.by(way.url).below(f"faults/{uuid4().hex}")
    patience = {"storage_patience": "0.1", "storage_read_timeout": "1", "storage_connect_timeout": "1"}
    settings = settings_for(database_url, tmp_path, **patience, **place.settings)
    async with running_registry(settings) as running:
        yield running


@pytest.fixture
async def repo(registry: Registry) -> Repository:
    return await open_repository(registry)


def is_end(request: web.Request) -> bool:
    return request.method == "POST" and "uploadId" in request.query


def is_read(request: web.Request) -> bool:
    return request.method == "GET" and "list-type" not in request.query


busy = answering(503, SLOW_DOWN)
FAULTS: dict[str, Fault] = {
    "busy": busy,
    "error": answering(500, BROKEN),
    # What S3 does when putting an object together takes long.
    "error after 200": where(is_end, answering(200, BROKEN)),
    "skewed clock": answering(403, SKEWED),
    "reset": reset,
    "stall": stalled,
    "10 s late": late(10),
    "cut answer": truncated,
    # What a proxy on the way makes up.
    "empty 200": answering(200, ""),
}
PASSING = {
    "busy": busy,
    "error": answering(500, BROKEN),
    "reset": reset,
    "stall": stalled,
    "10 s late": late(10),
}


@pytest.mark.parametrize("size", [SIZE, 300_000])
async def test_bytes_that_change_on_the_way_to_the_storage_are_refused_there(
    way: FaultyWay, repo: Repository, size: int
) -> None:
    data = unique(size)
    way.is_spoiled = lambda request: request.method == "PUT"
    session = await repo.start()
    refused = await repo.patch(session, data)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "2")
    way.is_spoiled = lambda _: False
    assert (await repo.patch(session, data)).status == 202
    assert (await repo.close(session, digest_of(data))).status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data


async def left_in(registry: Registry) -> int:
    """Remove what no session names, as the job does, and return what is left of uploads."""
    r = registry.resources
    for state in await sessions.list_unnamed(r.database, await r.storage.list_uploads(EVERYTHING)):
        await r.storage.discard(state)
    return len(await r.storage.list_uploads(EVERYTHING))


@pytest.mark.parametrize("name", PASSING)
async def test_a_fault_that_passes_is_not_seen_by_the_client(
    way: FaultyWay, registry: Registry, repo: Repository, name: str
) -> None:
    data = unique(SIZE)
    session = await repo.start()
    way.fault = first(1, PASSING[name])
    assert (await repo.patch(session, data[:-1])).status == 202
    way.fault = where(is_end, first(1, PASSING[name]))
    assert (await repo.close(session, digest_of(data), data[-1:])).status == 201
    way.fault = first(1, PASSING[name])
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
    assert await left_in(registry) == 0


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("is_patched", [False, True], ids=["in one", "in a chunk and the end"])
async def test_a_push_that_cannot_be_stored_is_refused_and_can_be_sent_again(
    way: FaultyWay, registry: Registry, repo: Repository, *, name: str, is_patched: bool
) -> None:
    if name == "error after 200" and not is_patched:
        name = "error"
    data = unique(SIZE)
    session, rest = await repo.start(), data
    if is_patched:
        session, rest = (await repo.patch(session, data)).location, b""
    way.fault = FAULTS[name]
    refused = await repo.close(session, digest_of(data), rest)
    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) > 0
    way.fault = no_fault
    assert (await repo.head(f"blobs/{digest_of(data)}")).status == 404
    assert (await repo.close(session, digest_of(data), rest)).status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
    assert await left_in(registry) == 0
    storage = registry.resources.storage
    assert [digest async for digest in storage.list_digests()] == [digest_of(data)]


@pytest.mark.parametrize("text", ["", "<html><body>Log in</body></html>"])
async def test_an_answer_that_is_not_the_storages_is_no_success(
    way: FaultyWay, repo: Repository, text: str
) -> None:
    """What a proxy on the way makes up."""
    small, data, session = unique(300), unique(SIZE), await repo.start()
    pulled = await repo.push_blob(unique(SIZE))
    way.fault = answering(200, text)
    answers = [
        await repo.send("POST", f"blobs/uploads/?digest={digest_of(small)}", small),
        await repo.patch(session, data[:-1]),
        await repo.patch(session, data[: SIZE // 2]),
        await repo.get(f"blobs/{pulled}"),
    ]
    assert [answer.status for answer in answers] == [503] * 4
    way.fault = no_fault
    assert (await repo.head(f"blobs/{digest_of(small)}")).status == 404
    assert (await repo.patch(session, data)).status == 202
    assert (await repo.close(session, digest_of(data))).status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data


@pytest.mark.parametrize(
    ("status", "code"), [(400, "ExpiredToken"), (403, "InvalidAccessKeyId"), (403, "AccessDenied")]
)
async def test_credentials_that_have_ended_are_said_to_be_the_matter_and_nothing_of_them(
    way: FaultyWay, repo: Repository, status: int, code: str
) -> None:
    pulled, session = await repo.push_blob(unique(SIZE)), await repo.start()
    way.fault = answering(status, f"<Error><Code>{code}</Code><Message>AKIA1 is no key</Message></Error>")
    for answer in (await repo.patch(session, unique(SIZE)), await repo.get(f"blobs/{pulled}")):
        assert_refused(answer)


async def test_credentials_that_cannot_be_renewed_are_said_to_be_the_matter(
    registry: Registry, repo: Repository
) -> None:
    pulled, storage = await repo.push_blob(unique(SIZE)), registry.resources.storage
    assert isinstance(storage, S3Driver)
    storage._bucket.s3.meta.events.register_first("before-sign.s3", Identity(ENDED).renew)
    assert_refused(await repo.get(f"blobs/{pulled}"))


def assert_refused(answer: Answer) -> None:
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    assert b"refuses this registry's credentials" in answer.body
    assert b"AKIA1" not in answer.body


async def test_a_chunk_that_cannot_be_stored_leaves_the_session_as_it_was(
    way: FaultyWay, registry: Registry, repo: Repository
) -> None:
    data = unique(SIZE)
    session = (await repo.patch(await repo.start(), data[:100_000])).location
    way.fault = stalled
    refused = await repo.patch(session, data[100_000:])
    assert (refused.status, "Retry-After" in refused.headers) == (503, True)
    way.fault = no_fault
    assert (await repo.get(session)).upload_end == 99_999
    assert (await repo.patch(session, data[100_000:])).status == 202
    assert (await repo.close(session, digest_of(data))).status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
    assert await left_in(registry) == 0


async def test_a_cancelled_upload_whose_bytes_could_not_be_removed_leaves_nothing_in_the_end(
    way: FaultyWay, registry: Registry, repo: Repository
) -> None:
    session = (await repo.patch(await repo.start(), unique(SIZE))).location
    way.fault = busy
    assert (await repo.delete(session)).status == 503
    way.fault = no_fault
    assert (await repo.get(session)).status == 404
    assert await left_in(registry) == 0


@pytest.mark.parametrize("fault", [truncated, halted])
async def test_a_read_that_breaks_off_goes_on_where_it_was(
    way: FaultyWay, repo: Repository, fault: Fault
) -> None:
    data = unique(SIZE)
    digest = await repo.push_blob(data)
    way.fault = where(is_read, first(3, fault))
    assert (await repo.get(f"blobs/{digest}")).body == data


async def test_a_read_that_cannot_go_on_is_cut_and_the_client_notices(
    way: FaultyWay, repo: Repository
) -> None:
    digest = await repo.push_blob(unique(SIZE))
    way.fault = where(is_read, once(truncated, busy))
    with pytest.raises(ClientPayloadError):
        await repo.get(f"blobs/{digest}")


@pytest.mark.parametrize("name", ["busy", "error", "skewed clock", "reset", "stall"])
async def test_a_pull_that_cannot_begin_is_asked_to_come_again(
    way: FaultyWay, repo: Repository, name: str
) -> None:
    digest = await repo.push_blob(unique(SIZE))
    way.fault = FAULTS[name]
    answer = await repo.get(f"blobs/{digest}")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_storage_that_says_nothing_holds_up_nothing_that_needs_none(
    way: FaultyWay, repo: Repository
) -> None:
    digest = await repo.push_blob(unique(SIZE))
    way.fault = stalled
    pulls = [asyncio.create_task(repo.get(f"blobs/{digest}")) for _ in range(20)]
    async with asyncio.timeout(1):
        assert (await repo.head(f"blobs/{digest}")).status == 200
    assert {(await pull).status for pull in pulls} == {503}
