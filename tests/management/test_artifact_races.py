"""Requests on artifacts that collide: one wins, the others are told so, and nothing is left half done."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.conformance.content import image, index, unique
from tests.management.client import Answer, Caller
from tests.management.conftest import Project, make_project
from tests.management.content import digests, fresh_image, path_of, pusher
from tests.support.registry import Registry
from tests.support.servers import Databases

AT_ONCE = 8


@pytest.fixture(autouse=True)
def locked_in_one_order(databases: Databases) -> Iterator[None]:
    """No two requests wait for one another: each deadlock costs a second, and five in a row the request."""
    before = databases.deadlocks()
    yield
    assert databases.deadlocks() == before


async def at_once(call: Callable[[int], Awaitable[Answer]]) -> list[int]:
    return sorted([answer.status for answer in await asyncio.gather(*map(call, range(AT_ONCE)))])


async def test_artifact_is_deleted_once(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    digest = await pusher(admin, name).push(index([fresh_image()]), "v1")
    statuses = await at_once(lambda _: admin.delete(path_of(name, digest)))
    assert statuses == [200] + [404] * (AT_ONCE - 1)
    assert digests(await admin.get(path_of(name) + "/artifacts", q="base=*")) == []


async def test_repository_is_deleted_once(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    assert await at_once(lambda _: admin.delete(path_of(name))) == [200] + [404] * (AT_ONCE - 1)


async def test_copies_into_a_new_repository_agree(admin: Caller, project: Project) -> None:
    name, source = f"{project.name}/copy", f"{project.name}/app"
    digest = await pusher(admin, source).push(index([fresh_image()]), "v1")
    copies = path_of(name) + "/artifacts"
    assert await at_once(lambda _: admin.post(copies, **{"from": f"{source}:v1"})) == [201] * AT_ONCE
    assert digests(await admin.get(copies)) == [digest]
    assert (await admin.get(path_of(name, "v1"))).json["digest"] == digest


async def test_pushes_and_deletions_of_a_repository_leave_a_whole_one_or_none(
    admin: Caller, project: Project
) -> None:
    name = f"{project.name}/app"
    images = [fresh_image() for _ in range(AT_ONCE)]

    async def push_or_delete(number: int) -> int:
        if number % 2:
            return (await admin.delete(path_of(name))).status
        repository = pusher(admin, name)
        for blob in images[number].blobs:
            await repository.push_blob(blob)
        return (await repository.put_manifest(images[number], "v1")).status

    statuses = await asyncio.gather(*map(push_or_delete, range(AT_ONCE)))
    assert set(statuses) <= {200, 201, 404}, statuses
    listed = await admin.get(path_of(name) + "/artifacts", q="base=*")
    for artifact in listed.json if listed.status == 200 else []:
        assert (await pusher(admin, name).get(f"manifests/{artifact['digest']}")).status == 200
        (layer,) = next(i for i in images if i.digest == artifact["digest"]).document["layers"]
        assert (await pusher(admin, name).head(f"blobs/{layer['digest']}")).status == 200


async def test_images_on_the_same_layers_are_deleted_at_once(admin: Caller, project: Project) -> None:
    name, layers = f"{project.name}/app", [unique() for _ in range(4)]
    repository = pusher(admin, name)
    indexes = [
        index([image([layer], annotations={"number": str(number)}) for layer in layers])
        for number in range(AT_ONCE)
    ]
    for content in indexes:
        await repository.push(content)
    statuses = await at_once(lambda number: admin.delete(path_of(name, indexes[number].digest)))
    assert statuses == [200] * AT_ONCE
    assert digests(await admin.get(path_of(name) + "/artifacts", q="base=*")) == []
    assert (await admin.get(f"/quotas/{project.id}")).json["used"]["storage"] == 0


async def test_copies_and_deletions_of_images_on_the_same_layers_all_succeed(
    admin: Caller, project: Project
) -> None:
    layers = [unique() for _ in range(4)]
    indexes = [
        [
            index([image([layer], annotations={"number": f"{number} {turn}"}) for layer in layers])
            for turn in range(2)
        ]
        for number in range(AT_ONCE)
    ]
    for number, contents in enumerate(indexes):
        for content in contents:
            await pusher(admin, f"{project.name}/app{number % 2}").push(content)
    copies = path_of(f"{project.name}/copy") + "/artifacts"

    async def copy_and_delete(number: int) -> list[int]:
        name, statuses = f"{project.name}/app{number % 2}", []
        for content in indexes[number]:
            copied = await admin.post(copies, **{"from": f"{name}@{content.digest}"})
            deleted = await admin.delete(path_of(name, content.digest))
            statuses += [copied.status, deleted.status]
        return statuses

    assert await asyncio.gather(*map(copy_and_delete, range(AT_ONCE))) == [[201, 200] * 2] * AT_ONCE
    assert (await admin.get(copies)).total == 2 * AT_ONCE


async def on_the_same_layers(admin: Caller, name: str) -> list[str]:
    """Push indexes whose images have the same layers; return their digests."""
    layers = [unique() for _ in range(4)]
    return [
        await pusher(admin, name).push(
            index([image([layer], annotations={"number": str(number)}) for layer in layers])
        )
        for number in range(AT_ONCE)
    ]


@pytest.mark.slow
async def test_copies_into_another_project_share_layers_and_do_not_wait_for_one_another(
    admin: Caller, project: Project, shared: Registry
) -> None:
    source, other = f"{project.name}/app", await make_project(shared, is_public=False)
    pushed = await on_the_same_layers(admin, source)

    async def copy(number: int) -> Answer:
        copies = path_of(f"{other.name}/copy{number}") + "/artifacts"
        return await admin.post(copies, **{"from": f"{source}@{pushed[number]}"})

    assert await at_once(copy) == [201] * AT_ONCE
    used = (await admin.get(f"/quotas/{other.id}")).json["used"]["storage"]
    assert used == (await admin.get(f"/quotas/{project.id}")).json["used"]["storage"]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["artifact", "repository"])
async def test_copies_to_where_artifacts_or_the_repository_are_deleted_all_succeed(
    admin: Caller, project: Project, what: str
) -> None:
    source, target = f"{project.name}/app", f"{project.name}/copy"
    pushed = (await on_the_same_layers(admin, source))[:4] * 4
    copies = path_of(target) + "/artifacts"
    places = [path_of(target, digest) if what == "artifact" else path_of(target) for digest in pushed]
    asked = [
        call
        for digest, place in zip(pushed, places, strict=True)
        for call in (admin.post(copies, **{"from": f"{source}@{digest}"}), admin.delete(place))
    ]
    statuses = [answer.status for answer in await asyncio.gather(*asked)]
    assert statuses[::2] == [201] * len(pushed)
    assert set(statuses[1::2]) <= {200, 404}
