"""The disk fills up: a clear answer, nothing half-written, and work goes on when there is room again."""

import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from subprocess import Popen

import pytest

from tests.conformance.client import Repository
from tests.conformance.content import digest_of, image, unique
from tests.conformance.files import all_files
from tests.conformance.serving import Served, served_by_processes
from tests.support.servers import Databases

MEGABYTE = 1 << 20
INLINE = 64 << 10


@contextmanager
def no_room(process: Popen[bytes], largest_file: int = 0) -> Iterator[None]:
    """No file of the process can grow beyond this: the kernel refuses the write as a full disk does."""
    everything = resource.RLIM_INFINITY
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (largest_file, everything))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (everything, everything))


@pytest.fixture(scope="module")
async def running(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Served, Popen[bytes]]]:
    with databases.fresh(migrated=True) as url:
        async with served_by_processes(url, tmp_path_factory.mktemp("full")) as served:
            with served.process() as process:
                await served.repo.push_blob(b"it serves")
                yield served, process


async def assert_refused(repo: Repository, data: bytes) -> None:
    """A whole blob, in one request and in two."""
    digest = digest_of(data)
    for answer in (
        await repo.send("POST", f"blobs/uploads/?digest={digest}", data),
        await repo.close(await repo.start(), digest, data),
    ):
        assert answer.status == 507
        assert answer.code
    assert (await repo.head(f"blobs/{digest}")).status == 404


@pytest.mark.parametrize("size", [100, 60_000, 4 * MEGABYTE])
async def test_blob_is_refused_and_taken_when_there_is_room(
    running: tuple[Served, Popen[bytes]], size: int
) -> None:
    served, process = running
    before, data = all_files(served.storage_root), unique(size)
    with no_room(process):
        await assert_refused(served.repo, data)
    written = set(all_files(served.storage_root)) - set(before)
    assert len(written) == (1 if size > INLINE else 0)  # a large upload's session lives on, without a byte
    assert sum(path.stat().st_size for path in written) == 0
    digest = await served.repo.push_blob(data)
    assert (await served.repo.get(f"blobs/{digest}")).body == data


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_upload_keeps_what_was_acknowledged(running: tuple[Served, Popen[bytes]], method: str) -> None:
    served, process = running
    repo, data = served.repo, unique(6 * MEGABYTE)
    digest, session = digest_of(data), await repo.start()
    assert (await repo.patch(session, data[:MEGABYTE])).status == 202
    with no_room(process, 3 * MEGABYTE):
        rest = data[MEGABYTE:]
        refused = await (
            repo.patch(session, rest) if method == "PATCH" else repo.close(session, digest, rest)
        )
        assert refused.status == 507
        assert refused.code
        assert (await repo.get(session)).upload_end == MEGABYTE - 1
        assert max(path.stat().st_size for path in all_files(served.storage_root / "uploads")) == MEGABYTE
    assert (await repo.close(session, digest, data[MEGABYTE:])).status == 201
    assert digest_of((await repo.get(f"blobs/{digest}")).body) == digest


async def test_pulls_and_manifests_go_on_without_room(running: tuple[Served, Popen[bytes]]) -> None:
    """Only new content needs the disk."""
    served, process = running
    made = image([unique(), unique(200_000)])
    await served.repo.push(made, "latest")
    with no_room(process):
        for blob in made.blobs:
            assert (await served.repo.get(f"blobs/{digest_of(blob)}")).body == blob
        assert (await served.repo.put_manifest(made, "again")).status == 201
        assert (await served.repo.get("manifests/again")).body == made.body
        assert (await served.repo.delete("manifests/again")).status == 202
