"""A storage that is slow, down and back: who needs none of it is served, and probes ask it little."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from msgspec.structs import replace

from app.storage import StorageWatch
from tests.conformance.client import open_repository
from tests.conformance.content import digest_of, image, unique
from tests.conformance.serving import settings_for
from tests.support.eventually import until
from tests.support.faulty import Ask, Fault, FaultyWay, answering, faulty_way, no_fault, reset, stalled
from tests.support.registry import Registry, running_registry
from tests.support.s3 import Bucket

pytestmark = pytest.mark.slow

SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def way(bucket: Bucket) -> AsyncIterator[FaultyWay]:
    async with faulty_way(bucket.endpoint) as lent:
        yield lent


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def registry(
    bucket: Bucket, way: FaultyWay, clock: Clock, database_url: str, tmp_path: Path
) -> AsyncIterator[Registry]:
    """A registry whose watch of the storage goes by our clock."""
    place = bucket.by(way.url).below(f"unwell/{uuid4().hex}")
    settings = settings_for(
        database_url, tmp_path, storage_patience="0.1", storage_read_timeout="1", **place.settings
    )
    async with running_registry(
        settings, lambda r: replace(r, watch=StorageWatch(r.storage, clock))
    ) as running:
        yield running


async def seen(registry: Registry, path: str) -> Any:
    async with registry.session.get(registry.url + path) as answer:
        assert answer.status == 200
        return await answer.json()


async def readiness(registry: Registry) -> str:
    probed: dict[str, str] = await seen(registry, "/readyz")
    assert probed.pop("status") == "ok"
    return probed.pop("storage")


async def health(registry: Registry) -> dict[str, str]:
    shown = await seen(registry, "/api/v2.0/health")
    return {component["name"]: component["status"] for component in shown["components"]}


def counting(fault: Fault, requests: list[str]) -> Fault:
    async def counted(request: web.Request, ask: Ask) -> web.StreamResponse:
        requests.append(request.method)
        return await fault(request, ask)

    return counted


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answering(503, SLOW_DOWN), id="slow down"),
        pytest.param(reset, id="down"),
        pytest.param(stalled, id="slow"),
    ],
)
async def test_server_stays_ready_and_says_that_its_storage_is_unwell(
    way: FaultyWay, clock: Clock, registry: Registry, fault: Fault
) -> None:
    repo = await open_repository(registry)
    content, blob = image(), unique(5 << 20)
    manifest = await repo.push(content)
    await repo.push_blob(blob)
    assert (await health(registry))["registry"] == "healthy"
    way.fault = fault
    clock.seconds += 11
    await until(lambda: readiness(registry), lambda storage: storage == "unhealthy")
    assert (await repo.get(f"manifests/{manifest}")).body == content.body
    refused = await repo.get(f"blobs/{digest_of(blob)}")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
    parts = await health(registry)
    assert parts.pop("registry") == "unhealthy"
    assert set(parts.values()) == {"healthy"}
    way.fault = no_fault
    clock.seconds += 11
    await until(lambda: readiness(registry), lambda storage: storage == "healthy")
    assert (await health(registry))["registry"] == "healthy"
    assert (await repo.get(f"blobs/{digest_of(blob)}")).body == blob


async def test_any_number_of_probes_asks_once_and_writes_nothing(
    way: FaultyWay, clock: Clock, registry: Registry
) -> None:
    await health(registry)
    requests: list[str] = []
    way.fault = counting(no_fault, requests)
    for _ in range(3):
        clock.seconds += 11
        await asyncio.gather(*(look(registry) for look in (readiness, health) for _ in range(20)))
    assert requests == ["HEAD"] * 3
