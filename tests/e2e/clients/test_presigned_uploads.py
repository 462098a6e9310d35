"""Uploads to the storage itself as docs/how-to/presigned-uploads.md has them: every line of it runs here."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conformance.client import Repository, open_repository
from tests.conformance.content import digest_of, unique
from tests.conformance.serving import environment_for, settings_for
from tests.support.registry import Registry, running_registry
from tests.support.roadstead import ROOT, roadstead
from tests.support.seaweed import Bucket

PAGE = (ROOT / "docs/how-to/presigned-uploads.md").read_text(encoding="utf-8")
PREPARED, BY_ONE, BY_PARTS, CLOSED = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
IN_PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
SHARE = 6 << 20
DATA = unique(2 * SHARE - 1)


@pytest.fixture
def settings(redis_url: str, bucket: Bucket) -> dict[str, str]:
    """A worker reads all that the storage has not verified."""
    here = {"redis_url": redis_url, "uploads_hash_inline_bytes": "0"}
    return here | bucket.below(f"curl/{uuid4().hex}").settings


@pytest.fixture
async def on_s3(database_url: str, tmp_path: Path, settings: dict[str, str]) -> AsyncIterator[Registry]:
    (tmp_path / "layer.tar.gz").write_bytes(DATA)
    async with running_registry(settings_for(database_url, tmp_path / "data", **settings)) as registry:
        yield registry


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


async def content_of(registry: Registry) -> bytes:
    repo: Repository = await open_repository(registry, "pull", "team/app")
    return (await repo.get(f"blobs/{digest_of(DATA)}")).body


async def test_one_put_by_curl(on_s3: Registry, tmp_path: Path) -> None:
    assert await run(on_s3, tmp_path, *shell(BY_ONE)) == "201\n"
    assert await content_of(on_s3) == DATA


async def test_parts_by_curl_that_a_worker_reads(
    on_s3: Registry, tmp_path: Path, database_url: str, settings: dict[str, str]
) -> None:
    environment = environment_for(database_url, tmp_path / "data", **settings)
    with roadstead("work", output=tmp_path / "worker", environment=environment):
        said = await run(on_s3, tmp_path, *shell(BY_PARTS, CLOSED))
    listed = '{"parts":[{"part_number":1,"size_bytes":6291456},{"part_number":2,"size_bytes":6291455}]}'
    assert said == f"{listed}201\n"
    assert await content_of(on_s3) == DATA


async def test_parts_from_python(database_url: str, tmp_path: Path, bucket: Bucket) -> None:
    (tmp_path / "layer.tar.gz").write_bytes(DATA)
    place = bucket.below(f"python/{uuid4().hex}")
    async with running_registry(settings_for(database_url, tmp_path / "data", **place.settings)) as registry:
        assert await run(registry, tmp_path, sys.executable, "-c", IN_PYTHON) == "201\n"
        assert await content_of(registry) == DATA
