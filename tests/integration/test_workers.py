"""After the answer: every event ends in the audit log once, every pull is counted, whatever Redis forgets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import SQL
from app.settings import Settings
from tests.support.eventually import until
from tests.support.registry import Registry
from tests.support.roadstead import RunningRoadstead, roadstead
from workers.queues import open_queues
from workers.relay import relay_events, tell_jobs

pytestmark = pytest.mark.slow

MANIFEST = "application/vnd.oci.image.index.v1+json"
CONTENT = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
AUDITED = SQL("SELECT operation || ' ' || resource_type FROM audit_logs ORDER BY id")
OWED = SQL("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM pending_jobs)")
PULLS = SQL("SELECT sum(pull_count)::int FROM manifests WHERE pulled_at IS NOT NULL")
QUEUED = SQL("SELECT count(*) FROM pending_jobs WHERE enqueued_at IS NOT NULL")
OUTBOX = SQL("SELECT count(*) FROM outbox")
NEWER = SQL("INSERT INTO outbox (type, payload, cause) VALUES ('artifact.teleported', '{}', '{}')")
WAITING = SQL("SELECT string_agg(type, ' ') FROM outbox")
RECORDED = 5  # two projects, a repository, a push; and the pull, a second later


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {
        "ROADSTEAD_DATA": settings.data,
        "ROADSTEAD_DATABASE_URL": settings.database.url,
        "ROADSTEAD_REDIS_URL": settings.redis.url,
        "ROADSTEAD_AUTH_SECRET_KEY": settings.auth.secret_key,
        "ROADSTEAD_WORKERS_HEARTBEAT": "0.3",
    }


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Iterator[RunningRoadstead]:
    with roadstead("work", output=tmp_path / "worker", environment=environment) as running:
        yield running
        assert running.stop() == 0, running.said


async def push_and_pull(registry: Registry, tag: str) -> None:
    url = f"{registry.url}/v2/team/app/manifests/{tag}"
    fields = {**registry.basic, "Content-Type": MANIFEST}
    async with registry.session.put(url, headers=fields, data=CONTENT) as answer:
        assert answer.status == 201, await answer.text()
    async with registry.session.get(url, headers=registry.basic) as answer:
        assert await answer.read() == CONTENT


async def value(registry: Registry, statement: SQL) -> object:
    async with registry.resources.database.autocommit() as statements:
        return await statements.value(statement)


async def audited(registry: Registry) -> list[str]:
    async with registry.resources.database.autocommit() as statements:
        return sorted(await statements.values(AUDITED))


async def until_settled(registry: Registry, *, pulls: int) -> None:
    """Wait until so many pulls are counted and nothing is owed any more."""

    async def look() -> tuple[object, object]:
        return await value(registry, PULLS), await value(registry, OWED)

    await until(look, lambda seen: seen == (pulls, 0))


async def test_what_happened_is_audited_once_and_pulls_are_counted(
    registry: Registry, worker: RunningRoadstead
) -> None:
    await push_and_pull(registry, "v1")
    await push_and_pull(registry, "v2")
    async with registry.session.delete(f"{registry.url}/v2/team/app/manifests/v1", headers=registry.basic):
        pass
    await until_settled(registry, pulls=2)
    expected = ["create project"] * 2 + ["create repository", "delete tag"] + ["pull artifact"] * 2
    assert await audited(registry) == expected + ["push artifact"] * 2, worker.said


async def test_what_redis_forgets_is_only_late(
    registry: Registry, environment: dict[str, str], tmp_path: Path, redis_url: str
) -> None:
    await push_and_pull(registry, "v1")
    await until(lambda: value(registry, OUTBOX), lambda seen: seen == RECORDED)
    queues = await open_queues(redis_url)

    async def told() -> object:
        await relay_events(registry.resources, queues)
        await tell_jobs(registry.resources, queues)
        return await value(registry, QUEUED)

    await until(told, bool)
    await queues.flushall()
    await queues.aclose()
    with roadstead("work", output=tmp_path / "worker", environment=environment):
        await until_settled(registry, pulls=1)
    assert (await audited(registry)).count("push artifact") == 1


async def test_what_a_killed_worker_left_is_done_by_the_next(
    registry: Registry, environment: dict[str, str], tmp_path: Path
) -> None:
    with roadstead("work", output=tmp_path / "killed", environment=environment) as killed:
        await push_and_pull(registry, "v1")
        await until_settled(registry, pulls=1)
        await push_and_pull(registry, "v2")
        killed.kill()
    with roadstead("work", output=tmp_path / "next", environment=environment):
        await until_settled(registry, pulls=2)
    assert (await audited(registry)).count("push artifact") == 2


async def test_an_event_of_a_newer_version_waits_for_a_relay_that_knows_it(
    registry: Registry, redis_url: str
) -> None:
    async with registry.resources.database.autocommit() as statements:
        await statements.run(NEWER)
    await push_and_pull(registry, "v1")
    await until(lambda: value(registry, OUTBOX), lambda seen: seen == RECORDED + 1)
    queues = await open_queues(redis_url)
    await relay_events(registry.resources, queues)
    await queues.aclose()
    assert await value(registry, WAITING) == "artifact.teleported"
