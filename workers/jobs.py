"""Looking after what is kept of jobs."""

from typing import Any

import structlog

from app.jobs import runs
from app.resources import Resources

log = structlog.get_logger()


async def purge_job_runs(context: dict[str, Any]) -> int:
    """Forget runs that are old."""
    r: Resources = context["resources"]
    removed = await runs.purge(r.database, r.settings.workers.run_retention)
    if removed:
        log.info("job_runs_purged", removed=removed)
    return removed
