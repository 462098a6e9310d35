"""Moving a registry to another storage: everything arrives, verified, in as many runs as it takes."""

import asyncio
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from app.blobs.transfer import Tally, transfer
from app.oci.digest import Digest
from app.settings import Settings
from app.storage import FilesystemDriver, StorageDriver, StorageError, open_storage
from tests.conformance.client import Repository, bearer, open_repository
from tests.conformance.content import digest_of, unique
from tests.conformance.serving import environment_for, settings_for
from tests.support.faulty import Ask, faulty_way, where
from tests.support.places import BUCKETS, place_of
from tests.support.registry import Registry, running_registry
from tests.support.roadstead import ROOT, environment_with
from tests.support.s3 import Bucket, names_in

pytestmark = pytest.mark.slow

SIZES = [0, 1, 300, 65_536, 65_537, 200_000, 6_000_000]


@pytest.fixture
async def contents(registry: Registry) -> dict[str, bytes]:
    repo = await open_repository(registry)
    made = [b"" if size == 0 else unique(size) for size in SIZES]
    return {await repo.push_blob(data): data for data in made}


@pytest.fixture(params=BUCKETS)
def in_bucket(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Settings:
    place = place_of(request, request.param).below(uuid4().hex)
    return settings_for(database_url, tmp_path, **place.settings)


@pytest.fixture
async def target(in_bucket: Settings) -> AsyncIterator[StorageDriver]:
    async with open_storage(in_bucket) as driver:
        yield driver


def nothing(_: Tally) -> None:
    return


async def copy(registry: Registry, target: StorageDriver, *, at_once: int = 4) -> Tally:
    r = registry.resources
    return await transfer(r.database, r.storage, target, at_once=at_once, note=nothing)


async def content_of(driver: StorageDriver, digest: str) -> bytes:
    size = await driver.stat(Digest(digest))
    assert size is not None
    return b"".join([piece async for piece in driver.read(Digest(digest), 0, size)])


async def test_everything_arrives_and_the_next_run_copies_what_came_meanwhile(
    registry: Registry, contents: dict[str, bytes], target: StorageDriver
) -> None:
    first = await copy(registry, target)
    assert (first.copied, first.there, first.total) == (len(contents), 0, len(contents))
    assert first.copied_bytes == first.total_bytes == sum(SIZES)
    for digest, data in contents.items():
        assert await content_of(target, digest) == data
    late = unique()
    await (await open_repository(registry)).push_blob(late)
    second = await copy(registry, target)
    assert (second.copied, second.there) == (1, len(contents))
    assert await content_of(target, digest_of(late)) == late


async def test_a_registry_goes_on_with_the_new_storage(
    registry: Registry, in_bucket: Settings, target: StorageDriver
) -> None:
    repo = await open_repository(registry)
    data = unique(100_000)
    digest = await repo.push_blob(data)
    await copy(registry, target)
    async with running_registry(in_bucket) as moved:
        token = await moved.token(f"repository:{repo.name}:pull")
        again = Repository(moved, repo.name, bearer(token))
        assert (await again.get(f"blobs/{digest}")).body == data


async def test_damage_is_named_and_not_copied(
    registry: Registry, contents: dict[str, bytes], target: StorageDriver
) -> None:
    storage = registry.resources.storage
    assert isinstance(storage, FilesystemDriver)
    by_size = {len(data): digest for digest, data in contents.items()}
    storage.local_path(Digest(by_size[300])).unlink()
    for size in (1, 200_000):
        other = bytes(byte ^ 1 for byte in contents[by_size[size]])
        storage.local_path(Digest(by_size[size])).write_bytes(other)
    tally = await copy(registry, target)
    assert tally.missing == [by_size[300]]
    assert sorted(tally.wrong) == sorted([by_size[1], by_size[200_000]])
    for size in (1, 300, 200_000):
        assert await target.stat(Digest(by_size[size])) is None
    assert tally.copied == len(contents) - 3


async def test_a_blob_that_does_not_arrive_leaves_no_file_behind(
    registry: Registry, contents: dict[str, bytes], tmp_path: Path
) -> None:
    storage = registry.resources.storage
    assert isinstance(storage, FilesystemDriver)
    gone, damaged = [digest for digest, data in contents.items() if len(data) > 100_000]
    storage.local_path(Digest(gone)).unlink()
    storage.local_path(Digest(damaged)).write_bytes(bytes(len(contents[damaged])))
    tally = await copy(registry, FilesystemDriver(tmp_path / "new"))
    assert (tally.missing, tally.wrong) == ([gone], [damaged])
    assert list((tmp_path / "new/uploads").iterdir()) == []


async def test_a_copy_that_was_cut_short_goes_on(
    registry: Registry, contents: dict[str, bytes], tmp_path: Path
) -> None:
    target = FilesystemDriver(tmp_path / "new")

    def cut(tally: Tally) -> None:
        if tally.copied == 3:
            raise StorageError("cut")

    r = registry.resources
    with pytest.raises(StorageError, match="cut"):
        await transfer(r.database, r.storage, target, at_once=2, note=cut)
    tally = await copy(registry, target)
    assert tally.there >= 3
    assert tally.there + tally.copied == len(contents)


async def test_what_another_copy_put_there_meanwhile_is_not_copied_again(
    registry: Registry, contents: dict[str, bytes], tmp_path: Path
) -> None:
    """What the target has is not known all at once, so it takes no memory to speak of."""
    target, last = FilesystemDriver(tmp_path / "new"), max(contents)

    def put_last(tally: Tally) -> None:
        if tally.copied == 1:
            path = target.local_path(Digest(last))
            path.parent.mkdir(parents=True)
            path.write_bytes(contents[last])

    r = registry.resources
    tally = await transfer(r.database, r.storage, target, at_once=1, note=put_last)
    assert (tally.copied, tally.there) == (len(contents) - 1, 1)


async def test_nothing_is_copied_within_the_new_storage(
    registry: Registry, contents: dict[str, bytes], bucket: Bucket, database_url: str, tmp_path: Path
) -> None:
    copies = []

    async def noted(request: web.Request, ask: Ask) -> web.StreamResponse:
        copies.extend([request.path] * ("x-amz-copy-source" in request.headers))
        return await ask()

    async with faulty_way(bucket.endpoint) as way:
        way.fault = noted
        place = bucket.by(way.url).below(uuid4().hex)
        async with open_storage(settings_for(database_url, tmp_path, **place.settings)) as target:
            assert (await copy(registry, target)).copied == len(contents)
    assert copies == []


COPY = (sys.executable, "-m", "cli", "storage", "copy")


def environment(settings: Settings, data: Path) -> dict[str, str]:
    env = environment_for(settings.database.url, data, storage_root=str(settings.storage_root))
    return environment_with(env)


@pytest.mark.usefixtures("contents")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_leaves_nothing_half_done_when_it_is_stopped(
    registry: Registry, bucket: Bucket, tmp_path: Path, number: signal.Signals
) -> None:
    place, reached = bucket.below(uuid4().hex), asyncio.Event()

    async def held(_: web.Request, ask: Ask) -> web.StreamResponse:
        reached.set()
        await asyncio.Event().wait()
        return await ask()

    async with faulty_way(bucket.endpoint) as way:
        way.fault = where(lambda request: "partNumber" in request.query, held)
        file = tmp_path / "new.toml"
        there = place.by(way.url).settings | {"storage_part_bytes": 5 << 20}
        lines = [f"{name.removeprefix('storage_')} = {value!r}" for name, value in there.items()]
        file.write_text("\n".join(["[storage]", *lines]))
        settings = registry.resources.settings
        process = await asyncio.create_subprocess_exec(
            *COPY, "--to", str(file), cwd=ROOT, env=environment(settings, tmp_path), stdout=PIPE, stderr=PIPE
        )
        await reached.wait()
        process.send_signal(number)
        said, error = await process.communicate()
    assert (process.returncode, said) == (1, b"")
    assert error.decode() == "The copy was stopped. Run the same again to go on.\n"
    assert [name for name in await names_in(place) if not name.startswith("blobs/")] == []


def command(settings: Settings, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COPY, *arguments],
        cwd=ROOT,
        env=environment(settings, data),
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_copies_and_says_what_it_did(
    registry: Registry, contents: dict[str, bytes], tmp_path: Path
) -> None:
    settings = registry.resources.settings
    file = tmp_path / "new.toml"
    file.write_text(f'[storage]\nroot = "{tmp_path / "new"}"\n')
    done = command(settings, tmp_path, "--to", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Copied {len(contents)} blobs, 6.33 MB; 0 were there already.\n"
    assert command(settings, tmp_path, "--to", str(file)).stdout.startswith("Copied 0 blobs, 0 bytes; 7 were")
    largest = max(contents, key=lambda digest: len(contents[digest]))
    FilesystemDriver(tmp_path / "new").local_path(Digest(largest)).unlink()
    FilesystemDriver(settings.storage_root).local_path(Digest(largest)).unlink()
    damaged = command(settings, tmp_path, "--to", str(file))
    assert damaged.returncode == 1
    assert damaged.stderr == f"1 blobs are not in the old storage: {largest}.\n"


async def test_the_command_refuses_what_cannot_be_meant(registry: Registry, tmp_path: Path) -> None:
    settings = registry.resources.settings
    file = tmp_path / "same.toml"
    file.write_text(f'[storage]\nroot = "{settings.storage_root}"\n')
    assert command(settings, tmp_path, "--to", str(file)).stderr == "Both are the same storage.\n"
    file.write_text("[storage]\n")
    assert "[storage] needs `root`" in command(settings, tmp_path, "--to", str(file)).stderr
    assert "cannot be read" in command(settings, tmp_path, "--to", str(tmp_path / "none.toml")).stderr
