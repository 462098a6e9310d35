"""An upload goes on after a restart, on another process, and after a process was killed under it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from app.settings import Settings
from tests.conformance.client import Answer, Repository, open_repository
from tests.conformance.content import damaged, digest_of, unique
from tests.conformance.files import upload_files
from tests.conformance.serving import Served, served_by_processes, settings_for
from tests.conformance.wire import connect, head
from tests.support.eventually import until
from tests.support.registry import running_registry
from tests.support.servers import Databases

pytestmark = pytest.mark.slow

INLINE = 64 << 10  # up to here the bytes of a session stay in the database
MEGABYTE = 1 << 20
LEASE = 1.0

CHUNKS: dict[str, Sequence[int]] = {
    "small": [1000] * 5,
    "large": [200_000] * 4,
    "mixed": [1000, 200_000, 1, INLINE, INLINE + 1, 10, 600_000, INLINE - 1, 5],
    "small-until-too-large-for-the-database": [30_000] * 5,
}
every_mix = pytest.mark.parametrize("sizes", CHUNKS.values(), ids=CHUNKS)
every_algorithm = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])


@pytest.fixture(scope="module")
def database(databases: Databases) -> Iterator[str]:
    with databases.fresh(migrated=True) as url:
        yield url


@pytest.fixture(scope="module")
def settings(database: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(database, tmp_path_factory.mktemp("resume"), uploads_lease=str(LEASE))


@pytest.fixture(scope="module")
async def pair(settings: Settings) -> AsyncIterator[tuple[Repository, Repository]]:
    """The same repository, seen through two instances on the same database and storage."""
    async with running_registry(settings) as one, running_registry(settings) as two:
        first = await open_repository(one)
        yield first, Repository(two, first.name, first.authorization)


def pieces(data: bytes, sizes: Sequence[int]) -> Iterator[tuple[str, bytes]]:
    """Chunks of these sizes, each with its Content-Range."""
    start = 0
    for size in sizes:
        yield f"{start}-{start + size - 1}", data[start : start + size]
        start += size


def path_of(answer: Answer) -> str:
    """The session's URL without the address of the instance that answered."""
    assert answer.status == 202, answer
    return answer.headers["Location"]


@every_mix
@every_algorithm
@pytest.mark.parametrize("last_in_put", [False, True], ids=["empty-put", "last-in-put"])
async def test_two_instances_take_chunks_in_turn(
    pair: tuple[Repository, Repository], sizes: Sequence[int], algorithm: str, last_in_put: bool
) -> None:
    data = unique(sum(sizes))
    digest = digest_of(data, algorithm)
    answer = await pair[0].send("POST", "blobs/uploads/")
    chunks = list(pieces(data, sizes))
    span, rest = chunks.pop() if last_in_put else ("", b"")
    for turn, (content_range, chunk) in enumerate(chunks):
        answer = await pair[turn % 2].patch(path_of(answer), chunk, content_range)
        assert answer.status == 202, answer
        status = await pair[(turn + 1) % 2].get(path_of(answer))
        assert (status.status, status.upload_end) == (204, int(content_range.partition("-")[2]))
    closed = await pair[len(chunks) % 2].close(path_of(answer), digest, rest or None, span)
    assert closed.status == 201, closed
    for repo in pair:
        assert (await repo.get(f"blobs/{digest}")).body == data


@every_mix
@every_algorithm
async def test_every_chunk_after_a_restart(settings: Settings, sizes: Sequence[int], algorithm: str) -> None:
    data = unique(sum(sizes))
    digest = digest_of(data, algorithm)
    async with running_registry(settings) as registry:
        opened = await open_repository(registry)
        answer = await opened.send("POST", "blobs/uploads/")
    for content_range, chunk in pieces(data, sizes):
        async with running_registry(settings) as registry:
            repo = Repository(registry, opened.name, opened.authorization)
            answer = await repo.patch(path_of(answer), chunk, content_range)
            assert answer.status == 202, answer
    async with running_registry(settings) as registry:
        repo = Repository(registry, opened.name, opened.authorization)
        assert (await repo.close(path_of(answer), digest)).status == 201
        assert (await repo.get(f"blobs/{digest}")).body == data


async def test_wrong_digest_is_found_whoever_hashed_the_bytes(pair: tuple[Repository, Repository]) -> None:
    data = unique(400_000)
    first, second = pair
    answer = await first.send("POST", "blobs/uploads/")
    answer = await first.patch(path_of(answer), data[:200_000])
    answer = await second.patch(path_of(answer), damaged(data[200_000:]))
    refused = await first.close(path_of(answer), digest_of(data))
    assert (refused.status, refused.code) == (400, "DIGEST_INVALID")
    assert (await second.head(f"blobs/{digest_of(data)}")).status == 404


@pytest.mark.slow
async def test_writer_that_was_overtaken_harms_nothing(
    pair: tuple[Repository, Repository], settings: Settings
) -> None:
    """One instance hears nothing for longer than its lease; the upload is finished through the other."""
    data = unique(700_000)
    digest, before = digest_of(data), upload_files(settings.storage_root)
    first, second = pair
    session = await first.start()
    async with connect(session) as silent:
        fields = {**first.authorization, "Content-Length": 600_000}
        await silent.send(head("PATCH", session, fields) + b"?" * 500_000)
        await until(
            lambda: asyncio.to_thread(upload_files, settings.storage_root), lambda files: files != before
        )
        path = session.removeprefix(first.registry.url)
        taken = await until(lambda: second.patch(path, data), lambda answer: answer.status != 409)
        assert (taken.status, taken.upload_end) == (202, len(data) - 1)
        await silent.send(b"?" * 100_000)
        late = await silent.answer()
        assert (late.status, late.code) == (409, "BLOB_UPLOAD_INVALID")
    assert (await second.close(path, digest)).status == 201
    assert (await first.get(f"blobs/{digest}")).body == data


@pytest.fixture
async def served(database: str, settings: Settings) -> AsyncIterator[Served]:
    async with served_by_processes(database, settings.data_path, uploads_lease=str(LEASE)) as served:
        yield served


@pytest.mark.slow
@pytest.mark.parametrize("acknowledged", [0, 1000, 2 * MEGABYTE], ids=["nothing", "small", "large"])
async def test_process_killed_in_the_middle_of_a_chunk(served: Served, acknowledged: int) -> None:
    """What was acknowledged is there, and the upload goes on from wherever the session says."""
    data, repo = unique(8 * MEGABYTE), served.repo
    digest = digest_of(data)
    with served.process() as process:
        session = await repo.start()
        if acknowledged:
            assert (await repo.patch(session, data[:acknowledged])).status == 202
        async with connect(session) as wire:
            fields = {**repo.authorization, "Content-Length": len(data) - acknowledged}
            await wire.send(head("PATCH", session, fields) + data[acknowledged : 6 * MEGABYTE])
            await until(
                lambda: asyncio.to_thread(largest_upload, served.storage_root),
                lambda size: size >= acknowledged + MEGABYTE,
            )
            process.kill()
            process.wait()
    with served.process():
        start = (await repo.get(session)).upload_end
        start = start + 1 if start else 0
        assert start >= acknowledged
        span = f"{start}-{len(data) - 1}"
        resumed = await until(
            lambda: repo.patch(session, data[start:], span), lambda answer: answer.status != 409
        )
        assert resumed.status == 202
        assert (await repo.close(session, digest)).status == 201
        assert digest_of((await repo.get(f"blobs/{digest}")).body) == digest


def largest_upload(root: Path) -> int:
    return max((path.stat().st_size for path in upload_files(root)), default=0)


def memory(pid: int, field: str) -> int:
    """A figure of /proc/<pid>/status in bytes: VmRSS, or VmHWM, its peak."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(field)


async def zeros_and(mark: bytes, megabytes: int) -> AsyncIterator[bytes]:
    """A body that is never in memory as a whole; the mark makes it another blob."""
    yield mark
    for _ in range(megabytes):
        yield bytes(MEGABYTE)


@pytest.mark.slow
async def test_memory_stays_flat_whatever_the_size(served: Served) -> None:
    """Eight clients push and pull blobs that together are much larger than what a process may grow by."""
    repo, marks = served.repo, [unique(16) for _ in range(8)]

    async def round_trip(mark: bytes, megabytes: int) -> None:
        patched = await repo.patch(await repo.start(), zeros_and(mark, megabytes))
        digest = digest_of(mark + bytes(megabytes * MEGABYTE))
        assert (await repo.close(patched.location, digest)).status == 201
        async with repo.registry.session.get(
            repo.url(f"blobs/{digest}"), headers=repo.authorization
        ) as answer:
            received = 0
            async for piece in answer.content.iter_chunked(MEGABYTE):
                received += len(piece)
        assert received == len(mark) + megabytes * MEGABYTE

    with served.process() as process:
        await round_trip(b"warm", 4)
        before = memory(process.pid, "VmRSS")
        await asyncio.gather(*(round_trip(mark, 96) for mark in marks))
        grown = memory(process.pid, "VmHWM") - before
    assert grown < 30 * MEGABYTE
