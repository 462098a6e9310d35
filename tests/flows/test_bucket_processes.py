"""Three processes on one database and one bucket: any goes on with any upload, also of one that is killed."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from subprocess import Popen
from uuid import uuid4

import pytest

from app.blobs.expire import expire_uploads
from app.storage import UploadState
from tests.conformance.client import Answer, Repository
from tests.conformance.content import digest_of, unique
from tests.conformance.files import all_files
from tests.conformance.serving import Served, served_by_processes, settings_for
from tests.conformance.wire import connect, head
from tests.contracts.storing import EVERYTHING
from tests.support.eventually import until
from tests.support.places import BUCKETS, Place, place_of
from tests.support.registry import running_registry

pytestmark = pytest.mark.slow

SIZE = 45 << 20
CHUNKS = (300, 70_000, 3 << 20, 9 << 20, 40_000)
CUT = 5 << 20


@dataclass(frozen=True)
class Process:
    """One of the processes, and the repository as it has it."""

    popen: Popen[bytes]
    repo: Repository


@pytest.fixture(params=BUCKETS)
def place(request: pytest.FixtureRequest) -> Place:
    return place_of(request, request.param).below(f"processes/{uuid4().hex}")


@pytest.fixture
async def served(database_url: str, place: Place, tmp_path: Path) -> AsyncIterator[Served]:
    async with served_by_processes(database_url, tmp_path, uploads_lease="2", **place.settings) as lent:
        yield lent


@pytest.fixture
def processes(served: Served) -> Iterator[list[Process]]:
    with ExitStack() as stack:
        sides = [stack.enter_context(served.beside()) for _ in range(3)]
        yield [Process(stack.enter_context(side.process()), side.repo) for side in sides]


async def start(repo: Repository) -> str:
    """Begin an upload, and return its path, which is the same at every process."""
    location = await repo.start()
    return location.removeprefix(repo.registry.url)


async def die_in_a_chunk(process: Process, path: str, chunk: bytes) -> None:
    """Send some of a chunk to a process and kill it."""
    url = process.repo.url(path)
    async with connect(url) as wire:
        fields = {**process.repo.authorization, "Content-Length": len(chunk)}
        await wire.send(head("PATCH", url, fields) + chunk[:CUT])
        process.popen.kill()
        process.popen.wait()


async def end_of(repo: Repository, path: str) -> int:
    """Ask where the upload stands, once nobody holds it any more."""

    def is_free(answer: Answer) -> bool:
        return answer.status != 409

    taken = await until(lambda: repo.patch(path, b""), is_free)
    assert taken.status == 202
    return taken.upload_end + 1


async def test_chunks_land_on_another_one_each_time_and_one_is_killed(
    processes: list[Process], database_url: str, place: Place, tmp_path: Path
) -> None:
    data, sizes, offset = unique(SIZE), cycle(CHUNKS), 0
    alive = list(processes)
    path = await start(alive[0].repo)
    for turn in range(1, 1000):
        repo = alive[turn % len(alive)].repo
        if len(alive) == len(processes) and offset > SIZE // 2:
            await die_in_a_chunk(alive.pop(turn % len(alive)), path, data[offset:])
            assert await end_of(alive[0].repo, path) == offset
            continue
        chunk = data[offset : offset + next(sizes)]
        answer = await repo.patch(path, chunk)
        assert (answer.status, answer.upload_end + 1) == (202, offset + len(chunk))
        offset += len(chunk)
        if offset == SIZE:
            break
    digest = digest_of(data)
    assert (await alive[0].repo.close(path, digest)).status == 201
    assert [(await process.repo.get(f"blobs/{digest}")).body == data for process in alive] == [True, True]
    assert await left_of_uploads(database_url, place, tmp_path) == []
    assert (await alive[1].repo.get(f"blobs/{digest}")).body == data
    assert all_files(tmp_path) == []


async def left_of_uploads(database_url: str, place: Place, data: Path) -> list[UploadState]:
    """Have the job run until all is old enough for it, and return what it leaves."""
    soon = settings_for(database_url, data, uploads_expiry="1", **place.settings)
    async with running_registry(soon) as registry:

        async def left() -> list[UploadState]:
            await expire_uploads(registry.resources)
            return await registry.resources.storage.list_uploads(EVERYTHING)

        return await until(left, lambda states: states == [])
