"""What is in the storage and is no blob goes, and a push of the same bytes at any moment loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from app.blobs.orphans import SHARDS, notice_orphans, remove_orphans, shard_at, spare
from app.db import SQL
from app.oci.digest import Digest
from app.storage import StorageBusy, StorageError
from tests.conformance.client import Answer, Repository, open_repository
from tests.conformance.content import unique
from tests.conformance.serving import settings_for
from tests.support.faulty import Ask, answering, faulty_way, where
from tests.support.registry import Registry, running_registry
from tests.support.s3 import Bucket

pytestmark = pytest.mark.slow

SMALL, LARGE = 300, 20 << 20
NOTE = SQL("INSERT INTO orphaned_blobs (digest) VALUES (%(digest)s)")
NOT_REMOVED = (
    "<DeleteResult><Error><Key>blobs</Key><Code>InternalError</Code>"
    "<Message>try again</Message></Error></DeleteResult>"
)
BEGUN = SQL("UPDATE orphaned_blobs SET removed_at = now() - %(before)s WHERE digest = %(digest)s")
AT_ONCE, LONG = timedelta(0), timedelta(days=1)


@pytest.fixture
def place(bucket: Bucket) -> Bucket:
    return bucket.below(f"orphans/{uuid4().hex}")


@pytest.fixture(params=["filesystem", "s3"])
async def registry(
    request: pytest.FixtureRequest, place: Bucket, database_url: str, tmp_path: Path
) -> AsyncIterator[Registry]:
    chosen = place.settings if request.param == "s3" else {}
    async with running_registry(settings_for(database_url, tmp_path, **chosen)) as running:
        yield running


@pytest.fixture
async def repo(registry: Registry) -> Repository:
    return await open_repository(registry)


async def notice(registry: Registry, digest: Digest) -> int:
    return await notice_orphans(registry.resources, int(digest.encoded[:2], 16))


async def left_behind(registry: Registry, data: bytes) -> Digest:
    """As a crash between storage and database leaves it."""
    digest = Digest.of(data)
    await registry.resources.storage.put(digest, data)
    return digest


async def begun(registry: Registry, digest: Digest, *, before: timedelta) -> None:
    """As a process leaves it that died while it waited for the storage."""
    async with registry.resources.database.autocommit() as statements:
        assert await statements.run(BEGUN, digest=digest, before=before) == 1


async def push(repo: Repository, data: bytes) -> Answer:
    session = (await repo.patch(await repo.start(), data)).location
    return await repo.close(session, Digest.of(data))


async def test_what_no_blob_names_is_removed_once_it_was_known_for_long(
    registry: Registry, repo: Repository
) -> None:
    r, pushed = registry.resources, unique(SMALL)
    kept = Digest(await repo.push_blob(pushed))
    orphan = await left_behind(registry, unique(SMALL))
    assert [await notice(registry, digest) for digest in (kept, orphan, orphan)] == [0, 1, 0]
    assert await remove_orphans(r, LONG) == 0
    assert await r.storage.stat(orphan) == SMALL
    assert await remove_orphans(r, AT_ONCE) == 1
    assert await r.storage.stat(orphan) is None
    assert await remove_orphans(r, AT_ONCE) == 0
    assert (await repo.get(f"blobs/{kept}")).body == pushed


async def test_a_push_between_takes_the_note_away(registry: Registry, repo: Repository) -> None:
    r, data = registry.resources, unique(SMALL)
    orphan = await left_behind(registry, data)
    assert await notice(registry, orphan) == 1
    await spare(r, orphan)  # what a push does first; it has no row yet
    assert await remove_orphans(r, AT_ONCE) == 0
    assert (await push(repo, data)).status == 201
    assert await notice(registry, orphan) == 0
    assert (await repo.get(f"blobs/{orphan}")).body == data
    assert (await repo.delete(f"blobs/{orphan}")).status == 202


async def test_what_became_a_blob_after_it_was_noted_is_kept(registry: Registry, repo: Repository) -> None:
    """A push that stored its bytes before, and has its row after."""
    r, data = registry.resources, unique(SMALL)
    digest = await repo.push_blob(data)
    async with r.database.autocommit() as statements:
        await statements.run(NOTE, digest=digest)
    assert await remove_orphans(r, AT_ONCE) == 0
    assert (await repo.get(f"blobs/{digest}")).body == data


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_push_while_it_is_removed_waits_for_the_end_of_it_and_stays(
    place: Bucket, database_url: str, tmp_path: Path, size: int
) -> None:
    data, reached, go_on = unique(size), asyncio.Event(), asyncio.Event()

    async def held(_: web.Request, ask: Ask) -> web.StreamResponse:
        reached.set()
        await go_on.wait()
        return await ask()

    async with faulty_way(place.endpoint) as way:
        way.fault = where(lambda request: "delete" in request.query, held)
        slow = settings_for(database_url, tmp_path, **replace(place, endpoint=way.url).settings)
        fast = settings_for(database_url, tmp_path, **place.settings)
        async with running_registry(slow) as worker, running_registry(fast) as registry:
            repo = await open_repository(registry)
            orphan = await left_behind(registry, data)
            assert await notice(worker, orphan) == 1
            removing = asyncio.create_task(remove_orphans(worker.resources, AT_ONCE))
            await reached.wait()
            with pytest.raises(StorageBusy):
                await spare(registry.resources, orphan, patience=AT_ONCE)
            pushing = asyncio.create_task(push(repo, data))
            await asyncio.wait([pushing], timeout=0.5)
            assert not pushing.done()
            go_on.set()
            assert await removing == 1
            assert (await pushing).status == 201
            assert (await repo.get(f"blobs/{orphan}")).body == data


async def test_what_the_storage_refuses_to_remove_can_be_pushed_at_once(
    place: Bucket, database_url: str, tmp_path: Path
) -> None:
    data = unique(SMALL)
    async with faulty_way(place.endpoint) as way:
        settings = settings_for(database_url, tmp_path, **replace(place, endpoint=way.url).settings)
        async with running_registry(settings) as registry:
            orphan = await left_behind(registry, data)
            assert await notice(registry, orphan) == 1
            # It says 200 all the same.
            way.fault = where(lambda request: "delete" in request.query, answering(200, NOT_REMOVED))
            with pytest.raises(StorageError, match="1 objects could not be removed: try again"):
                await remove_orphans(registry.resources, AT_ONCE)
            assert await registry.resources.storage.stat(orphan) == SMALL
            # The next ones have their turn first.
            assert await remove_orphans(registry.resources, LONG) == 0
            repo = await open_repository(registry)
            await spare(registry.resources, orphan, patience=AT_ONCE)
            assert (await push(repo, data)).status == 201
            assert (await repo.get(f"blobs/{orphan}")).body == data


async def test_a_removal_without_an_answer_holds_a_push_up_until_it_is_dead(
    registry: Registry, repo: Repository
) -> None:
    r, data = registry.resources, unique(SMALL)
    orphan = await left_behind(registry, data)
    assert await notice(registry, orphan) == 1
    await begun(registry, orphan, before=timedelta(minutes=4))
    with pytest.raises(StorageBusy):
        await spare(r, orphan, patience=AT_ONCE)
    assert await remove_orphans(r, AT_ONCE) == 0
    await begun(registry, orphan, before=timedelta(minutes=6))
    assert (await push(repo, data)).status == 201
    assert (await repo.get(f"blobs/{orphan}")).body == data


async def test_a_removal_that_died_is_done_again(registry: Registry) -> None:
    orphan = await left_behind(registry, unique(SMALL))
    assert await notice(registry, orphan) == 1
    await begun(registry, orphan, before=timedelta(minutes=6))
    assert await remove_orphans(registry.resources, AT_ONCE) == 1
    assert await registry.resources.storage.stat(orphan) is None


def test_every_part_of_the_storage_has_its_turn() -> None:
    every, begun = timedelta(minutes=5), datetime.now(UTC)
    assert {shard_at(begun + number * every, every) for number in range(SHARDS)} == set(range(256))
