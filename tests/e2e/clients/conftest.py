"""The registry, its accounts, and the programs and daemons of the clients; every test has its own files."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clients.daemons import running_containerd, running_dockerd
from tests.e2e.clients.programs import describe_missing, missing
from tests.e2e.clients.registry import Registry, running_registry
from tests.e2e.clients.relay import Relay
from tests.e2e.clients.tls import Secured, secured_registry
from tests.support import scratch
from tests.support.places import chosen_place

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leaves out the modules whose programs are missing; test_programs.py fails where they are required."""
    return True if missing([collection_path.name]) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.clients)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Says once what was left out; under xdist only the processes that run tests know it."""
    is_asked_for = any(item.path.is_relative_to(HERE) for item in session.items)
    is_spokesman = os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"
    if is_asked_for and is_spokesman and sys.__stderr__ and (lacking := describe_missing()):
        capture = session.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            sys.__stderr__.write(f"\nleft out the tests of clients that are missing here: {lacking}\n")
            sys.__stderr__.flush()


@pytest.fixture(scope="session")
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    storage = {f"ROADSTEAD_{name.upper()}": value for name, value in chosen_place(request, "clients").items()}
    with running_registry(tmp_path_factory.mktemp("registry") / "data", **storage) as running:
        yield running


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """A repository of the private project that no other test uses."""
    return f"private/{_name_of(request)}"


@pytest.fixture
def public_repository(request: pytest.FixtureRequest) -> str:
    """A repository of the public project that no other test uses."""
    return f"public/{_name_of(request)}"


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_registry(tmp_path_factory.mktemp("secured")) as running:
        yield running


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Path]:
    with short_directory() as directory, running_dockerd(directory) as docker_socket:
        yield docker_socket


@pytest.fixture(scope="session")
def containerd() -> Iterator[Path]:
    with short_directory() as directory, running_containerd(directory) as containerd_socket:
        yield containerd_socket


@pytest.fixture
def home() -> Iterator[Path]:
    with short_directory() as directory:
        yield directory


@pytest.fixture
def relay(registry: Registry) -> Iterator[Relay]:
    with Relay() as running, running.passing_on_to(registry.address):
        yield running


@contextlib.contextmanager
def short_directory() -> Iterator[Path]:
    """Lends an empty directory: podman allows 50 characters for its path, Unix sockets 107 for theirs."""
    with tempfile.TemporaryDirectory(prefix="client-", dir=scratch.PLACE) as directory:
        yield Path(directory)


def _name_of(request: pytest.FixtureRequest) -> str:
    module = request.path.stem.removeprefix("test_")
    return re.sub(r"[^a-z0-9]+", "-", f"{module}/{request.node.name}".lower()).strip("-")
