"""Workers of arq as we run them."""

import asyncio
from typing import Any

from msgspec.structs import replace

from app.jobs import DELIVER_WEBHOOKS
from app.resources import Resources
from tests.support.eventually import pass_time, until
from tests.support.jobs import process
from workers.queues import PromptWorker, open_queues, tell
from workers.running import Runner


async def test_nudge_that_runs_longer_than_redis_knows_is_not_started_again_and_holds_up_none(
    r: Resources, redis_url: str
) -> None:
    workers = replace(r.settings.workers, webhooks_concurrency=1)
    settings = replace(r.settings, redis=replace(r.settings.redis, url=redis_url), workers=workers)
    worker = PromptWorker(Runner(replace(r, settings=settings), process()), "webhooks")
    worker.in_progress_timeout_s = 0.05
    started, is_over = [], asyncio.Event()

    async def run(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:
        del ctx, kwargs
        started.append(args)
        await is_over.wait()

    worker.functions[DELIVER_WEBHOOKS.name].coroutine = run

    async def count() -> int:
        return len(started)

    queues = await open_queues(redis_url)
    working = asyncio.create_task(worker.main())
    await tell(queues, DELIVER_WEBHOOKS, 1, name="one")
    await tell(queues, DELIVER_WEBHOOKS, 2, name="two")
    await until(count, (2).__eq__)
    await pass_time(0.1)
    await tell(queues, DELIVER_WEBHOOKS, 3, name="three")
    await until(count, (3).__eq__)
    assert started == [(1,), (2,), (3,)]
    assert len([task for task in worker.tasks.values() if not task.done()]) == 3
    is_over.set()
    await asyncio.gather(*worker.tasks.values())
    working.cancel()
    await asyncio.wait([working])
    await worker.pool.aclose()
    await queues.aclose()
