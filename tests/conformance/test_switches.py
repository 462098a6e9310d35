"""What an operator can switch: sparse manifests, sizes of chunks and manifests, projects made by a push."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.client import Repository, open_repository
from tests.conformance.content import (
    Content,
    artifact,
    digest_of,
    image,
    index,
    nondistributable_layers,
    unique,
)
from tests.conformance.serving import settings_for
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases

LEAST = 100_000
SWITCHES = ("deny", "allow-index", "allow-all")


@pytest.fixture(scope="module", params=SWITCHES)
async def switched(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, Repository]]:
    with databases.fresh(migrated=True) as url:
        settings = settings_for(url, tmp_path_factory.mktemp("sparse"), manifests_sparse=request.param)
        async with running_registry(settings) as registry:
            yield request.param, await open_repository(registry)


@pytest.fixture(scope="module")
async def strict(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Registry]:
    """Large chunks, small manifests, no new projects."""
    with databases.fresh(migrated=True) as url:
        settings = settings_for(
            url,
            tmp_path_factory.mktemp("strict"),
            uploads_chunk_min_length=str(LEAST),
            manifests_max_bytes=str(1 << 20),
            auth_create_projects_on_push="false",
        )
        async with running_registry(settings) as registry:
            yield registry


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


async def test_end_4a_least_length_of_a_chunk_is_announced(strict: Registry) -> None:
    """All chunks but the last have it; the last may be shorter, in a PATCH or in the PUT."""
    repo, data = await open_repository(strict, name="library/chunks"), unique(2 * LEAST + 5)
    for put_last in (True, False):
        opened = await repo.send("POST", "blobs/uploads/")
        assert opened.headers["OCI-Chunk-Min-Length"] == str(LEAST)
        first = await repo.patch(opened.location, data[:LEAST], f"0-{LEAST - 1}")
        second = await repo.patch(first.location, data[LEAST : 2 * LEAST], f"{LEAST}-{2 * LEAST - 1}")
        rest, span = data[2 * LEAST :], f"{2 * LEAST}-{len(data) - 1}"
        if put_last:
            closed = await repo.close(second.location, digest_of(data), rest, span)
        else:
            third = await repo.patch(second.location, rest, span)
            closed = await repo.close(third.location, digest_of(data))
        assert closed.status == 201


async def test_mount_that_falls_back_announces_it_too(strict: Registry) -> None:
    repo = await open_repository(strict, name="library/chunks")
    answer = await repo.send("POST", f"blobs/uploads/?mount={digest_of(unique())}")
    assert (answer.status, answer.headers["OCI-Chunk-Min-Length"]) == (202, str(LEAST))


async def test_manifest_above_the_switch_is_413(strict: Registry) -> None:
    repo = await open_repository(strict, name="library/manifests")
    small, large = (image(annotations={"filler": "A" * size}) for size in ((1 << 20) - 2000, 1 << 20))
    await repo.push(small)
    refused = await repo.put_manifest(large)
    assert (refused.status, refused.code) == (413, "SIZE_INVALID")


@pytest.mark.parametrize("path", ["blobs/uploads/", f"blobs/uploads/?digest={digest_of(b'')}"])
async def test_push_makes_no_project(strict: Registry, path: str) -> None:
    repo = Repository(strict, "nowhere/repo", strict.basic)
    answer = await repo.send("POST", path)
    assert answer.status in {202, 403, 404}
    if answer.status == 202:
        answer = await repo.close(answer.location, digest_of(b""))
    assert answer.code in {"NAME_UNKNOWN", "DENIED"}
    assert (await repo.get("tags/list")).status == 404
