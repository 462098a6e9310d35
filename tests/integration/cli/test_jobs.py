"""`roadstead jobs` as its user runs it."""

import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator
from signal import SIGINT

import pytest

from app.resources import Resources, open_resources
from app.settings import Settings
from tests.support.jobs import JOB, owe, told
from tests.support.roadstead import ROOT, environment_with

pytestmark = pytest.mark.slow


@pytest.fixture
async def r(settings: Settings) -> AsyncIterator[Resources]:
    async with open_resources(settings) as opened:
        yield opened


def jobs(r: Resources, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "jobs", *arguments],
        cwd=ROOT,
        env=environment(r.settings),
        capture_output=True,
        text=True,
        check=False,
    )


def environment(settings: Settings) -> dict[str, str]:
    return environment_with({"ROADSTEAD_DATABASE_URL": settings.database.url, "TERM": "xterm"})


async def test_jobs_are_shown_paused_and_retried(r: Resources) -> None:
    (job_id,) = await owe(r, "a")
    assert jobs(r, "pause", "write_audit_log").stdout == "Paused write_audit_log.\n"
    assert not await told(r)
    shown = jobs(r)
    row = next(line.split() for line in shown.stdout.splitlines() if line.startswith("WRITE_AUDIT_LOG"))
    assert (row[1], row[-1]) == ("1", "paused")
    assert "\x1b" not in shown.stdout
    assert jobs(r, "resume", "all").stdout == "Resumed all.\n"
    assert jobs(r, "pause", "other").stderr == "there are no jobs of type 'other'.\n"
    assert jobs(r, "retry", JOB.type).stdout == "Jobs that are tried again: 0.\n"
    assert jobs(r, "retry", job_id).returncode == 1
    assert [job.id for job in await told(r)] == [job_id]


def test_on_a_terminal_it_is_kept_up_to_date_until_it_is_interrupted(settings: Settings) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "jobs"],
        cwd=ROOT,
        env=environment(settings),
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        seen = b""
        while seen.count(b"WRITE_AUDIT_LOG") < 2:
            seen += os.read(ours, 65_536)
        process.send_signal(SIGINT)
        while b"\x1b[?1049l" not in seen:
            seen += os.read(ours, 65_536)
        assert process.wait(timeout=20) == 0
    os.close(ours)
    assert b"Traceback" not in seen
