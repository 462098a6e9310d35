"""Repositories: who sees which, what is in them, and what becomes of them."""

import pytest

from app.access import Role
from app.db import SQL
from tests.conformance.content import artifact, index, unique
from tests.management.client import Caller
from tests.management.client import unique as unique_name
from tests.management.conftest import MakeUser, Project
from tests.management.content import fresh_image, path_of, pusher
from tests.support.registry import Registry

EVENTS = SQL("SELECT type FROM outbox WHERE payload->>'repository_name' = %(name)s ORDER BY id")


async def names(caller: Caller, path: str, **params: object) -> list[str]:
    answer = await caller.get(path, **params)
    assert answer.status == 200, answer.json
    return [repository["name"] for repository in answer.json]


async def test_repository_is_shown_with_what_counts_in_it(admin: Caller, project: Project) -> None:
    name = f"{project.name}/team/app"
    repository, subject = pusher(admin, name), fresh_image()
    await repository.push(subject, "v1")
    await repository.push(artifact(payload=unique(), subject=subject.descriptor()))
    await repository.push(index([fresh_image(), fresh_image()]), "v2")
    await repository.push(fresh_image())
    shown = (await admin.get(path_of(name))).json
    assert shown == {
        "id": shown["id"],
        "project_id": project.id,
        "name": name,
        "description": "",
        "artifact_count": 3,
        "pull_count": 0,
        "creation_time": shown["creation_time"],
        "update_time": shown["update_time"],
    }
    assert shown["update_time"] > shown["creation_time"], "a push updates it"
    assert (await admin.get(f"/projects/{project.name}/repositories")).json == [shown]


async def test_description_is_changed(admin: Caller, project: Project, shared: Registry) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    assert (await admin.put(path_of(name), {"description": "What it is for", "name": "other"})).status == 200
    assert (await admin.get(path_of(name))).json["description"] == "What it is for"
    async with shared.resources.database.autocommit() as statements:
        assert (await statements.values(EVENTS, name=name))[-1] == "repository.updated"


@pytest.mark.parametrize("body", [{"description": "x" * 10_001}, {"description": 5}, [], "text"])
async def test_bad_description_is_refused(admin: Caller, project: Project, body: object) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    answer = await admin.put(path_of(name), body)
    assert (answer.status, answer.code) == (422, "UNPROCESSABLE_ENTITY")
    assert (await admin.get(path_of(name))).json["description"] == ""


async def test_list_is_paged_sorted_and_filtered(admin: Caller, project: Project) -> None:
    made = [f"{project.name}/{name}" for name in ("b", "a/x", "c_1")]
    for name in made:
        await pusher(admin, name).push(fresh_image(), "v1")
    path = f"/projects/{project.name}/repositories"
    assert await names(admin, path) == made[::-1], "the newest first"
    assert await names(admin, path, sort="name") == sorted(made)
    assert await names(admin, path, sort="name", page=2, page_size=2) == sorted(made)[2:]
    assert await names(admin, path, q="name=~c_") == [made[2]]
    assert await names(admin, path, q=f"name={made[0]}") == [made[0]]
    assert await names(admin, path, q="name=~%' OR 1=1") == []
    assert await names(admin, path, page=9) == []
    assert (await admin.get(path, page_size=101)).status == 422


async def test_everybody_sees_the_repositories_of_those_projects_that_they_may_see(
    admin: Caller, project: Project, public_project: Project, stranger: Caller, make_user: MakeUser
) -> None:
    private, public = f"{project.name}/app", f"{public_project.name}/app"
    for name in (private, public):
        await pusher(admin, name).push(fresh_image(), "v1")
    both = f"name={{{private} {public}}}"
    for caller, seen in (
        (admin, {private, public}),
        (await make_user(Role.LIMITED_GUEST), {private, public}),
        (await make_user(), {public}),
        (stranger, {public}),
    ):
        answer = await caller.get("/repositories", q=both)
        assert {repository["name"] for repository in answer.json} == seen
        assert answer.total == len(seen)


async def test_robot_sees_the_repositories_that_it_may_list(
    admin: Caller, project: Project, public_project: Project, shared: Registry
) -> None:
    private, public = f"{project.name}/app", f"{public_project.name}/app"
    for name in (private, public):
        await pusher(admin, name).push(fresh_image(), "v1")
    for actions, seen in ((["list"], {private, public}), (["read"], {public})):
        access = [{"resource": "repository", "action": action} for action in actions]
        body = {
            "name": unique_name("robot"),
            "level": "project",
            "duration": -1,
            "permissions": [{"kind": "project", "namespace": project.name, "access": access}],
        }
        made = (await admin.post("/robots", body)).json
        robot = Caller(shared, made["name"], made["secret"])
        assert set(await names(robot, "/repositories", q=f"name={{{private} {public}}}")) == seen


@pytest.mark.parametrize(
    ("role", "may_update"),
    [
        (Role.PROJECT_ADMIN, True),
        (Role.MAINTAINER, True),
        (Role.DEVELOPER, True),
        (Role.GUEST, False),
        (Role.LIMITED_GUEST, False),
    ],
)
async def test_every_role_reads_and_some_describe(
    admin: Caller, project: Project, make_user: MakeUser, role: Role, *, may_update: bool
) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    member = await make_user(role)
    assert await names(member, f"/projects/{project.name}/repositories") == [name]
    assert (await member.get(path_of(name))).json["name"] == name
    assert (await member.put(path_of(name), {"description": role})).status == (200 if may_update else 403)


async def test_stranger_cannot_tell_what_is_private_from_what_is_missing(
    admin: Caller, project: Project, stranger: Caller, make_user: MakeUser
) -> None:
    await pusher(admin, f"{project.name}/app").push(fresh_image(), "v1")
    for caller in (stranger, await make_user()):
        for path in ("/repositories", "/repositories/app"):
            real = await caller.get(f"/projects/{project.name}{path}")
            missing = await caller.get(f"/projects/{project.name}-not{path}")
            assert (real.status, real.json) == (missing.status, missing.json)
            assert real.status == (403 if caller.username else 401)


async def test_what_is_not_there_is_not_found(admin: Caller, project: Project) -> None:
    for answer in (
        await admin.get(path_of(f"{project.name}/nothing")),
        await admin.put(path_of(f"{project.name}/nothing"), {"description": ""}),
    ):
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert (await admin.get(path_of(f"{project.name}/Not a Name"))).status == 400
