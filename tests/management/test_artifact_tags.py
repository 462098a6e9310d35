"""Tags and labels of artifacts: who may add and remove them, and what is said of it."""

import asyncio

import pytest

from app.access import Role
from app.db import SQL
from tests.management.client import Caller
from tests.management.client import unique as unique_name
from tests.management.conftest import MakeUser, Project
from tests.management.content import fresh_image, path_of, pusher
from tests.support.registry import Registry

EVENTS = SQL("SELECT type FROM outbox WHERE payload->>'repository_name' = %(name)s ORDER BY id")
INSERT_LABEL = SQL("""
    INSERT INTO labels (name, project_id, color)
    VALUES (%(name)s, %(project_id)s::bigint, '#112233') RETURNING id
""")


async def events_of(registry: Registry, name: str) -> list[str]:
    async with registry.resources.database.autocommit() as statements:
        return await statements.values(EVENTS, name=name)


async def make_label(registry: Registry, project_id: int | None) -> tuple[int, str]:
    name = unique_name("label")
    async with registry.resources.database.autocommit() as statements:
        return await statements.value(INSERT_LABEL, name=name, project_id=project_id), name


async def test_tag_is_added_listed_and_removed(admin: Caller, project: Project, shared: Registry) -> None:
    name = f"{project.name}/team/app"
    digest = await pusher(admin, name).push(fresh_image(), "v1")
    tags = path_of(name, digest) + "/tags"
    made = await admin.post(tags, {"name": "stable"})
    assert (made.status, made.headers["Location"]) == (201, f"/api/v2.0{tags}/stable")
    listed = await admin.get(tags)
    assert ([tag["name"] for tag in listed.json], listed.total) == (["stable", "v1"], 2)
    assert [tag["name"] for tag in (await admin.get(tags, sort="name", page=2, page_size=1)).json] == ["v1"]
    assert [tag["name"] for tag in (await admin.get(tags, q="name=~tab")).json] == ["stable"]
    assert (await admin.delete(f"{tags}/stable")).status == 200
    assert [tag["name"] for tag in (await admin.get(path_of(name, "v1"))).json["tags"]] == ["v1"]
    assert (await events_of(shared, name))[-2:] == ["tag.created", "tag.deleted"]


async def test_name_of_a_tag_is_taken_in_the_whole_repository(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    first = await pusher(admin, name).push(fresh_image(), "v1")
    second = await pusher(admin, name).push(fresh_image(), "v2")
    for digest in (first, second):
        answer = await admin.post(path_of(name, digest) + "/tags", {"name": "v1"})
        assert (answer.status, answer.code) == (409, "CONFLICT")
    assert (await admin.get(path_of(name, "v1"))).json["digest"] == first


async def test_one_of_two_that_add_a_tag_at_once_wins(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    digests = [await pusher(admin, name).push(fresh_image()) for _ in range(8)]
    calls = [admin.post(path_of(name, digest) + "/tags", {"name": "v1"}) for digest in digests]
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": ""}, 422),
        ({"name": "x" * 129}, 422),
        ({"name": "no spaces"}, 400),
        ({"name": "-first"}, 400),
        ({"name": 5}, 422),
        ({}, 422),
        ([], 422),
    ],
)
async def test_bad_tag_is_refused(admin: Caller, project: Project, body: object, status: int) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    assert (await admin.post(path_of(name, "v1") + "/tags", body)).status == status
    assert (await admin.get(path_of(name, "v1") + "/tags")).total == 1


async def test_only_tags_of_the_artifact_are_removed(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    await pusher(admin, name).push(fresh_image(), "v2")
    for tag in ("v2", "v3"):
        answer = await admin.delete(path_of(name, "v1") + f"/tags/{tag}")
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert (await admin.get(path_of(name, "v2"))).status == 200


@pytest.mark.parametrize("is_global", [False, True], ids=["of the project", "global"])
async def test_label_is_attached_shown_and_taken_away(
    admin: Caller, project: Project, shared: Registry, *, is_global: bool
) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    await pusher(admin, name).push(fresh_image(), "v2")
    label_id, label = await make_label(shared, None if is_global else project.id)
    labels = path_of(name, "v1") + "/labels"
    assert (await admin.post(labels, {"id": label_id, "name": "whatever"})).status == 200
    again = await admin.post(labels, {"id": label_id})
    assert (again.status, again.code) == (409, "CONFLICT")
    listed = await admin.get(path_of(name) + "/artifacts", with_label="true", q=f"labels=({label_id})")
    assert listed.total == 1
    shown = listed.json[0]["labels"][0]
    assert shown == {
        "id": label_id,
        "name": label,
        "description": "",
        "color": "#112233",
        "scope": "g" if is_global else "p",
        "project_id": 0 if is_global else project.id,
        "creation_time": shown["creation_time"],
        "update_time": shown["update_time"],
    }
    assert (await admin.get(path_of(name) + "/artifacts", q=f"labels=({label_id} {2**62})")).total == 0
    assert (await admin.delete(f"{labels}/{label_id}")).status == 200
    assert (await admin.delete(f"{labels}/{label_id}")).status == 404
    assert (await admin.get(path_of(name, "v1"), with_label="true")).json["labels"] is None
    assert (await events_of(shared, name))[-2:] == ["artifact.labeled", "artifact.unlabeled"]


async def test_label_of_another_project_is_not_there(
    admin: Caller, project: Project, public_project: Project, shared: Registry
) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    foreign, _ = await make_label(shared, public_project.id)
    for label_id, status in ((foreign, 404), (2**62, 404), (0, 422), ("one", 422)):
        assert (await admin.post(path_of(name, "v1") + "/labels", {"id": label_id})).status == status


@pytest.mark.parametrize(
    ("role", "may_add", "may_remove"),
    [
        (Role.PROJECT_ADMIN, True, True),
        (Role.MAINTAINER, True, True),
        (Role.DEVELOPER, True, False),
        (Role.GUEST, False, False),
        (Role.LIMITED_GUEST, False, False),
    ],
)
async def test_every_role_may_what_harbor_says(
    project: Project,
    admin: Caller,
    make_user: MakeUser,
    shared: Registry,
    role: Role,
    *,
    may_add: bool,
    may_remove: bool,
) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    member, path = await make_user(role), path_of(name, "v1")
    label_id, _ = await make_label(shared, project.id)
    assert (await member.post(f"{path}/tags", {"name": "new"})).status == (201 if may_add else 403)
    assert (await member.post(f"{path}/labels", {"id": label_id})).status == (200 if may_add else 403)
    assert (await member.delete(f"{path}/labels/{label_id}")).status == (200 if may_add else 403)
    assert (await member.delete(f"{path}/tags/v1")).status == (200 if may_remove else 403)
