"""The supervisor with real children, which are small scripts."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cli.programs import Program, StartError
from cli.supervisor import Supervisor
from tests.support.waiting import is_running

Flow = Callable[[Supervisor], Coroutine[Any, Any, None]]

STEADY = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
LAST_WORDS = """
import signal, sys, time
def end(*_):
    time.sleep(0.2)
    open(sys.argv[1], "a").write(sys.argv[2] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(600)
"""


def script(
    text: str, *arguments: str, name: str = "child", log: Path | None = None, grace: float = 10
) -> Program:
    return Program(
        name=name, arguments=[sys.executable, "-I", "-S", "-c", text, *arguments], log=log, grace=grace
    )


def wrote(log: Path, text: str = "") -> Callable[[int], bool]:
    return lambda _pid: log.exists() and log.read_text() != text


def stop_ourselves() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


async def supervise(flow: Flow) -> list[str]:
    reports: list[str] = []
    async with asyncio.timeout(30):
        await Supervisor(reports.append).supervise(flow)
    return reports


async def test_a_killed_child_is_started_again() -> None:
    pids: list[int] = []

    async def flow(supervisor: Supervisor) -> None:
        async with supervisor.group() as group:
            child = group.start(script(STEADY))
            pids.append(child.pid)
            os.kill(child.pid, signal.SIGKILL)
            await child.until(lambda pid: pid != pids[0])
            pids.append(child.pid)
            assert is_running(child.pid)

    assert await supervise(flow) == ["child was ended by SIGKILL. Starting it again."]
    assert not any(map(is_running, pids))


@pytest.mark.slow
async def test_a_child_that_cannot_start_ends_everything(tmp_path: Path) -> None:
    others: list[int] = []

    async def flow(supervisor: Supervisor) -> None:
        async with supervisor.group() as group:
            others.append(group.start(script(STEADY)).pid)
            await group.start(script("raise SystemExit(7)", name="broken", log=tmp_path / "log")).until(
                lambda _: False
            )

    with pytest.raises(
        StartError, match=rf"^broken cannot be started: it exited with status 7. See {tmp_path}/log.$"
    ):
        await supervise(flow)
    assert not is_running(others[0])


async def test_a_wrong_setting_is_not_tried_again(tmp_path: Path) -> None:
    count = tmp_path / "count"

    async def flow(supervisor: Supervisor) -> None:
        async with supervisor.group() as group:
            group.start(script("import sys; open(sys.argv[1], 'a').write('x'); sys.exit(2)", str(count)))
            await asyncio.Event().wait()

    with pytest.raises(StartError, match="status 2"):
        await supervise(flow)
    assert count.read_text() == "x"


@pytest.mark.slow
async def test_once_everything_is_up_no_child_is_given_up(tmp_path: Path) -> None:
    failing = (
        "import os, sys; n = os.path.getsize(sys.argv[1]); open(sys.argv[1], 'a').write('x'); sys.exit(1)"
    )
    count = tmp_path / "count"
    count.touch()

    async def flow(supervisor: Supervisor) -> None:
        async with supervisor.group() as group:
            group.start(script(failing, str(count)))
            supervisor.is_settled = True
            await group.start(script(STEADY)).until(lambda _: count.stat().st_size == 6)

    reports = await supervise(flow)
    assert reports[0] == "child exited with status 1. Starting it again."
    assert reports[4].startswith("child exited with status 1, 5 times in a row. Starting it again in 1.6 s.")


async def test_groups_stop_in_reverse_and_members_together(tmp_path: Path) -> None:
    order = tmp_path / "order"

    async def flow(supervisor: Supervisor) -> None:
        async with supervisor.group() as first, supervisor.group() as second:
            for number, (group, name) in enumerate(((first, "database"), (second, "web"), (second, "web"))):
                log = tmp_path / f"log-{number}"
                await group.start(script(LAST_WORDS, str(order), name, log=log)).until(wrote(log))
            stop_ourselves()
            await supervisor.until_stopped()

    assert await supervise(flow) == []
    assert order.read_text() == "web web database "


async def test_a_stubborn_child_is_killed_when_its_grace_is_over(tmp_path: Path) -> None:
    log, pids = tmp_path / "log", list[int]()

    async def flow(supervisor: Supervisor) -> None:
        async with supervisor.group() as group:
            child = group.start(script(STUBBORN, log=log, grace=0.1))
            await child.until(wrote(log))
            pids.append(child.pid)

    await supervise(flow)
    assert not is_running(pids[0])


async def test_a_second_request_to_stop_does_not_wait(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def flow(supervisor: Supervisor) -> None:
        async with supervisor.group() as group:
            await group.start(script(STUBBORN, log=log, grace=600)).until(wrote(log))
            asyncio.get_running_loop().call_later(0.1, stop_ourselves)
            asyncio.get_running_loop().call_later(0.2, stop_ourselves)
            await supervisor.until_stopped()

    await supervise(flow)


async def test_a_stop_interrupts_the_start() -> None:
    async def flow(supervisor: Supervisor) -> None:
        async with supervisor.group() as group:
            asyncio.get_running_loop().call_later(0.1, stop_ourselves)
            await group.run(script(STEADY))
            pytest.fail("the start went on")

    assert await supervise(flow) == []


async def test_a_program_that_must_end_well_does_not() -> None:
    async def flow(supervisor: Supervisor) -> None:
        async with supervisor.group() as group:
            await group.run(script(""))
            await group.run(script("raise SystemExit(3)", name="The migration"))

    with pytest.raises(StartError, match=r"^The migration exited with status 3"):
        await supervise(flow)
