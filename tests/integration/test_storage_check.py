"""`roadstead storage check`: what a storage cannot do is named, and nothing is left in it."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest
from aiohttp import web

from app.settings import load
from app.storage import StorageError, open_storage
from cli.storage.check import check_storage
from cli.storage.checks import CHECKS
from tests.contracts.storing import EVERYTHING
from tests.support.faulty import Ask, FaultyWay, answering, faulty_way, where
from tests.support.places import BUCKETS, place_of
from tests.support.roadstead import ROOT, environment_with
from tests.support.s3 import Bucket, names_in

pytestmark = pytest.mark.slow

PART = 5 << 20
DENIED = answering(403, "<Error><Code>AccessDenied</Code><Message>Access denied.</Message></Error>")


Lines: TypeAlias = list[str]
Check: TypeAlias = Callable[[dict[str, str]], Awaitable[Lines]]


def settings_on(place: dict[str, str]) -> dict[str, str]:
    more = {"storage_part_bytes": str(PART)} if "storage_driver" in place else {}
    named = {"auth_secret_key": "only-for-tests-" * 3, **more, **place}
    return {f"ROADSTEAD_{name.upper()}": value for name, value in named.items()}


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """Returns the lines that are said of a place."""

    async def checked(place: dict[str, str]) -> Lines:
        is_fine = await check_storage(load(settings_on(place)))
        lines = capsys.readouterr().out.splitlines()
        assert is_fine == (crosses(lines) == [])
        return lines

    return checked


def crosses(lines: Lines) -> Lines:
    return [line for line in lines if line.startswith("✗")]


async def started(environment: dict[str, str], *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "storage", "check", *arguments),
        cwd=ROOT,
        env=environment_with(environment),
        stdout=PIPE,
        stderr=PIPE,
    )


async def ended(process: Process) -> tuple[int | None, Lines, str]:
    """The exit status, and what was printed."""
    output, error = await process.communicate()
    return process.returncode, output.decode().splitlines(), error.decode()


async def left_in(place: dict[str, str]) -> list[object]:
    async with open_storage(load(settings_on(place))) as driver:
        uploads = await driver.list_uploads(EVERYTHING)
        return [*uploads, *[digest async for digest in driver.list_digests()]]


@pytest.fixture(params=["filesystem", *BUCKETS])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "filesystem":
        return {"storage_root": str(tmp_path / "storage")}
    return place_of(request, request.param).below(uuid4().hex).settings


@pytest.fixture
def on_s3(bucket: Bucket) -> Bucket:
    return bucket.below(uuid4().hex)


@pytest.fixture
async def way(on_s3: Bucket) -> AsyncIterator[FaultyWay]:
    async with faulty_way(on_s3.endpoint) as lent:
        yield lent


async def test_a_storage_that_does_all_has_a_tick_at_each_line(check: Check, place: dict[str, str]) -> None:
    lines = await check(place)
    assert [line[0] for line in lines] == ["✓"] * (len(CHECKS) + 1)
    (refusal,) = [line for line in lines if "other bytes" in line]
    assert refusal.endswith("by the storage itself") == (place.get("storage_driver") == "s3")
    assert await left_in(place) == []


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"storage_secret_key": "another"}, "SignatureDoesNotMatch"),
        ({"storage_bucket": "nowhere-to-be-found"}, "there is no bucket"),
        ({"storage_endpoint": "http://127.0.0.1:1", "storage_patience": "0.1"}, "127.0.0.1:1"),
    ],
)
async def test_a_storage_that_cannot_be_reached_is_all_that_is_said(
    check: Check, on_s3: Bucket, changed: dict[str, str], why: str
) -> None:
    failure, remedy = await check(on_s3.settings | changed)
    assert failure.startswith("✗ the storage is reached: ")
    assert why in failure
    assert remedy.startswith("  ")


async def test_what_cannot_be_written_to_is_not_asked_for_more(
    check: Check, on_s3: Bucket, way: FaultyWay
) -> None:
    way.fault = where(lambda request: request.method == "PUT", DENIED)
    lines = await check(on_s3.by(way.url).settings)
    assert [line[0] for line in lines] == ["✓", "✗", " "]


async def test_what_is_not_allowed_has_a_cross_and_all_else_is_tried(
    check: Check, on_s3: Bucket, way: FaultyWay
) -> None:
    way.fault = where(lambda request: "uploads" in request.query and request.method == "GET", DENIED)
    lines = await check(on_s3.by(way.url).settings)
    (failure,) = crosses(lines)
    assert "abandoned" in failure
    assert "AccessDenied" in failure
    assert "ListBucketMultipartUploads" in lines[lines.index(failure) + 1]
    assert await names_in(on_s3) == []


async def test_a_bucket_that_keeps_old_versions_is_said_to(
    check: Check, on_s3: Bucket, way: FaultyWay
) -> None:
    async def versioned(_: web.Request, ask: Ask) -> web.StreamResponse:
        answer = await ask()
        answer.headers["x-amz-version-id"] = "one-of-many"
        return answer

    way.fault = where(lambda request: request.method == "PUT", versioned)
    (said,) = [line for line in await check(on_s3.by(way.url).settings) if "deleted" in line]
    assert said.startswith("✓")
    assert "keeps old versions" in said


@dataclass(frozen=True)
class Issued:
    """Credentials that a program prints, so that the SDK asks for them again before each request."""

    bucket: Bucket
    file: Path

    def until(self, lifetime: timedelta) -> None:
        keys = {"AccessKeyId": "access_key", "SecretAccessKey": "secret_key"}
        given = {theirs: self.bucket.chosen[ours] for theirs, ours in keys.items()}
        end = (datetime.now(UTC) + lifetime).isoformat()
        self.file.write_text(json.dumps({"Version": 1, "Expiration": end, **given}))

    def environment(self, place: Bucket) -> dict[str, str]:
        config = self.file.with_name("config")
        config.write_text(f"[default]\ncredential_process = cat {self.file}\n")
        given = {name: value for name, value in place.settings.items() if not name.endswith("_key")}
        return settings_on(given) | {"AWS_CONFIG_FILE": str(config)}


@pytest.fixture
def issued(on_s3: Bucket, tmp_path: Path) -> Issued:
    return Issued(on_s3, tmp_path / "issued.json")


async def test_credentials_are_found_and_renewed_where_the_sdk_looks(on_s3: Bucket, issued: Issued) -> None:
    status, lines, _ = await ended(await started(issued.environment(on_s3)))
    assert (status, len(lines)) == (1, 2)
    assert "no credentials are to be had" in lines[0]
    issued.until(timedelta(minutes=1))
    status, lines, error = await ended(await started(issued.environment(on_s3)))
    assert (status, error) == (0, "")


async def test_credentials_that_end_without_new_ones_are_said_to(
    on_s3: Bucket, way: FaultyWay, issued: Issued
) -> None:
    async def no_new_ones(_: web.Request, ask: Ask) -> web.StreamResponse:
        issued.until(-timedelta(minutes=1))
        return await ask()

    way.fault = where(lambda request: "blobs/" in request.path, no_new_ones)
    issued.until(timedelta(minutes=1))
    status, lines, error = await ended(await started(issued.environment(on_s3.by(way.url))))
    assert status == 1
    assert "no credentials are to be had" in next(iter(crosses(lines)))
    assert "\nNot all of what was tried could be removed again: no credentials" in error


async def test_who_has_no_room_is_told_to_make_some(check: Check, on_s3: Bucket, way: FaultyWay) -> None:
    full = answering(507, "<Error><Code>XMinioStorageFull</Code><Message>No room.</Message></Error>")
    way.fault = where(lambda request: request.method == "PUT", full)
    *_, remedy = await check(on_s3.by(way.url).settings)
    assert remedy.startswith("  Make room")


async def test_a_signed_url_that_clients_cannot_use_has_a_cross(check: Check, on_s3: Bucket) -> None:
    failures = crosses(await check(on_s3.settings | {"storage_public_endpoint": "http://127.0.0.1:1"}))
    assert len(failures) == 3
    assert all("signed URL" in failure for failure in failures)
    assert await names_in(on_s3) == []


async def test_a_clock_that_is_off_has_a_cross(check: Check, on_s3: Bucket, way: FaultyWay) -> None:
    async def ahead(_: web.Request, ask: Ask) -> web.StreamResponse:
        answer = await ask()
        answer.headers["Date"] = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
        return answer

    way.fault = ahead
    (failure,) = crosses(await check(on_s3.by(way.url).settings))
    assert failure.startswith("✗ the clock")


async def test_what_cannot_be_removed_again_is_said_and_the_rest_is_removed(
    check: Check, on_s3: Bucket, way: FaultyWay
) -> None:
    way.fault = where(lambda request: request.method == "DELETE", DENIED)  # only of multipart uploads
    with pytest.raises(StorageError, match="AbortMultipartUpload"):
        await check(on_s3.by(way.url).settings)
    async with open_storage(load(settings_on(on_s3.settings))) as driver:
        assert [digest async for digest in driver.list_digests()] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_nothing_is_left_when_it_is_stopped_in_the_middle(
    on_s3: Bucket, way: FaultyWay, number: signal.Signals
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def held(_: web.Request, ask: Ask) -> web.StreamResponse:
        reached.set()
        await go_on.wait()
        return await ask()

    way.fault = where(lambda request: "partNumber" in request.query, held)
    process = await started(settings_on(on_s3.by(way.url).settings))
    await reached.wait()
    process.send_signal(number)
    go_on.set()
    status, lines, error = await ended(process)
    assert (status, error) == (1, "Stopped. Nothing of it stays in the storage.\n")
    assert len(lines) < len(CHECKS)
    assert await names_in(on_s3) == []


async def test_the_command_ends_with_1_where_a_line_has_a_cross(on_s3: Bucket, tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    file.write_text(f'[storage]\nroot = "{tmp_path / "new"}"\n')
    missing = settings_on(on_s3.settings | {"storage_bucket": "nowhere-to-be-found"})
    status, lines, error = await ended(await started(missing))
    assert (status, len(lines), error) == (1, 2, "Not all that a registry needs works on this storage.\n")
    status, lines, error = await ended(await started(missing, "--of", str(file)))
    assert (status, len(lines), error) == (0, len(CHECKS) + 1, "")
