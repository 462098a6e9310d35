"""What `roadstead jobs` prints."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.jobs.runs import EndedRun
from app.jobservice.model import JobSetAside, KindOfJob, RunningJob, WorkerProcess
from app.jobservice.overview import Overview
from cli.jobs import lines_of

NOW = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
WORKER = UUID("0f0e0d0c-0000-4000-8000-000000000000")


def test_tables_say_what_waits_runs_and_failed() -> None:
    seen = Overview(
        kinds=[
            KindOfJob("count_pulls"),
            KindOfJob("deliver_webhooks", waiting=12, running=3, age_seconds=7_300, is_paused=True),
        ],
        processes=[
            WorkerProcess(
                WORKER, "here", 7, ["events"], 10, NOW - timedelta(days=2), NOW - timedelta(seconds=4)
            )
        ],
        running=[RunningJob(WORKER, "count_pulls", NOW, "count_pulls:1", 200)],
        set_aside=[JobSetAside("count_pulls:3", "count_pulls", NOW, NOW, failures=30, crashes=0, error="no")],
        failures=[
            EndedRun(
                job_id="count_pulls:2",
                name="count_pulls",
                vendor_id=None,
                worker_id=WORKER,
                started_at=NOW,
                ended_at=NOW,
                outcome="error",
                error="ValueError: \x1b[31mno\nsecond line",
            )
        ],
    )
    assert [" ".join(line.split()) for line in lines_of(seen, NOW)] == [
        "TYPE WAITING OLDEST RUNNING SET ASIDE",
        "COUNT_PULLS 0 - 0 0",
        "WEBHOOK 12 2 h 3 0 paused",
        "",
        "WORKER HOST/PID QUEUES BUSY UP HEARTBEAT",
        "0f0e0d0c here/7 events 1/10 2 d 4 s ago",
        "",
        "SET ASIDE (UTC) JOB ERROR",
        "11-21 16:30:00 count_pulls:3 no",
        "",
        "FAILED (UTC) HOW JOB ERROR",
        "11-21 16:30:00 error count_pulls:2 ValueError: ?[31mno",
    ]
