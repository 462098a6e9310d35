"""Manifests that name what is not here: refused, or taken where the operator allows it."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.client import Repository, open_repository
from tests.conformance.content import Content, artifact, image, index, nondistributable_layers, unique
from tests.conformance.serving import settings_for
from tests.support.registry import running_registry
from tests.support.servers import Databases

SWITCHES = ("deny", "allow-index", "allow-all")


@pytest.fixture(scope="module", params=SWITCHES)
async def switched(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, Repository]]:
    with databases.fresh(migrated=True) as url:
        settings = settings_for(url, tmp_path_factory.mktemp("sparse"), manifests_sparse=request.param)
        async with running_registry(settings) as registry:
            yield request.param, await open_repository(registry)


async def assert_taken(repo: Repository, content: Content, *, is_allowed: bool) -> None:
    answer = await repo.put_manifest(content)
    pulled = await repo.get(f"manifests/{content.digest}")
    if is_allowed:
        assert (answer.status, pulled.body) == (201, content.body)
    else:
        assert (answer.status, answer.code) == (404, "MANIFEST_BLOB_UNKNOWN")
        assert pulled.status == 404


async def test_layer_that_is_not_here(switched: tuple[str, Repository]) -> None:
    switch, repo = switched
    made = image([unique()])
    await repo.push_blob(made.blobs[0])
    await assert_taken(repo, made, is_allowed=switch == "allow-all")


async def test_config_that_is_not_here(switched: tuple[str, Repository]) -> None:
    switch, repo = switched
    await assert_taken(repo, image([], config=unique()), is_allowed=switch == "allow-all")


async def test_child_that_is_not_here(switched: tuple[str, Repository]) -> None:
    switch, repo = switched
    here, absent = image([unique()]), image([unique()])
    await repo.push(here)
    await assert_taken(repo, index([here, absent]), is_allowed=switch != "deny")


async def test_layer_that_nobody_may_push(switched: tuple[str, Repository]) -> None:
    _, repo = switched
    made = nondistributable_layers()
    for blob in made.blobs:
        await repo.push_blob(blob)
    await assert_taken(repo, made, is_allowed=True)


async def test_subject_that_is_not_here(switched: tuple[str, Repository]) -> None:
    _, repo = switched
    made = artifact(subject=image([unique()]).descriptor())
    for blob in made.blobs:
        await repo.push_blob(blob)
    await assert_taken(repo, made, is_allowed=True)


async def test_what_came_later_is_whole(switched: tuple[str, Repository]) -> None:
    """An index pushed before its children lists them once they are there, and keeps them."""
    switch, repo = switched
    child = image([unique()])
    outer = index([child])
    first = await repo.put_manifest(outer)
    assert first.status == (404 if switch == "deny" else 201)
    await repo.push(child)
    assert (await repo.put_manifest(outer)).status == 201
    assert (await repo.get(f"manifests/{child.digest}")).body == child.body
