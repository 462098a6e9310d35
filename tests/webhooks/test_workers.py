"""Worker processes post what is pushed, soon, and whatever Redis forgets."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from app.settings import Settings
from tests.management.client import Caller
from tests.support.consumer import Consumer
from tests.support.eventually import until
from tests.support.registry import Registry
from tests.support.roadstead import RunningRoadstead, roadstead
from tests.webhooks.posting import Posting

pytestmark = pytest.mark.slow

MANIFEST = "application/vnd.oci.image.index.v1+json"
CONTENT = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[RunningRoadstead]:
    environment = {
        "ROADSTEAD_DATA": settings.data,
        "ROADSTEAD_DATABASE_URL": settings.database.url,
        "ROADSTEAD_REDIS_URL": settings.redis.url,
        "ROADSTEAD_AUTH_SECRET_KEY": settings.auth.secret_key,
        "ROADSTEAD_OUTGOING_ALLOW": settings.outgoing.allow,
    }
    with roadstead("work", output=tmp_path / "worker", environment=environment) as running:
        yield running
        assert running.stop() == 0, running.said


async def push(registry: Registry, tag: str) -> None:
    url = f"{registry.url}/v2/library/app/manifests/{tag}"
    fields = {**registry.basic, "Content-Type": MANIFEST}
    async with registry.session.put(url, headers=fields, data=CONTENT) as answer:
        assert answer.status == 201, await answer.text()


async def test_what_is_pushed_is_posted_at_once_and_what_redis_forgets_a_little_later(
    registry: Registry, posting: Posting, consumer: Consumer, worker: RunningRoadstead
) -> None:
    await posting.target(await posting.policy("PUSH_ARTIFACT", "CREATE_TAG"), consumer.url)
    await push(registry, "v1")
    await until(consumer.count, lambda seen: seen == 1)
    latencies = []
    for number in range(2, 12):
        began = time.monotonic()
        await push(registry, f"v{number}")
        await until(consumer.count, number.__eq__)
        latencies.append(time.monotonic() - began)
    assert sorted(latencies)[5] < 0.25, latencies
    with Redis.from_url(registry.resources.settings.redis.url) as client:
        for number in range(12, 22):
            await push(registry, f"v{number}")
            client.flushall()
    await until(consumer.count, lambda seen: seen >= 21)
    assert {each.json["event_data"]["resources"][0]["tag"] for each in consumer.received} == {
        f"v{number}" for number in range(1, 22)
    }, worker.said


async def test_what_is_asked_for_by_hand_is_posted_at_once(
    registry: Registry, posting: Posting, consumer: Consumer, worker: RunningRoadstead
) -> None:
    policy_id = await posting.policy()
    await posting.target(policy_id, consumer.url)
    admin = Caller(registry, "admin", registry.resources.settings.admin_password)
    path = f"/projects/library/webhook/policies/{policy_id}"
    latencies = []
    for number in range(1, 8):
        began = time.monotonic()
        assert (await admin.post(f"{path}/test")).status == 200
        await until(consumer.count, number.__eq__)
        latencies.append(time.monotonic() - began)
    assert sorted(latencies)[3] < 0.4, (latencies, worker.said)
