"""The PyPI client `harborapi`, unmodified, on repositories and artifacts."""

from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import pytest
from aiohttp import ClientSession, encode_basic_auth
from harborapi import HarborAsyncClient
from harborapi.exceptions import NotFound
from harborapi.models import Label, Tag
from harborapi.models import Repository as Description

from tests.conformance.client import Repository
from tests.conformance.content import artifact, index, unique
from tests.conformance.serving import OnSocket
from tests.e2e.clients.registry import Registry
from tests.management.content import fresh_image

PROJECT = "private"
Push: TypeAlias = Callable[[str], Repository]


@pytest.fixture
async def harbor(registry: Registry) -> AsyncIterator[HarborAsyncClient]:
    admin = registry.admin
    url = f"http://{registry.address}/api/v2.0"
    client = HarborAsyncClient(url=url, username=admin.name, secret=admin.password, retry=None)
    async with client.client:
        yield client


@pytest.fixture
async def pusher(registry: Registry) -> AsyncIterator[Push]:
    headers = {"Authorization": encode_basic_auth(registry.admin.name, registry.admin.password)}
    async with ClientSession() as session:
        opened = OnSocket(f"http://{registry.address}", session, "")
        yield lambda name: Repository(opened, f"{PROJECT}/{name}", headers)


async def test_repositories(harbor: HarborAsyncClient, pusher: Push) -> None:
    await pusher("harborapi/app").push(fresh_image(), "v1")
    listed = await harbor.get_repositories(PROJECT)
    assert f"{PROJECT}/harborapi/app" in [repository.name for repository in listed]
    await harbor.update_repository(PROJECT, "harborapi/app", Description(description="What it is for"))
    shown = await harbor.get_repository(PROJECT, "harborapi/app")
    assert (shown.description, shown.artifact_count) == ("What it is for", 1)
    await harbor.delete_repository(PROJECT, "harborapi/app")
    with pytest.raises(NotFound):
        await harbor.get_repository(PROJECT, "harborapi/app")


async def test_artifacts(harbor: HarborAsyncClient, pusher: Push) -> None:
    pushed, repository = index([fresh_image()]), pusher("harborapi/app")
    digest = await repository.push(pushed, "v1")
    await repository.push(artifact(payload=unique(), subject=pushed.descriptor()))
    (listed,) = await harbor.get_artifacts(PROJECT, "harborapi/app", with_label=True, with_accessory=True)
    shown = await harbor.get_artifact(PROJECT, "harborapi/app", "v1")
    assert listed.digest == shown.digest == digest
    assert shown.references
    assert shown.references[0].platform
    assert shown.references[0].platform.architecture == "amd64"
    (accessory,) = await harbor.get_artifact_accessories(PROJECT, "harborapi/app", "v1")
    assert accessory.subject_artifact_digest == digest
    location = await harbor.copy_artifact(PROJECT, "harborapi/copy", f"{PROJECT}/harborapi/app:v1")
    assert location.endswith("/artifacts/v1")
    await harbor.delete_artifact(PROJECT, "harborapi/app", digest)
    assert await harbor.get_artifacts(PROJECT, "harborapi/app") == []


async def test_tags_labels_and_additions(harbor: HarborAsyncClient, pusher: Push) -> None:
    history = [{"created": "2026-01-01T00:00:00Z", "created_by": "COPY . /"}]
    digest = await pusher("harborapi/tags").push(fresh_image({"history": history}), "v1")
    await harbor.create_artifact_tag(PROJECT, "harborapi/tags", digest, Tag(name="stable"))
    assert {tag.name for tag in await harbor.get_artifact_tags(PROJECT, "harborapi/tags", "v1")} == {
        "v1",
        "stable",
    }
    await harbor.delete_artifact_tag(PROJECT, "harborapi/tags", digest, "v1")
    (step,) = await harbor.get_artifact_build_history(PROJECT, "harborapi/tags", "stable")
    assert step.created_by == "COPY . /"
    with pytest.raises(NotFound):
        await harbor.add_artifact_label(PROJECT, "harborapi/tags", "stable", Label(id=2**40))
    with pytest.raises(NotFound):
        await harbor.get_artifact_vulnerability_reports(PROJECT, "harborapi/tags", "stable")
