"""Uploads that nobody finishes: they end, and their bytes go (spec, "Cancel a blob upload")."""

import os
from collections.abc import AsyncIterator

import pytest

from app.blobs.expire import expire_uploads
from app.storage import StorageError
from tests.conformance.client import Repository, open_repository, with_query
from tests.conformance.content import digest_of, unique
from tests.conformance.files import upload_files
from tests.conformance.serving import settings_for
from tests.conformance.wire import connect, head
from tests.support.eventually import pass_time, until
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases

pytestmark = pytest.mark.slow

SIZE = 200_000


@pytest.fixture(scope="module")
async def forgetful(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    """A registry that keeps an upload for a second only."""
    with databases.fresh(migrated=True) as url:
        settings = settings_for(
            url, tmp_path_factory.mktemp("forgetful"), uploads_expiry="1", uploads_lease="2"
        )
        async with running_registry(settings) as registry:
            yield registry


@pytest.fixture
async def repo(forgetful: Registry) -> Repository:
    return await open_repository(forgetful)


@pytest.mark.parametrize("size", [0, 1000, SIZE])
async def test_upload_ends_and_its_bytes_go(forgetful: Registry, repo: Repository, size: int) -> None:
    data, root = unique(size), forgetful.resources.settings.storage_root
    session = await repo.start()
    if size:
        assert (await repo.patch(session, data)).status == 202
    await until(lambda: repo.get(session), lambda answer: answer.status == 404)
    for answer in (await repo.patch(session, data), await repo.close(session, digest_of(data))):
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    await until(lambda: expire_uploads(forgetful.resources), lambda removed: not removed)
    assert upload_files(root) == []


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_upload_that_goes_on_does_not_end(forgetful: Registry, repo: Repository, method: str) -> None:
    """The time runs from the last chunk, and not while one is coming in."""
    data, session = unique(SIZE), await repo.start()
    url = session if method == "PATCH" else with_query(session, digest=digest_of(data))
    async with connect(session) as wire:
        await wire.send(head(method, url, {**repo.authorization, "Content-Length": SIZE}))
        for start in range(0, SIZE, SIZE // 10):
            await wire.send(data[start : start + SIZE // 10])
            await pass_time(0.15)
            await expire_uploads(forgetful.resources)
        assert (await wire.answer()).status == (202 if method == "PATCH" else 201)
    if method == "PATCH":
        assert (await repo.close(session, digest_of(data))).status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data


async def test_what_cannot_be_removed_holds_up_nothing_else(forgetful: Registry) -> None:
    uploads = forgetful.resources.settings.storage_root / "uploads"
    stuck, left = uploads / ("0" * 32), [uploads / (digit * 32) for digit in "123456789abcdef"]
    stuck.mkdir()
    for path in left:
        path.touch()
    for path in (stuck, *left):
        os.utime(path, (0, 0))
    with pytest.raises(StorageError, match="1 uploads could not be removed: Is a directory"):
        await expire_uploads(forgetful.resources)
    assert [path.name for path in left if path.exists()] == []
    stuck.rmdir()
