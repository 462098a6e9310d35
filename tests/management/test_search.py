"""Search by part of a name, and statistics: everybody finds and counts what he may see."""

from typing import Any

import pytest

from app.access import Role
from app.members.assign import assign_role
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.management.content import fresh_image, pusher
from tests.support.registry import Registry


async def found(caller: Caller, text: str) -> tuple[list[str], list[str]]:
    answer = await caller.get("/search", q=text)
    assert answer.status == 200, answer.json
    return (
        [project["name"] for project in answer.json["project"]],
        [repository["repository_name"] for repository in answer.json["repository"]],
    )


async def test_projects_and_repositories_are_found_by_part_of_their_names(
    admin: Caller, public_project: Project
) -> None:
    app = unique("app")
    await pusher(admin, f"{public_project.name}/{app}").push(fresh_image(), "v1")
    answer = (await admin.get("/search", q=app[2:].upper())).json
    assert answer == {
        "project": [],
        "repository": [
            {
                "project_id": public_project.id,
                "project_name": public_project.name,
                "project_public": True,
                "repository_name": f"{public_project.name}/{app}",
                "pull_count": 0,
                "artifact_count": 1,
            }
        ],
    }
    [project] = (await admin.get("/search", q=public_project.name)).json["project"]
    assert project == (await admin.get(public_project.path)).json
    assert project["repo_count"] == 1


async def test_everybody_finds_what_he_may_see(
    admin: Caller, project: Project, stranger: Caller, make_user: MakeUser
) -> None:
    await pusher(admin, f"{project.name}/app").push(fresh_image(), "v1")
    everything = ([project.name], [f"{project.name}/app"])
    assert await found(admin, project.name) == everything
    assert await found(await make_user(Role.GUEST), project.name) == everything
    assert await found(await make_user(), project.name) == ([], [])
    assert await found(stranger, project.name) == ([], [])
    assert (await admin.get("/search", q=project.name)).json["repository"][0]["project_public"] is False


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 422),
        ({"q": "a" * 256}, 422),
        ({"q": "%' OR 1=1"}, 200),
        ({"q": "%"}, 200),
        ({"q": "a\\"}, 200),
    ],
)
async def test_odd_text_finds_nothing(stranger: Caller, params: dict[str, Any], status: int) -> None:
    answer = await stranger.get("/search", **params)
    assert answer.status == status
    assert status != 200 or answer.json == {"project": [], "repository": []}


async def test_nothing_in_particular_finds_everything(stranger: Caller, public_project: Project) -> None:
    projects, _ = await found(stranger, "")
    assert public_project.name in projects or len(projects) == 100


async def test_statistics_count_what_the_caller_may_see(
    admin: Caller, stranger: Caller, project: Project, make_user: MakeUser, shared: Registry
) -> None:
    user = await make_user()
    before, own = (await admin.get("/statistics")).json, (await user.get("/statistics")).json
    content = fresh_image()
    await pusher(admin, f"{project.name}/app").push(content, "v1")
    async with shared.resources.database.transaction() as tx:
        await assign_role(tx, project.name, user.username, role=Role.GUEST)
    after, theirs = (await admin.get("/statistics")).json, (await user.get("/statistics")).json
    assert after == before | {
        "private_repo_count": before["private_repo_count"] + 1,
        "total_repo_count": before["total_repo_count"] + 1,
        "total_storage_consumption": after["total_storage_consumption"],
    }
    assert after["total_project_count"] == after["private_project_count"] + after["public_project_count"]
    assert theirs == own | {"private_project_count": 1, "private_repo_count": 1}
    assert (own["private_project_count"], own["total_project_count"]) == (0, 0)
    assert own["public_project_count"] == before["public_project_count"]
    assert (await stranger.get("/statistics")).status == 401
