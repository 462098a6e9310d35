"""Everything that an operator wants to see at once."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from app.db import Database
from app.harbor.query import ListQuery
from app.jobs import runs
from app.jobs.runs import EndedRun
from app.jobservice import look, store
from app.jobservice.model import JobSetAside, KindOfJob, RunningJob, WorkerProcess

_SHOWN: Final = 5


class Overview(Struct, frozen=True):
    """How it stands with jobs at a moment."""

    kinds: Sequence[KindOfJob]
    processes: Sequence[WorkerProcess]
    running: Sequence[RunningJob]
    set_aside: Sequence[JobSetAside]
    failures: Sequence[EndedRun]


async def get_overview(database: Database) -> Overview:
    """Return how it stands with jobs now."""
    async with database.autocommit() as statements:
        return Overview(
            kinds=await look.list_kinds(statements),
            processes=await store.list_workers(statements),
            running=await store.list_running(statements),
            set_aside=(await store.SET_ASIDE.page(statements, ListQuery(page_size=_SHOWN))).rows,
            failures=await runs.list_failed(statements, limit=_SHOWN),
        )
