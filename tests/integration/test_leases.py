"""Who takes an upload over, whoever comes in between, and from wherever the one before was killed."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.blobs import session_store as sessions
from app.blobs.model import UploadSession
from app.blobs.receive import open_receiver
from app.db import SQL
from app.oci.digest import Digest
from app.oci.errors import BlobUploadBusy
from app.settings import Settings
from tests.conformance.client import Repository, open_repository
from tests.conformance.content import unique
from tests.conformance.serving import settings_for
from tests.contracts.storing import EVERYTHING
from tests.support.places import BUCKETS, place_of
from tests.support.registry import Registry, running_registry

SIZE = 200_000
DIED = SQL("""
    UPDATE upload_sessions SET lease_token = gen_random_uuid(), leased_until = now() - interval '1 second'
    WHERE id = %(upload_id)s
""")


@pytest.fixture(params=["filesystem", *(pytest.param(driver, marks=pytest.mark.slow) for driver in BUCKETS)])
def somewhere(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Settings:
    if request.param == "filesystem":
        return settings_for(database_url, tmp_path)
    place = place_of(request, request.param).below(f"leases/{uuid4().hex}")
    return settings_for(database_url, tmp_path, **place.settings)


@pytest.fixture
async def registry(somewhere: Settings) -> AsyncIterator[Registry]:
    async with running_registry(somewhere) as running:
        yield running


@pytest.fixture
async def repo(registry: Registry) -> Repository:
    return await open_repository(registry)


async def taken_over(registry: Registry, repo: Repository, location: str) -> UploadSession:
    """Become the one writer after another, who never said that he ended."""
    r, upload_id = registry.resources, UUID(location.rpartition("/")[2])
    async with r.database.autocommit() as statements:
        assert await statements.run(DIED, upload_id=upload_id) == 1
    session = await sessions.lease_session(r.database, repo.name, upload_id, lease=timedelta(seconds=15))
    assert session is not None
    return session


async def test_who_took_an_upload_over_too_late_leaves_it_to_the_next(
    registry: Registry, repo: Repository
) -> None:
    """Copying what is there can take longer than a lease."""
    r, data = registry.resources, unique(SIZE)
    location = (await repo.patch(await repo.start(), data)).location
    late, next_one = [await taken_over(registry, repo, location) for _ in range(2)]
    with pytest.raises(BlobUploadBusy):
        await open_receiver(r, late)
    receiver = await open_receiver(r, next_one)
    receiver.close()
    # What the one who came late had copied is not left behind.
    assert [
        found.items() <= receiver.state.items() for found in await r.storage.list_uploads(EVERYTHING)
    ] == [True]
    await sessions.release_session(r.database, next_one)
    assert (await repo.close(location, Digest.of(data))).status == 201


async def test_who_never_ended_harms_nothing_after_one_who_gave_up(
    registry: Registry, repo: Repository
) -> None:
    """As a process that was stopped, while another one found no room for a copy."""
    r, data = registry.resources, unique(2 * SIZE)
    location = (await repo.patch(await repo.start(), data[:SIZE])).location
    session = await taken_over(registry, repo, location)
    _, stopped = await r.storage.append(session.storage_state, SIZE, is_contested=False)
    await sessions.release_session(r.database, await taken_over(registry, repo, location))
    assert (await repo.patch(location, data[SIZE:])).status == 202
    with suppress(FileNotFoundError):
        await stopped.write(bytes(SIZE))
        await stopped.finish()
    stopped.close()
    assert (await repo.close(location, Digest.of(data))).status == 201
    assert (await repo.get(f"blobs/{Digest.of(data)}")).body == data


async def test_a_close_that_was_cut_short_between_storage_and_database_is_done_by_the_next(
    registry: Registry, repo: Repository
) -> None:
    r, data = registry.resources, unique(SIZE)
    location = (await repo.patch(await repo.start(), data)).location
    session = await taken_over(registry, repo, location)
    await r.storage.commit(session.storage_state, Digest.of(data), SIZE)
    await sessions.release_session(r.database, session)
    assert (await repo.close(location, Digest.of(data))).status == 201
    assert (await repo.get(f"blobs/{Digest.of(data)}")).body == data
