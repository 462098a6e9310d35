"""Requests at the same moment: each answer is true, and together they leave nothing broken."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import pytest

from tests.conformance.client import Answer, Registry, Repository, bearer, open_repository
from tests.conformance.content import artifact, digest_of, image, index, unique
from tests.support.eventually import pass_time

pytestmark = pytest.mark.slow

ROUNDS = 15
MANY = 12


async def later(step: int, request: Coroutine[Any, Any, Answer]) -> Answer:
    """The request a little later in each round, so that it meets the other at each of its steps."""
    await pass_time(step / 7_000)
    return await request


@pytest.mark.parametrize("size", [100, 100_000], ids=["small", "large"])
async def test_manifest_pushed_while_its_layer_is_deleted(repo: Repository, size: int) -> None:
    """One of the two wins: a manifest that was accepted has all its layers."""
    for step in range(ROUNDS):
        made = image([unique(size)])
        for blob in made.blobs:
            await repo.push_blob(blob)
        layer = f"blobs/{digest_of(made.blobs[1])}"
        pushed, deleted = await asyncio.gather(repo.put_manifest(made), later(step, repo.delete(layer)))
        assert (pushed.status, deleted.status) in {(201, 405), (404, 202)}
        assert (await repo.head(layer)).status == (200 if pushed.status == 201 else 404)


async def test_index_pushed_while_a_child_is_deleted(repo: Repository) -> None:
    for step in range(ROUNDS):
        child = image([unique()])
        await repo.push(child)
        outer = index([child])
        pushed, deleted = await asyncio.gather(
            repo.put_manifest(outer), later(step, repo.delete(f"manifests/{child.digest}"))
        )
        assert (pushed.status, deleted.status) in {(201, 405), (404, 202)}
        assert (await repo.head(f"manifests/{child.digest}")).status == (200 if pushed.status == 201 else 404)


async def test_blob_mounted_while_it_is_deleted_at_its_source(target: Registry, other: Repository) -> None:
    repo = await open_repository(target)
    scopes = (f"repository:{repo.name}:pull,push", f"repository:{other.name}:pull")
    repo = Repository(target, repo.name, bearer(await target.token(*scopes)))
    for step in range(ROUNDS):
        data = unique()
        digest = await other.push_blob(data)
        mounted, deleted = await asyncio.gather(
            repo.send("POST", f"blobs/uploads/?mount={digest}&from={other.name}"),
            later(step, other.delete(f"blobs/{digest}")),
        )
        assert deleted.status == 202
        assert mounted.status in {201, 202}
        there = await repo.get(f"blobs/{digest}")
        assert (there.status, there.body == data) == ((200, True) if mounted.status == 201 else (404, False))


async def test_tag_pushed_by_many_is_one_of_theirs(repo: Repository) -> None:
    made = [image([unique()]) for _ in range(MANY)]
    for content in made:
        await repo.push(content)
    answers = await asyncio.gather(*(repo.put_manifest(content, "latest") for content in made))
    assert {answer.status for answer in answers} == {201}
    assert (await repo.get("manifests/latest")).body in {content.body for content in made}
    assert await repo.tags() == ["latest"]


async def test_one_manifest_pushed_by_many(repo: Repository) -> None:
    made = index([image()], subject=image().descriptor())
    await repo.push(made)
    fresh = artifact(payload=unique())
    for blob in fresh.blobs:
        await repo.push_blob(blob)
    answers = await asyncio.gather(*(repo.put_manifest(fresh, f"tag-{n}") for n in range(MANY)))
    assert {answer.status for answer in answers} == {201}
    assert len(await repo.tags()) == MANY


async def test_tags_of_two_pushes_that_overlap(repo: Repository) -> None:
    """Many tags at once in opposite orders: no deadlock reaches a client."""
    one, two = image([b"one"]), image([b"two"])
    await repo.push(one)
    await repo.push(two)
    names = [f"tag={n:02}" for n in range(20)]
    for _ in range(ROUNDS):
        answers = await asyncio.gather(
            repo.put_manifest(one, f"{one.digest}?{'&'.join(names)}"),
            repo.put_manifest(two, f"{two.digest}?{'&'.join(reversed(names))}"),
        )
        assert [answer.status for answer in answers] == [201, 201]
        heads = [await repo.head(f"manifests/{n:02}") for n in range(20)]
        assert len({head.headers["Docker-Content-Digest"] for head in heads}) == 1


@pytest.mark.parametrize("what", ["tag", "manifest", "blob"])
async def test_many_deletes_of_one_thing_are_one(repo: Repository, what: str) -> None:
    digest = await repo.push(image([unique()]), "latest")
    blob = await repo.push_blob(unique())
    path = {"tag": "manifests/latest", "manifest": f"manifests/{digest}", "blob": f"blobs/{blob}"}[what]
    answers = await asyncio.gather(*(repo.delete(path) for _ in range(MANY)))
    assert Counter(answer.status for answer in answers) == {202: 1, 404: MANY - 1}


async def test_first_pushes_to_a_new_project_at_once(target: Registry) -> None:
    project = f"new-{uuid4().hex}"
    repos = [await open_repository(target, name=f"{project}/repo-{n % 3}") for n in range(MANY)]
    digests = await asyncio.gather(*(repo.push_blob(unique(100)) for repo in repos))
    for repo, digest in zip(repos, digests, strict=True):
        assert (await repo.head(f"blobs/{digest}")).status == 200


@pytest.mark.parametrize("size", [1000, 1_000_000], ids=["small", "large"])
async def test_pulls_during_a_delete_are_whole_or_not_at_all(repo: Repository, size: int) -> None:
    data = unique(size)
    path = f"blobs/{await repo.push_blob(data)}"

    before = [repo.get(path) for _ in range(MANY)]
    *pulled, deleted = await asyncio.gather(*before, repo.delete(path))
    assert deleted.status == 202
    assert all(answer.body == data if answer.status == 200 else answer.status == 404 for answer in pulled)
    assert {answer.status for answer in await asyncio.gather(*(repo.get(path) for _ in range(MANY)))} == {404}


async def test_pages_during_pushes_never_lose_what_was_there(repo: Repository) -> None:
    """Keyset pages: tags that stay are on exactly one page, whatever is pushed and deleted meanwhile."""
    staying = [f"s{n:03}" for n in range(30)]
    content = image()
    await repo.push(content, *staying)

    async def disturb() -> None:
        for n in range(30):
            await repo.put_manifest(content, f"s{n:03}-more")
            await repo.put_manifest(content, f"a{n:03}")
            await repo.delete(f"manifests/a{n:03}")

    disturbing = asyncio.create_task(disturb())
    while not disturbing.done():
        seen: list[str] = []
        while page := await repo.tags(f"?n=7&last={seen[-1] if seen else ''}"):
            seen += page
        assert [tag for tag in seen if tag in set(staying)] == staying
        assert seen == sorted(set(seen))
    await disturbing
