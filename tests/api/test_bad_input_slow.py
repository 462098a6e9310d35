"""Uploads that crawl: silence ends them, slowness does not, and a lease belongs to whoever is alive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.conformance.client import Repository, open_repository, with_query
from tests.conformance.content import MANIFEST, digest_of, unique
from tests.conformance.files import upload_files
from tests.conformance.serving import settings_for
from tests.conformance.wire import Wire, connect, head
from tests.support.eventually import pass_time, until
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases

pytestmark = pytest.mark.slow

SIZE = 200_000
IDLE = 0.5
LEASE = 1.0


@pytest.fixture(scope="module")
async def impatient(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    """A registry that hangs up on silence soon, and whose leases are short."""
    with databases.fresh(migrated=True) as url:
        settings = settings_for(
            url,
            tmp_path_factory.mktemp("impatient"),
            uploads_idle_timeout=str(IDLE),
            uploads_lease=str(LEASE),
        )
        async with running_registry(settings) as registry:
            yield registry


@pytest.fixture
async def repo(impatient: Registry) -> Repository:
    return await open_repository(impatient)


@pytest.fixture
def storage_root(impatient: Registry) -> Path:
    return impatient.resources.settings.storage_root


async def stall(wire: Wire, request: bytes, body: bytes) -> None:
    """Send a part and fall silent until the server gives up, with an error or without a word."""
    await wire.send(request + body)
    answer = await wire.answer_or_hang_up()
    assert answer is None or (answer.status, answer.code) == (400, "SIZE_INVALID")
    assert answer is None or answer.headers["Connection"] == "close"


@pytest.mark.parametrize("length", [2000, SIZE], ids=["small", "large"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_silent_upload_is_cut_off_and_can_be_resumed(
    repo: Repository, method: str, length: int
) -> None:
    data, session = unique(length), await repo.start()
    target = session if method == "PATCH" else with_query(session, digest=digest_of(data))
    async with connect(session) as wire:
        await stall(wire, head(method, target, {**repo.authorization, "Content-Length": length}), data[:1000])
    status = await repo.get(session)
    start = status.upload_end + 1 if status.upload_end else 0
    assert start in {0, 1000}
    assert (await repo.patch(session, data[start:], f"{start}-{length - 1}")).status == 202
    assert (await repo.close(session, digest_of(data))).status == 201


async def test_silent_single_post_leaves_nothing(repo: Repository, storage_root: Path) -> None:
    before = upload_files(storage_root)
    async with connect(repo.registry.url) as wire:
        target = repo.url(f"blobs/uploads/?digest={digest_of(b'x')}")
        await stall(wire, head("POST", target, {**repo.authorization, "Content-Length": SIZE}), b"x" * 1000)
    await until(
        lambda: asyncio.to_thread(upload_files, storage_root), lambda files: set(files) <= set(before)
    )


async def test_silent_manifest_is_cut_off(repo: Repository) -> None:
    fields = {**repo.authorization, "Content-Type": MANIFEST, "Content-Length": SIZE}
    async with connect(repo.registry.url) as wire:
        await stall(wire, head("PUT", repo.url("manifests/latest"), fields), b'{"schemaVersion":2,')
    assert (await repo.get("manifests/latest")).status == 404


async def test_silence_without_end_in_chunked_encoding_is_cut_off(repo: Repository) -> None:
    session = await repo.start()
    async with connect(session) as wire:
        fields = {**repo.authorization, "Transfer-Encoding": "chunked"}
        await stall(wire, head("PATCH", session, fields), b"400\r\n" + b"x" * 0x400 + b"\r\n")
    status = await repo.get(session)
    assert (status.status, status.upload_end) == (204, 0x3FF)


async def test_many_silent_uploads_do_not_keep_others_out(repo: Repository) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(50):
            session = await repo.start()
            wire = await stack.enter_async_context(connect(session))
            await wire.send(
                head("PATCH", session, {**repo.authorization, "Content-Length": SIZE}) + b"x" * 1000
            )
        data = unique(SIZE)
        assert (await repo.get(f"blobs/{await repo.push_blob(data)}")).body == data


async def drip(wire: Wire, data: bytes, *, seconds: float) -> None:
    """Send the bytes evenly over this time: always slow, never silent."""
    pieces = 20
    step = -(-len(data) // pieces)
    for start in range(0, len(data), step):
        await pass_time(seconds / pieces)
        await wire.send(data[start : start + step])


@pytest.mark.slow
async def test_slow_writer_that_goes_on_keeps_its_session(repo: Repository, storage_root: Path) -> None:
    """Bytes are a sign of life: several leases long nobody else may write, and nothing is cut off."""
    data, session, before = unique(SIZE), await repo.start(), upload_files(storage_root)
    async with connect(session) as wire:
        await wire.send(head("PATCH", session, {**repo.authorization, "Content-Length": SIZE}))
        dripping = asyncio.create_task(drip(wire, data, seconds=3 * LEASE))
        await until(lambda: asyncio.to_thread(upload_files, storage_root), lambda files: files != before)
        while not dripping.done():
            intruder = await repo.patch(session, b"intruder")
            assert dripping.done() or intruder.status == 409, intruder
        answer = await wire.answer()
    assert answer.status == 202
    assert (await repo.get(session)).upload_end >= SIZE - 1
