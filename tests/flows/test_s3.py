"""A registry whose content lies on S3: nothing on a disk, any process goes on, and nothing stays behind."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.blobs.expire import expire_uploads
from app.oci.digest import Digest
from app.storage import UploadState
from app.storage.s3 import S3Driver
from tests.conformance.client import Repository, open_repository
from tests.conformance.content import digest_of, image, unique
from tests.conformance.files import all_files
from tests.conformance.serving import served_by_processes, settings_for
from tests.conformance.wire import connect, head
from tests.contracts.storing import poured
from tests.support.eventually import until
from tests.support.registry import Registry, running_registry
from tests.support.s3 import Bucket

pytestmark = pytest.mark.slow

MEGABYTE = 1 << 20
EVERYTHING = timedelta(seconds=-60)
LEASE = "2"


@pytest.fixture
def place(bucket: Bucket) -> Bucket:
    return bucket.below(f"flows/{uuid4().hex}")


@pytest.fixture
async def pair(database_url: str, place: Bucket, tmp_path: Path) -> AsyncIterator[list[Registry]]:
    """Two instances on one database and one bucket."""
    settings = settings_for(database_url, tmp_path, uploads_lease=LEASE, **place.settings)
    async with running_registry(settings) as one, running_registry(settings) as two:
        yield [one, two]


@pytest.fixture
async def repos(pair: list[Registry]) -> list[Repository]:
    """The same repository by each of them."""
    opened = await open_repository(pair[0])
    return [Repository(registry, opened.name, opened.authorization) for registry in pair]


def driver_of(registry: Registry) -> S3Driver:
    driver = registry.resources.storage
    assert isinstance(driver, S3Driver)
    return driver


class Calls(Counter[str]):
    """Counts what a registry asks its storage for."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        events = driver_of(registry)._bucket.s3.meta.events
        events.register("before-call.s3", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self[model.name] += 1


@pytest.mark.parametrize("size", [0, 1, 100_000, 8 * MEGABYTE, 20 * MEGABYTE + 1])
async def test_what_is_pushed_comes_back_whole_and_in_parts(
    repos: list[Repository], size: int, tmp_path: Path
) -> None:
    data = unique(size)[:size]
    digest = await repos[0].push_blob(data)
    assert (await repos[1].get(f"blobs/{digest}")).body == data
    if size:
        part = await repos[1].get(f"blobs/{digest}", Range=f"bytes={size // 2}-")
        assert (part.status, part.body) == (206, data[size // 2 :])
    assert all_files(tmp_path) == []


async def test_most_of_a_large_blob_is_never_read(repos: list[Repository], pair: list[Registry]) -> None:
    content = unique(8 * MEGABYTE)
    digest = await repos[0].push_blob(content)
    seen, taken = await poured(driver_of(pair[0]).pour(Digest(digest), 0, len(content)))
    assert seen == content
    assert taken > len(content) / 2


async def test_chunks_that_land_here_and_there_become_one_blob(
    repos: list[Repository], pair: list[Registry], tmp_path: Path
) -> None:
    data, offset = unique(23 * MEGABYTE), 0
    path = (await repos[0].start()).removeprefix(pair[0].url)
    for number, size in enumerate((1000, 70_000, 7 * MEGABYTE, 100, 9 * MEGABYTE, 1, 6 * MEGABYTE)):
        answer = await repos[number % 2].patch(path, data[offset : offset + size])
        assert (answer.status, answer.upload_end) == (202, offset + size - 1)
        offset += size
    closed = await repos[1].close(path, digest_of(data), data[offset:])
    assert closed.status == 201
    assert (await repos[0].get(f"blobs/{digest_of(data)}")).body == data
    assert await pair[0].resources.storage.list_uploads(EVERYTHING) == []
    assert all_files(tmp_path) == []


@pytest.mark.parametrize("size", [100_000, 20 * MEGABYTE])
async def test_sha512_is_read_again_where_the_session_hashed_otherwise(
    repos: list[Repository], pair: list[Registry], size: int
) -> None:
    data = unique(size)
    path = (await repos[0].patch(await repos[0].start(), data)).location
    refused = await repos[0].close(path, digest_of(b"other", "sha512"))
    assert (refused.status, refused.code) == (400, "DIGEST_INVALID")
    assert (await repos[0].close(path, digest_of(data, "sha512"))).status == 201
    assert (await repos[1].get(f"blobs/{digest_of(data, 'sha512')}")).body == data
    assert await pair[0].resources.storage.list_uploads(EVERYTHING) == []


async def test_a_process_that_is_killed_in_a_chunk_is_followed_by_another(
    database_url: str, place: Bucket, pair: list[Registry], tmp_path: Path
) -> None:
    data, storage = unique(30 * MEGABYTE), pair[0].resources.storage
    async with served_by_processes(database_url, tmp_path, uploads_lease=LEASE, **place.settings) as served:
        repo = served.repo
        with served.process() as process:
            session = await repo.start()
            assert (await repo.patch(session, data[: 10 * MEGABYTE])).status == 202
            async with connect(session) as wire:
                fields = {**repo.authorization, "Content-Length": 20 * MEGABYTE}
                await wire.send(head("PATCH", session, fields) + data[10 * MEGABYTE : 28 * MEGABYTE])
                process.kill()
                process.wait()
        with served.process():
            assert (await repo.get(session)).upload_end == 10 * MEGABYTE - 1
            taken = await until(lambda: repo.patch(session, b""), lambda answer: answer.status != 409)
            assert (taken.status, taken.upload_end) == (202, 10 * MEGABYTE - 1)
            assert (await repo.patch(session, data[10 * MEGABYTE :])).status == 202
            assert (await repo.close(session, digest_of(data))).status == 201
            assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
    # What only the killed process knew of is found by the job.
    for found in await storage.list_uploads(EVERYTHING):
        await storage.discard(found)
    assert (await repo_of(pair[0], repo).get(f"blobs/{digest_of(data)}")).body == data


def repo_of(registry: Registry, repo: Repository) -> Repository:
    return Repository(registry, repo.name, repo.authorization)


@pytest.mark.parametrize("size", [100_000, 20 * MEGABYTE])
async def test_a_cancelled_and_a_refused_upload_leave_nothing(
    repos: list[Repository], pair: list[Registry], size: int
) -> None:
    repo, storage, data = repos[0], pair[0].resources.storage, unique(size)
    path = (await repo.patch(await repo.start(), data)).location
    assert await storage.list_uploads(EVERYTHING) != []
    assert (await repo.delete(path)).status == 204
    refused = await repo.send("POST", f"blobs/uploads/?digest={digest_of(b'other')}", data)
    assert (refused.status, refused.code) == (400, "DIGEST_INVALID")
    assert await storage.list_uploads(EVERYTHING) == []
    assert [digest async for digest in storage.list_digests()] == []


@pytest.mark.parametrize("size", [100_000, 20 * MEGABYTE])
async def test_what_nobody_finishes_is_removed_by_the_job(
    database_url: str, place: Bucket, tmp_path: Path, size: int
) -> None:
    settings = settings_for(database_url, tmp_path, uploads_expiry="1", **place.settings)
    async with running_registry(settings) as registry:
        repo, storage = await open_repository(registry), registry.resources.storage
        session = await repo.start()
        assert (await repo.patch(session, unique(size))).status == 202
        # And what no session names: a process was killed before it could note it.
        _, writer = await storage.append(storage.new_upload(), 0, is_contested=False)
        await writer.write(bytes(size))
        await writer.finish()
        writer.close()
        await until(lambda: repo.get(session), lambda answer: answer.status == 404)

        async def left() -> list[UploadState]:
            await expire_uploads(registry.resources)
            return await storage.list_uploads(EVERYTHING)

        await until(left, lambda states: states == [])


async def test_a_blob_whose_digest_is_known_is_not_copied(
    repos: list[Repository], pair: list[Registry]
) -> None:
    calls, (large, small) = Calls(pair[0]), (unique(20 * MEGABYTE), unique(MEGABYTE))
    await repos[0].push_blob(large)
    assert calls == {"CreateMultipartUpload": 1, "UploadPart": 3, "CompleteMultipartUpload": 1}
    calls.clear()
    await repos[0].push_blob(small)
    assert calls == {"PutObject": 1}


async def test_head_manifests_and_tags_ask_nothing_of_the_storage(
    repos: list[Repository], pair: list[Registry]
) -> None:
    repo, content = repos[0], image()
    digest = await repo.push(content, "one")
    calls = Calls(pair[0])
    asked = ["manifests/one", f"manifests/{digest}", "tags/list", f"referrers/{digest}"]
    answers = await asyncio.gather(*map(repo.get, asked), *map(repo.head, asked[:2]))
    answers.append(await repo.head(f"blobs/{digest_of(content.blobs[0])}"))
    answers.append(await repo.put_tag(content, "two"))
    answers.append(await repo.delete("manifests/two"))
    assert {answer.status for answer in answers} == {200, 201, 202}
    assert calls == {}


async def zeros_and(mark: bytes, megabytes: int) -> AsyncIterator[bytes]:
    yield mark
    for _ in range(megabytes):
        yield bytes(MEGABYTE)


def figure(pid: int, file: str, name: str) -> int:
    """A figure of /proc/<pid>/<file>: memory in KiB, or bytes written to a disk."""
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


async def test_memory_stays_flat_and_no_disk_is_written_to(
    database_url: str, place: Bucket, tmp_path: Path
) -> None:
    """A blob much larger than what the process may grow by, up and down again."""

    async def round_trip(repo: Repository, mark: bytes, megabytes: int) -> None:
        patched = await repo.patch(await repo.start(), zeros_and(mark, megabytes))
        digest = digest_of(mark + bytes(megabytes * MEGABYTE))
        assert (await repo.close(patched.location, digest)).status == 201
        url = repo.url(f"blobs/{digest}")
        async with repo.registry.session.get(url, headers=repo.authorization) as answer:
            received = [len(piece) async for piece in answer.content.iter_chunked(MEGABYTE)]
        assert sum(received) == len(mark) + megabytes * MEGABYTE

    async with served_by_processes(database_url, tmp_path, **place.settings) as served:
        with served.process() as process:
            await round_trip(served.repo, b"warm", 20)
            memory, written = (
                figure(process.pid, "status", "VmRSS"),
                figure(process.pid, "io", "write_bytes"),
            )
            await round_trip(served.repo, unique(16), 256)
            grown = figure(process.pid, "status", "VmHWM") - memory
            assert figure(process.pid, "io", "write_bytes") - written < MEGABYTE
    assert grown << 10 < 8 * 8 * MEGABYTE
