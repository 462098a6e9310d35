"""No event is forgotten, and every job that can be owed has a worker that does it."""

import re
from datetime import UTC, datetime
from importlib import import_module
from inspect import iscoroutinefunction, signature
from pkgutil import iter_modules
from typing import get_args

import workers
from app import jobs
from app.events import Event
from app.jobs import Job
from app.jobs.cron import next_after
from app.settings import WorkerSettings
from workers.catalogue import NUDGED, OWED, RUNS, SCHEDULED, SYSTEM_SCHEDULES
from workers.subscriptions import SUBSCRIPTIONS

JOBS = {value for value in vars(jobs).values() if isinstance(value, Job)}


def test_every_event_has_a_subscription() -> None:
    assert set(SUBSCRIPTIONS) == set(get_args(Event))


def test_every_event_is_named_by_its_class_in_the_past_tense() -> None:
    for event in get_args(Event):
        words = re.findall(r"[A-Z][a-z]+", event.__name__)
        assert event.__struct_config__.tag == f"{'-'.join(words[:-1])}.{words[-1]}".lower()
        assert words[-1].endswith("ed")


def test_every_job_has_a_worker_on_its_queue() -> None:
    assert set(RUNS) == set(jobs.JOBS) == JOBS
    assert {job.queue for job in JOBS} == set(jobs.QUEUES_IN_USE) <= set(jobs.QUEUES)


def test_a_queue_has_jobs_or_what_it_is_there_for_can_be_seen() -> None:
    assert sorted((*jobs.QUEUES_IN_USE, *(job.queue for job in jobs.COMING))) == sorted(jobs.QUEUES)
    assert len(jobs.TYPES) == len(set(jobs.TYPES.values())) == len(jobs.JOBS) + len(jobs.COMING) + 1


def test_every_queue_has_its_settings() -> None:
    settings = WorkerSettings()
    assert all(settings.concurrency(queue) > 0 for queue in jobs.QUEUES)
    nudged = {job.queue for job in NUDGED}
    assert all(settings.tries(queue) > 0 for queue in jobs.QUEUES if queue not in nudged)


def test_relay_tells_of_every_job_that_is_a_row_in_the_order_of_the_queues() -> None:
    assert set(OWED) == JOBS - set(NUDGED)
    places = [jobs.QUEUES.index(job.queue) for job in OWED]
    assert places == sorted(places)


def test_every_coroutine_that_takes_a_context_is_a_job() -> None:
    modules = [import_module(f"workers.{module.name}") for module in iter_modules(workers.__path__)]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if iscoroutinefunction(value) and "context" in signature(value).parameters
    }
    assert found == set(RUNS.values())


def test_schedules_of_the_system_come_and_have_a_job_that_takes_no_events() -> None:
    assert set(SYSTEM_SCHEDULES) <= set(SCHEDULED)
    now = datetime.now(UTC)
    assert all(next_after(cron, "UTC", now) for cron in SYSTEM_SCHEDULES.values())
