"""`roadstead up`, as the person at the terminal meets it."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.jobs import QUEUES_IN_USE
from tests.support.roadstead import RunningRoadstead, roadstead, roadstead_up
from tests.support.scratch import short_directory
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

BUSY_MACHINE_SECONDS = 20.0  # the goal of 5 s is for a machine that has nothing else to do


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with short_directory() as directory:
        yield directory


@pytest.fixture(scope="module")
def up(directory: Path) -> Iterator[RunningRoadstead]:
    """One that runs all the time, for the tests that it has to survive."""
    with roadstead_up(directory / "data", ROADSTEAD_PROCESSES="2") as up:
        wait_until(lambda: workers_started(up) == len(QUEUES_IN_USE), "the workers have started")
        yield up


def workers_started(up: RunningRoadstead) -> int:
    return up.said.count("worker_process_started")


def is_admin(up: RunningRoadstead, password: str) -> bool:
    return up.status_of("/v2/", password) == 200


def test_it_says_how_to_use_it(up: RunningRoadstead, directory: Path) -> None:
    assert up.ready_seconds < BUSY_MACHINE_SECONDS
    assert f"docker login {up.address} --username admin" in up.said
    assert f"docker push {up.address}/library/" in up.said
    assert f"docker pull {up.address}/library/" in up.said
    kept = directory / "data/admin-password"
    assert kept.read_text().strip() == up.password
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_password_it_says_is_the_administrator_s(up: RunningRoadstead) -> None:
    assert is_admin(up, up.password)
    assert not is_admin(up, "another-password")


def test_nobody_else_can_read_what_it_keeps(up: RunningRoadstead, directory: Path) -> None:
    data = directory / "data"
    assert up.process.poll() is None
    readable = [path for path in data.iterdir() if path.stat().st_mode & 0o077]
    assert readable == []


def test_secrets_are_on_no_command_line(up: RunningRoadstead, directory: Path) -> None:
    secrets = (directory / "data/secrets.json").read_text()
    lines = " ".join(up.children().values())
    assert "postgres" in lines
    assert [line for line in secrets.split('"') if len(line) > 30 and line in lines] == []


def test_its_workers_may_call_this_machine(up: RunningRoadstead) -> None:
    workers = [pid for pid, command in up.children().items() if " work " in command]
    assert len(workers) == len(QUEUES_IN_USE)
    for pid in workers:
        environment = Path(f"/proc/{pid}/environ").read_text().split("\0")
        assert "ROADSTEAD_OUTGOING_ALLOW=127.0.0.0/8, ::1" in environment


def test_a_second_start_is_refused(up: RunningRoadstead, directory: Path) -> None:
    environment = {"ROADSTEAD_DATA": str(directory / "data"), "ROADSTEAD_LISTEN": "127.0.0.1:0"}
    with roadstead("up", output=directory / "second.output", environment=environment) as second:
        assert second.process.wait(timeout=60) == 1
    assert second.said == (
        f"{directory}/data is in use by process {up.process.pid}. "
        "Stop that one, or set ROADSTEAD_DATA to another.\n"
    )


def test_a_taken_port_is_refused(up: RunningRoadstead, directory: Path) -> None:
    environment = {"ROADSTEAD_DATA": str(directory / "other"), "ROADSTEAD_LISTEN": up.address}
    with roadstead("up", output=directory / "other.output", environment=environment) as second:
        assert second.process.wait(timeout=60) == 1
    assert second.said.startswith(f"Cannot listen on {up.address}: another program listens there.")
    assert second.said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "name", "sign_of_life"),
    [
        ("serve --fd", "web-1", "web_process_started"),
        ("work --queue events", "worker-events", "worker_process_started"),
        ("valkey-server", "Valkey", "Starting it again"),
        ("postgres -D", "PostgreSQL", "Starting it again"),
    ],
)
def test_a_killed_process_is_started_again_and_the_others_carry_on(
    up: RunningRoadstead, words: str, name: str, sign_of_life: str
) -> None:
    killed, before, signs = up.child(words), up.children(), up.said.count(sign_of_life)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: f"{name} was ended by SIGKILL. Starting it again." in up.said, "it is noticed")
    wait_until(lambda: up.child(words) != killed, "it runs again")
    wait_until(lambda: up.said.count(sign_of_life) > signs, "it has started")
    wait_until(up.is_ready, "it serves")
    after = up.children()
    assert {line for pid, line in before.items() if pid not in after} == {before[killed]}, up.said
    assert is_admin(up, up.password)


def test_connections_that_wait_for_a_killed_process_are_served(up: RunningRoadstead) -> None:
    for pid, line in up.children().items():
        if "serve --fd" in line:
            os.kill(pid, signal.SIGKILL)
    assert up.is_ready()


def test_kill_9_of_the_parent_leaves_nothing_behind_and_loses_nothing(directory: Path) -> None:
    data = directory / "killed"
    with roadstead_up(data) as up:
        password = up.password
        wait_until(lambda: len(up.children()) >= 5, "everything runs")
        up.kill()
    with roadstead_up(data) as up:
        assert up.password == password
        assert is_admin(up, password)
        assert up.stop() == 0


def test_ctrl_c_stops_everything_in_order_and_the_next_start_goes_on(directory: Path) -> None:
    data = directory / "stopped"
    with roadstead_up(data) as up:
        first = up.password
        wait_until(lambda: workers_started(up) == len(QUEUES_IN_USE), "the workers have started")
        assert up.stop() == 0
        ends = [up.said.rindex(f"{what}_process_stopped") for what in ("web", "worker")]
        assert ends == sorted(ends)
        assert "database system is shut down" in (data / "log/postgres.log").read_text()
    with roadstead_up(data, ROADSTEAD_ADMIN_PASSWORD="Chosen-by-hand-1") as up:
        assert "Chosen-by-hand-1" not in up.said
        assert is_admin(up, "Chosen-by-hand-1")
        assert not is_admin(up, first)
        assert up.stop() == 0


def test_ctrl_c_in_the_middle_of_the_start_stops_it(directory: Path) -> None:
    data = directory / "interrupted"
    environment = {"ROADSTEAD_DATA": str(data), "ROADSTEAD_LISTEN": "127.0.0.1:0"}
    with roadstead("up", output=directory / "interrupted.output", environment=environment) as up:
        wait_until((data / "postgres.new").exists, "initdb runs")
        assert up.stop() == 0
    with roadstead_up(data) as up:
        assert up.is_ready()
        assert up.stop() == 0


def test_it_runs_where_only_root_may_go(directory: Path) -> None:
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    with roadstead_up(closed / "data") as up:
        assert up.is_ready()
        assert up.stop() == 0


def test_it_runs_on_a_path_too_long_for_sockets(directory: Path) -> None:
    with roadstead_up(directory / ("d" * 120), TMPDIR=str(directory)) as up:
        assert up.is_ready()
        assert up.stop() == 0


def test_servers_of_others_are_used_where_given(
    directory: Path, empty_database_url: str, redis_url: str
) -> None:
    settings = {"ROADSTEAD_DATABASE_URL": empty_database_url, "ROADSTEAD_REDIS_URL": redis_url}
    with roadstead_up(directory / "borrowed", **settings) as up:
        assert up.is_ready()
        assert not [line for line in up.children().values() if "postgres" in line or "valkey" in line]
        assert up.stop() == 0
