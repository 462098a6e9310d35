"""Pulls during which the content goes away, and clients that go away during pulls."""

import hashlib
from pathlib import Path

import pytest

from tests.conformance.client import Repository
from tests.conformance.content import digest_of, image, unique
from tests.conformance.wire import Wire, connect, head

SIZE = 48 << 20  # more than the kernel keeps on the way, so that the server is still sending


async def begin(wire: Wire, repo: Repository, path: str) -> int:
    """Ask for the content and read the headers only; return the length to come."""
    await wire.send(head("GET", repo.url(path), repo.authorization))
    headers = await wire.reader.readuntil(b"\r\n\r\n")
    assert headers.startswith(b"HTTP/1.1 200")
    return int(headers.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


async def rest(wire: Wire, length: int) -> str:
    """Digest of the body as it comes."""
    running = hashlib.sha256()
    while length and (piece := await wire.reader.read(min(length, 1 << 20))):
        running.update(piece)
        length -= len(piece)
    assert length == 0
    return f"sha256:{running.hexdigest()}"


@pytest.fixture(scope="module")
def large() -> bytes:
    return unique(SIZE)


async def test_blob_deleted_during_a_pull_arrives_whole(repo: Repository, large: bytes) -> None:
    digest = await repo.push_blob(large)
    async with connect(repo.registry.url) as wire:
        length = await begin(wire, repo, f"blobs/{digest}")
        assert (await repo.delete(f"blobs/{digest}")).status == 202
        assert (await repo.head(f"blobs/{digest}")).status == 404
        assert await rest(wire, length) == digest


async def test_file_removed_during_a_pull_arrives_whole(
    repo: Repository, large: bytes, storage_root: Path
) -> None:
    """What garbage collection does."""
    digest = await repo.push_blob(large)
    async with connect(repo.registry.url) as wire:
        length = await begin(wire, repo, f"blobs/{digest}")
        blob_file(storage_root, digest).unlink()
        assert await rest(wire, length) == digest


def blob_file(root: Path, digest: str) -> Path:
    (found,) = root.glob(f"blobs/*/*/*/{digest.partition(':')[2]}")
    return found


async def test_lost_file_is_an_error_and_not_an_empty_blob(repo: Repository, storage_root: Path) -> None:
    digest = await repo.push_blob(unique(200_000))
    blob_file(storage_root, digest).unlink()
    answer = await repo.get(f"blobs/{digest}")
    assert answer.status in {404, 500, 503}
    assert answer.code


async def test_file_cut_short_never_looks_like_the_blob(repo: Repository, storage_root: Path) -> None:
    digest = await repo.push_blob(unique(200_000))
    with blob_file(storage_root, digest).open("r+b") as file:
        file.truncate(1000)
    async with connect(repo.registry.url) as wire:
        await wire.send(head("GET", repo.url(f"blobs/{digest}"), repo.authorization))
        answer = await wire.answer_or_hang_up()
    assert answer is None or answer.status >= 500


async def test_tag_deleted_between_head_and_get(repo: Repository) -> None:
    digest = await repo.push(image(), "latest")
    assert (await repo.head("manifests/latest")).status == 200
    assert (await repo.delete("manifests/latest")).status == 202
    assert (await repo.get("manifests/latest")).status == 404
    assert (await repo.get(f"manifests/{digest}")).status == 200


async def test_clients_that_hang_up_in_the_middle_harm_nobody(repo: Repository, large: bytes) -> None:
    digest = await repo.push_blob(large)
    for _ in range(20):
        async with connect(repo.registry.url) as wire:
            await begin(wire, repo, f"blobs/{digest}")
            wire.cut()
    assert digest_of((await repo.get(f"blobs/{digest}")).body) == digest
