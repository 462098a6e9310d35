"""Lists of projects: who sees which, what can be asked of them, and in which order they come."""

from typing import Any

import pytest

from app.access import Role
from app.db import SQL
from app.members.assign import assign_role
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.management.content import fresh_image, pusher
from tests.management.robots import caller_of, entry, of_project, of_system
from tests.support.registry import Registry

ADD_GROUP = SQL("""
    WITH made AS (INSERT INTO user_groups (name, kind) VALUES (%(group)s, 'oidc') RETURNING id),
    joined AS (
        INSERT INTO user_group_members (group_id, user_id)
        SELECT made.id, u.id FROM made, users u WHERE u.username = %(username)s
    )
    INSERT INTO project_members (project_id, group_id, role)
    SELECT %(project_id)s, id, %(role)s FROM made
""")


async def names(caller: Caller, **params: Any) -> list[str]:
    answer = await caller.get("/projects", **params)
    assert answer.status == 200, answer.json
    return [project["name"] for project in answer.json]


async def test_robots_make_and_see_projects_as_far_as_they_may(
    admin: Caller, shared: Registry, project: Project, public_project: Project
) -> None:
    reads = [{"resource": "project", "action": "read"}]
    creates = [{"resource": "project", "action": "create"}]
    of_one = caller_of(shared, await admin.post("/robots", of_project(project, reads)))
    maker = caller_of(shared, await admin.post("/robots", of_system(entry("/", creates))))
    assert (await of_one.post("/projects", {"project_name": unique("team")})).status == 403
    assert (await maker.post("/projects", {"project_name": unique("team")})).status == 201
    assert await names(of_one, q="public=false") == [project.name]
    assert await names(maker, q="public=false") == []
    assert public_project.name in await names(of_one, q=f"name={public_project.name}")


async def test_everybody_sees_what_he_may(
    admin: Caller,
    stranger: Caller,
    project: Project,
    public_project: Project,
    make_user: MakeUser,
    shared: Registry,
) -> None:
    member, outsider, grouped = await make_user(Role.GUEST), await make_user(), await make_user()
    async with shared.resources.database.transaction() as tx:
        await assign_role(tx, project.name, grouped.username, role=Role.LIMITED_GUEST)
        group = {"group": unique("group"), "username": grouped.username}
        await tx.run(ADD_GROUP, project_id=project.id, role="developer", **group)
    both = f"name={{{project.name} {public_project.name}}}"
    everything, open_to_all = sorted([project.name, public_project.name]), [public_project.name]
    assert await names(admin, q=both) == await names(member, q=both) == everything
    assert await names(grouped, q=both) == everything
    assert await names(outsider, q=both) == await names(stranger, q=both) == open_to_all
    shown = (await grouped.get("/projects", q=f"name={project.name}")).json[0]
    assert (shown["current_user_role_id"], shown["current_user_role_ids"]) == (2, [2, 5])
    assert "current_user_role_id" not in (await admin.get("/projects", q=f"name={project.name}")).json[0]


async def test_list_is_filtered_sorted_and_paged(make_user: MakeUser, shared: Registry) -> None:
    owner, stem = await make_user(), unique("list")
    for letter in "bca":
        body = {"project_name": f"{stem}-{letter}", "public": letter == "c"}
        assert (await owner.post("/projects", body)).status == 201
    a, b, c = (f"{stem}-{letter}" for letter in "abc")
    assert await names(owner, owner=owner.username) == [a, b, c]
    assert await names(owner, name=stem.upper(), sort="-name") == [c, b, a]
    assert await names(owner, name=stem, sort="creation_time") == [b, c, a]
    assert await names(owner, name=stem, public="true") == [c]
    assert await names(owner, name=stem, public="false", with_detail="false") == [a, b]
    first = await owner.get("/projects", name=stem, page_size=2)
    assert ([project["name"] for project in first.json], first.total) == ([a, b], 3)
    assert 'page=2&page_size=2>; rel="next"' in first.headers["Link"]
    beyond = await owner.get("/projects", name=stem, page=1000)
    assert (beyond.json, beyond.total) == ([], 3)
    await pusher(Caller(shared, "admin", shared.resources.settings.admin_password), f"{a}/app").push(
        fresh_image(), "v1"
    )
    assert [project["repo_count"] for project in (await owner.get("/projects", name=stem)).json] == [1, 0, 0]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"q": "name=~%' OR 1=1"}, 200),
        ({"q": "name=~_"}, 200),
        ({"name": "%"}, 200),
        ({"sort": "name;DROP TABLE projects"}, 200),
        ({"q": "project_id=x"}, 400),
        ({"q": "public=perhaps"}, 400),
        ({"q": "name"}, 400),
        ({"public": "perhaps"}, 422),
        ({"page": -1}, 422),
        ({"page_size": 101}, 422),
        ({"name": "a" * 256}, 422),
    ],
)
async def test_odd_list_is_answered_or_refused(
    stranger: Caller, project: Project, params: dict[str, Any], status: int
) -> None:
    answer = await stranger.get("/projects", **params)
    assert answer.status == status
    assert project.name not in str(answer.json)
    assert status != 200 or "sort" in params or answer.json == []
