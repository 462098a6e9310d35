"""Jobs, workers and schedules (Harbor's `jobservice` and `schedule` groups, and what they lack)."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from app.access import Permission
from app.access.routing import api, cause_of
from app.harbor.errors import BadRequest
from app.http.endpoint import Id, Listed, PageParams
from app.jobservice import control, look
from app.jobservice.schemas import (
    ActionRequest,
    JobQueue,
    JobSetAside,
    ScheduleActionRequest,
    SchedulerStatus,
    ScheduleTask,
    Worker,
    WorkerPool,
)
from app.resources import resources

Word = Annotated[str, Meta(min_length=1, max_length=255)]


async def list_queues(request: web.Request) -> list[JobQueue]:
    """List how many jobs of each type wait, and for how long."""
    async with resources(request).database.autocommit() as statements:
        return [JobQueue.of(kind) for kind in await look.list_kinds(statements)]


async def act_on_queue(request: web.Request, job_type: Word, body: ActionRequest) -> None:
    """Pause the jobs of a type, or of `all`, resume them, or set aside those that wait."""
    async with resources(request).database.transaction() as tx:
        await control.act_on_kind(tx, cause_of(request), job_type, action=body.action)


async def list_pools(request: web.Request) -> list[WorkerPool]:
    """List the worker processes."""
    async with resources(request).database.autocommit() as statements:
        return [WorkerPool.of(process) for process in await look.list_workers(statements)]


async def list_workers(request: web.Request, pool_id: Word) -> list[Worker]:
    """List what the workers of a process, or of `all`, do."""
    slots = await look.list_slots(resources(request), pool_id)
    return [Worker.of(number, *slot) for number, slot in enumerate(slots, start=1)]


async def list_jobs(request: web.Request, query: PageParams) -> Listed[JobSetAside]:
    """List the jobs that failed or crashed too often, or were stopped, and are set aside."""
    page = await look.list_set_aside(resources(request), query.page_query())
    return Listed([JobSetAside.of(job) for job in page.rows], page.total)


async def stop_job(request: web.Request, job_id: Word) -> None:
    """Stop a job that runs, or `all`; it is set aside."""
    async with resources(request).database.transaction() as tx:
        await control.stop_job(tx, cause_of(request), job_id)


async def retry_job(request: web.Request, job_id: Word) -> None:
    """Have a job that is set aside tried again."""
    async with resources(request).database.transaction() as tx:
        await control.retry_job(tx, cause_of(request), job_id)


async def get_job_log(request: web.Request, job_id: Word) -> web.Response:
    """Get what the last runs of a job logged, and how they ended."""
    return web.Response(text=await look.get_log(resources(request), job_id))


async def list_schedules(request: web.Request, query: PageParams) -> Listed[ScheduleTask]:
    """List the schedules."""
    page = await look.list_schedules(resources(request), query.page_query())
    return Listed([ScheduleTask.of(schedule) for schedule in page.rows], page.total)


async def act_on_schedule(request: web.Request, schedule_id: Id, body: ScheduleActionRequest) -> None:
    """Pause a schedule, or resume it."""
    is_paused = body.action == "pause"
    async with resources(request).database.transaction() as tx:
        await control.pause_schedule(tx, cause_of(request), schedule_id, is_paused=is_paused)


async def get_schedule_paused(request: web.Request, job_type: Word) -> SchedulerStatus:
    """Get whether all schedules are paused: `all` is the only type."""
    if job_type.lower() != control.ALL:
        raise BadRequest("job_type can only be 'all'")
    return SchedulerStatus(await look.are_schedules_paused(resources(request)))


_SEE: Final = Permission.SYSTEM_JOBSERVICE_MONITOR_LIST
_ACT: Final = Permission.SYSTEM_JOBSERVICE_MONITOR_STOP
_jobs = api("jobservice")
_schedule = api("schedule")

ROUTES: Final = (
    _jobs("GET", "/jobservice/queues", list_queues, permission=_SEE),
    _jobs("PUT", "/jobservice/queues/{job_type}", act_on_queue, permission=_ACT, errors=(404,)),
    _jobs("GET", "/jobservice/pools", list_pools, permission=_SEE),
    _jobs("GET", "/jobservice/pools/{pool_id}/workers", list_workers, permission=_SEE, errors=(404,)),
    _jobs("GET", "/jobservice/jobs", list_jobs, permission=_SEE, errors=(400,)),
    _jobs("PUT", "/jobservice/jobs/{job_id}", stop_job, permission=_ACT, errors=(404,)),
    _jobs("PUT", "/jobservice/jobs/{job_id}/retry", retry_job, permission=_ACT, errors=(404,)),
    _jobs("GET", "/jobservice/jobs/{job_id}/log", get_job_log, permission=_SEE, errors=(404,)),
    _schedule("GET", "/schedules", list_schedules, permission=_SEE, errors=(400,)),
    _schedule("PUT", "/schedules/{schedule_id}", act_on_schedule, permission=_ACT, errors=(404,)),
    _schedule(
        "GET", "/schedules/{job_type}/paused", get_schedule_paused, permission=Permission.LOGIN, errors=(400,)
    ),
)
