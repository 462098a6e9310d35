"""A storage that fails: a push ends stored and verified, or refused with Retry-After."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from tests.conformance.client import Repository, open_repository
from tests.conformance.content import digest_of, unique
from tests.conformance.serving import settings_for
from tests.support.faulty import Fault, FaultyWay, answering, faulty_way, first, no_fault, where
from tests.support.registry import Registry, running_registry
from tests.support.seaweed import Bucket

pytestmark = pytest.mark.slow

SIZE = 20 << 20
EVERYTHING = timedelta(seconds=-60)
SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
BROKEN = "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"


@pytest.fixture
async def way(bucket: Bucket) -> AsyncIterator[FaultyWay]:
    async with faulty_way(bucket.endpoint) as lent:
        yield lent


@pytest.fixture
async def registry(
    bucket: Bucket, way: FaultyWay, database_url: str, tmp_path: Path
) -> AsyncIterator[Registry]:
    place = replace(bucket, endpoint=way.url, prefix=f"faults/{uuid4().hex}")
    settings = settings_for(database_url, tmp_path, storage_attempts="3", **place.settings)
    async with running_registry(settings) as running:
        yield running


@pytest.fixture
async def repo(registry: Registry) -> Repository:
    return await open_repository(registry)


def is_end(request: web.Request) -> bool:
    return request.method == "POST" and "uploadId" in request.query


busy = answering(503, SLOW_DOWN)
broken_at_the_end = where(is_end, answering(200, BROKEN))
"""200, and then an error after all: what S3 does when putting an object together takes long."""


async def test_a_storage_that_is_busy_for_a_moment_is_asked_again(way: FaultyWay, repo: Repository) -> None:
    data = unique(SIZE)
    way.fault = first(2, busy)
    assert (await repo.get(f"blobs/{await repo.push_blob(data)}")).body == data


@pytest.mark.parametrize(("fault", "is_patched"), [(busy, False), (broken_at_the_end, True)])
async def test_a_push_that_cannot_be_stored_is_refused_and_can_be_sent_again(
    way: FaultyWay, registry: Registry, repo: Repository, *, fault: Fault, is_patched: bool
) -> None:
    data = unique(SIZE)
    session, rest = await repo.start(), data
    if is_patched:
        session, rest = (await repo.patch(session, data)).location, b""
    way.fault = fault
    refused = await repo.close(session, digest_of(data), rest)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
    assert (await repo.head(f"blobs/{digest_of(data)}")).status == 404
    way.fault = no_fault
    assert (await repo.close(session, digest_of(data), rest)).status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
    storage = registry.resources.storage
    for left in await storage.list_uploads(EVERYTHING):
        await storage.discard(left)
    assert await storage.stat(await anext(storage.list_digests())) == SIZE


async def test_a_pull_from_a_busy_storage_is_asked_to_come_again(way: FaultyWay, repo: Repository) -> None:
    digest = await repo.push_blob(unique(SIZE))
    way.fault = busy
    answer = await repo.get(f"blobs/{digest}")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
