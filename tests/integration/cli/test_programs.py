"""Programs as children: as whom they run, what they can reach, and that they never outlive us."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cli.programs import Program, StartError, run_to_end, start, unprivileged_account
from tests.support.waiting import is_running, wait_until

PARENT = """
import signal, sys, time
from cli.programs import Program, start
child = [sys.executable, "-c", sys.argv[1]]
start(Program(name="child", arguments=child, abrupt_signal=signal.Signals(int(sys.argv[2]))))
time.sleep(600)
"""
CHILD = """
import os, signal, sys, time
# Not print: the signal may come in the middle of the one below.
signal.signal(signal.SIGINT, lambda *_: sys.exit(0 if os.write(1, b"interrupted") else 1))
print(os.getpid(), flush=True)
time.sleep(600)
"""


def shell(script: str, log: Path) -> Program:
    return Program(name="shell", arguments=["/bin/sh", "-c", script], log=log)


def words_of_an_orphan(abrupt_signal: signal.Signals) -> list[str]:
    """Kill the parent of a child, and return what the child says until it is gone."""
    command = [sys.executable, "-c", PARENT, CHILD, str(int(abrupt_signal))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()
        words = parent.stdout.read().split()  # until the last who could write has gone
    wait_until(lambda: not is_running(child), "the child is gone")
    return words


def test_nothing_outlives_a_killed_parent() -> None:
    assert words_of_an_orphan(signal.SIGKILL) == []


def test_an_orphan_gets_the_signal_that_suits_it() -> None:
    assert words_of_an_orphan(signal.SIGINT) == ["interrupted"]


def test_a_program_reads_what_it_is_given(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run_to_end(replace(shell("cat", log), stdin=b"secret"))
    assert log.read_bytes() == b"secret"


def test_a_program_runs_without_root_in_a_session_of_its_own(tmp_path: Path) -> None:
    account, log = unprivileged_account(), tmp_path / "log"
    run_to_end(replace(shell("id -u; id -G; ps -o sid= -p $$; echo $$", log), account=account))
    uid, groups, session, pid = log.read_text().split()
    assert int(uid) == (account.uid if account else os.geteuid())
    assert groups == str(account.gid) if account else groups
    assert session == pid


def test_a_program_without_root_may_pass_closed_directories(tmp_path: Path) -> None:
    log, closed = tmp_path / "log", tmp_path / "closed"
    closed.mkdir()
    (closed / "file").write_text("reached")
    closed.chmod(0o700)
    run_to_end(replace(shell(f"cat {closed}/file", log), account=unprivileged_account(), reach=True))
    assert log.read_text() == "reached"


def test_the_last_words_of_a_failure_are_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^shell exited with status 3\. first second$"):
        run_to_end(shell("echo first; echo second; exit 3", tmp_path / "log"))


def test_a_signal_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^shell was ended by SIGKILL\.$"):
        run_to_end(shell("kill -9 $$", tmp_path / "log"))


def test_ctrl_c_does_not_reach_children(tmp_path: Path) -> None:
    with start(shell("echo ready; exec sleep 600", tmp_path / "log")) as child:
        try:
            assert os.getpgid(child.pid) != os.getpgid(0)
        finally:
            child.send_signal(signal.SIGTERM)
