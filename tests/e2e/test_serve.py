"""`roadstead migrate`, `serve` and `work`, as they run in production."""

import signal
import socket
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.conftest import SECRET_KEY
from tests.support.roadstead import RunningRoadstead, roadstead
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(empty_database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return {
        "ROADSTEAD_DATA": str(tmp_path),
        "ROADSTEAD_LISTEN": f"127.0.0.1:{port}",
        "ROADSTEAD_DATABASE_URL": empty_database_url,
        "ROADSTEAD_REDIS_URL": redis_url,
        "ROADSTEAD_AUTH_SECRET_KEY": SECRET_KEY,
    }


def run(verb: str, environment: dict[str, str], **settings: str) -> AbstractContextManager[RunningRoadstead]:
    output = Path(environment["ROADSTEAD_DATA"]) / f"{verb}.output"
    return roadstead(verb, output=output, environment={**environment, **settings})


def finish(verb: str, environment: dict[str, str], **settings: str) -> tuple[int, str]:
    with run(verb, environment, **settings) as program:
        return program.process.wait(timeout=60), program.said


def end(program: RunningRoadstead) -> int:
    program.process.send_signal(signal.SIGTERM)
    return program.process.wait(timeout=60)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_web_processes_serve_what_was_migrated(environment: dict[str, str], processes: str) -> None:
    assert finish("migrate", environment)[0] == 0
    with run("serve", environment, ROADSTEAD_PROCESSES=processes) as serve:
        wait_until(lambda: serve.said.count("web_process_started") == int(processes), "they have started")
        assert serve.status_of("/readyz", address=environment["ROADSTEAD_LISTEN"]) == 200
        assert end(serve) == 0
    assert serve.said.count("web_process_stopped") == int(processes)


def test_migrating_again_changes_nothing_but_the_password(environment: dict[str, str]) -> None:
    first, second, third = (
        finish("migrate", environment, ROADSTEAD_ADMIN_PASSWORD=password)
        for password in ("First-password-1", "Second-password-2", "Second-password-2")
    )
    assert [status for status, _ in (first, second, third)] == [0, 0, 0]
    assert "Applied migration" in first[1]
    assert second[1] + third[1] == ""
    with run("serve", environment, ROADSTEAD_PROCESSES="1") as serve:
        address = environment["ROADSTEAD_LISTEN"]
        wait_until(lambda: serve.status_of("/readyz", address=address) == 200, "it serves")
        assert serve.status_of("/v2/", "First-password-1", address=address) == 401
        assert serve.status_of("/v2/", "Second-password-2", address=address) == 200


def test_migrating_with_a_weak_password_says_what_it_lacks(
    environment: dict[str, str],
) -> None:
    status, said = finish("migrate", environment, ROADSTEAD_ADMIN_PASSWORD="admin-password")
    assert status == 2
    sentence = said.splitlines()[-1]
    assert sentence.startswith("ROADSTEAD_ADMIN_PASSWORD is too weak. A password has 8 to 128 characters")
    assert sentence.endswith("this one has no upper-case letter, no digit.")
    assert "admin-password" not in said


def test_a_worker_ends_when_it_is_told_to(environment: dict[str, str]) -> None:
    assert finish("migrate", environment)[0] == 0
    with run("work", environment) as work:
        wait_until(lambda: "worker_process_started" in work.said, "it works")
        assert end(work) == 0
    assert "Traceback" not in work.said


def test_a_database_that_is_not_there_is_one_sentence(environment: dict[str, str]) -> None:
    url = f"postgresql://nobody@/none?host={environment['ROADSTEAD_DATA']}"
    status, said = finish("migrate", environment, ROADSTEAD_DATABASE_URL=url)
    assert status == 1
    assert said.startswith("The database cannot be migrated: ")
    assert "Traceback" not in said


def test_web_processes_that_cannot_start_are_given_up_with_a_reason(environment: dict[str, str]) -> None:
    url = f"postgresql://nobody@/none?host={environment['ROADSTEAD_DATA']}"
    status, said = finish("serve", environment, ROADSTEAD_DATABASE_URL=url, ROADSTEAD_PROCESSES="2")
    assert status == 1
    assert "cannot be started: it exited with status 1" in said.splitlines()[-1]
    assert "Traceback" not in said
