"""A process whose event loop is stuck ends, and says where; one that is only busy goes on."""

import subprocess
import sys
from textwrap import dedent

import pytest

from tests.support.roadstead import environment_with

pytestmark = pytest.mark.slow


def run(work: str) -> subprocess.CompletedProcess[str]:
    program = f"""
        import asyncio, time
        from datetime import timedelta
        from cli.watchdog import watched

        async def work():
            {work}

        asyncio.run(watched(work(), stuck=timedelta(seconds=1)))
    """
    return subprocess.run(
        [sys.executable, "-c", dedent(program)],
        env=environment_with({}),
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )


def test_a_loop_that_stands_still_ends_the_process() -> None:
    ended = run("await asyncio.sleep(0.1); time.sleep(20)")
    assert ended.returncode == 1
    assert "Timeout (0:00:01)!" in ended.stderr
    assert "in work" in ended.stderr


def test_a_loop_that_turns_goes_on() -> None:
    ended = run("[(time.sleep(0.2), await asyncio.sleep(0)) for _ in range(10)]")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_follows_the_work_is_not_watched() -> None:
    ended = run("asyncio.get_running_loop().run_in_executor(None, time.sleep, 2)")
    assert (ended.returncode, ended.stderr) == (0, "")
