"""Uploads to the storage itself as docs/how-to/presigned-uploads.md has them: every line of it runs here."""

import asyncio
import hashlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from tests.conformance.content import unique
from tests.conformance.serving import environment_for, settings_for
from tests.support.places import BUCKETS, Place, place_of
from tests.support.registry import Registry, running_registry
from tests.support.roadstead import ROOT, UNMEASURED, roadstead

PAGE = (ROOT / "docs/how-to/presigned-uploads.md").read_text(encoding="utf-8")
PREPARED, BY_ONE, BY_PARTS, CLOSED, AND_BACK = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
IN_PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
SHARE = 6 << 20
DATA = unique(2 * SHARE - 1)
SUM = f"{hashlib.sha256(DATA).hexdigest()}  -\n"


class Files:
    """No place of its own: the registry's directory, and its own URLs."""

    settings: Final[dict[str, str]] = {}
    endpoint = "http://127.0.0.1:"

    def by(self, _: str) -> "Files":
        return self

    def below(self, _: str) -> "Files":
        return self


@pytest.fixture(params=["files", *BUCKETS])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "files":
        return Files()
    return place_of(request, request.param).below(f"clients/{uuid4().hex}")


@pytest.fixture
def settings(redis_url: str, place: Place) -> dict[str, str]:
    """A worker reads all that the storage has not verified."""
    return {"redis_url": redis_url, "uploads_hash_inline_bytes": "0", **place.settings}


@pytest.fixture
async def registry(database_url: str, tmp_path: Path, settings: dict[str, str]) -> AsyncIterator[Registry]:
    (tmp_path / "layer.tar.gz").write_bytes(DATA)
    async with running_registry(settings_for(database_url, tmp_path / "data", **settings)) as registry:
        yield registry


@pytest.fixture
def worker(database_url: str, tmp_path: Path, settings: dict[str, str]) -> Iterator[None]:
    environment = environment_for(database_url, tmp_path / "data", **settings)
    with roadstead("work", output=tmp_path / "worker", environment={**environment, **UNMEASURED}):
        yield


async def run(registry: Registry, home: Path, *command: str) -> str:
    """Run a program beside `layer.tar.gz`, as the reader of the page would, and return its output."""
    login = f"admin:{registry.resources.settings.admin_password}"
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "REGISTRY": registry.url, "LOGIN": login},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


def shell(*blocks: str) -> list[str]:
    """The page's lines, with our own registry and account, and parts that are quickly sent."""
    ours = re.sub(r"^(REGISTRY|LOGIN)=.*\n", "", "\n".join((PREPARED, *blocks)), flags=re.MULTILINE)
    assert "$REGISTRY" in ours
    return ["bash", "-euo", "pipefail", "-c", ours.replace("-b 64M", f"-b {SHARE}")]


def linked(home: Path, place: Place) -> bool:
    """Whether the link led to the storage itself."""
    link: dict[str, str] = json.loads((home / "link.json").read_text())
    return link["url"].startswith(place.endpoint)


@pytest.mark.parametrize("place", ["s3"], indirect=True)
async def test_one_put_by_curl_that_the_storage_verifies(
    registry: Registry, place: Place, tmp_path: Path
) -> None:
    assert await run(registry, tmp_path, *shell(BY_ONE, AND_BACK)) == f"201\n{SUM}"
    assert linked(tmp_path, place)


@pytest.mark.usefixtures("worker")
async def test_one_put_by_curl_that_a_worker_reads(registry: Registry, place: Place, tmp_path: Path) -> None:
    until_the_close, _, _ = BY_ONE.rpartition("curl")
    said = await run(registry, tmp_path, *shell(until_the_close, CLOSED, AND_BACK))
    assert said.endswith(f"201\n{SUM}")  # Google's test server says something to each PUT
    assert linked(tmp_path, place)


@pytest.mark.usefixtures("worker")
async def test_parts_by_curl_that_a_worker_reads(registry: Registry, tmp_path: Path) -> None:
    said = await run(registry, tmp_path, *shell(BY_PARTS, CLOSED, AND_BACK))
    listed = '{"parts":[{"part_number":1,"size_bytes":6291456},{"part_number":2,"size_bytes":6291455}]}'
    assert said.endswith(f"{listed}201\n{SUM}")


async def test_parts_from_python(database_url: str, tmp_path: Path, place: Place) -> None:
    (tmp_path / "layer.tar.gz").write_bytes(DATA)
    async with running_registry(settings_for(database_url, tmp_path / "data", **place.settings)) as registry:
        assert await run(registry, tmp_path, sys.executable, "-c", IN_PYTHON) == "201\nTrue\n"
