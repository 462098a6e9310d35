"""What robots may, that they lose it at once, and who may do what with them."""

import pytest

from app.access import Role
from app.access.robots import GRANTABLE_ON_PROJECTS, GRANTABLE_ON_SYSTEM
from app.db import SQL
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project, make_project
from tests.management.robots import PULL, PUSH, caller_of, entry, of_project, of_system, status_of
from tests.support.eventually import until
from tests.support.registry import Registry

EXPIRE = SQL("UPDATE robots SET expires_at = now() WHERE name = %(name)s")
EXPIRE_SOON = SQL("UPDATE robots SET expires_at = now() + interval '1 second' WHERE name = %(name)s")
DELETE_PROJECT = SQL("DELETE FROM projects WHERE id = %(id)s")
RENAME = SQL("UPDATE projects SET name = %(name)s WHERE id = %(id)s")


async def test_robot_of_the_system_works_in_the_projects_it_names(
    admin: Caller, project: Project, shared: Registry
) -> None:
    other = await make_project(shared, is_public=False)
    wanted = of_system(entry(project.name, PUSH), entry("/", [{"resource": "catalog", "action": "read"}]))
    made = await admin.post("/robots", wanted)
    robot = caller_of(shared, made)
    assert made.json["name"] == f"robot${wanted['name']}"
    assert await status_of(robot, project, method="POST") == 202
    assert await status_of(robot, other, method="POST") == 403
    assert (await admin.get(f"/robots/{made.new_id}")).json["permissions"] == wanted["permissions"]
    everywhere = caller_of(shared, await admin.post("/robots", of_system(entry("*", PUSH))))
    assert await status_of(everywhere, other, method="POST") == 202


async def test_denied_access_is_taken_from_what_is_allowed(
    admin: Caller, project: Project, shared: Registry
) -> None:
    deny = [{"resource": "repository", "action": "push", "effect": "deny"}]
    made = await admin.post("/robots", of_system(entry("*", PUSH), entry(project.name, deny)))
    other = await make_project(shared, is_public=False)
    robot = caller_of(shared, made)
    assert await status_of(robot, project, method="POST") == 403
    assert await status_of(robot, other, method="POST") == 202
    assert (await admin.get(f"/robots/{made.new_id}")).json["permissions"][1]["access"] == deny


@pytest.mark.parametrize("way", ["delete", "disable", "expire"])
async def test_robot_loses_access_at_the_next_request_also_with_a_token(
    admin: Caller, project: Project, shared: Registry, way: str
) -> None:
    wanted = of_project(project, [*PUSH, {"resource": "member", "action": "list"}])
    made = await admin.post("/robots", wanted)
    robot, path = caller_of(shared, made), f"/robots/{made.new_id}"
    token = await shared.token(f"repository:{project.name}/app:pull,push", auth=robot.auth)
    assert await status_of(robot, project, method="POST") == 202
    assert await status_of(robot, project, method="POST", token=token) == 202
    assert (await robot.get(f"{project.path}/members")).status == 200
    match way:
        case "delete":
            await admin.delete(path)
        case "disable":
            await admin.put(path, (await admin.get(path)).json | {"disable": True})
        case "expire":
            async with shared.resources.database.transaction() as tx:
                await tx.run(EXPIRE, name=f"{project.name}+{wanted['name']}")
    assert await status_of(robot, project, method="POST") == 401
    assert await status_of(robot, project, method="POST", token=token) == 401
    assert (await robot.get(f"{project.path}/members")).status == 401
    async with shared.session.get(f"{shared.url}/service/token", headers=robot.auth) as answer:
        assert answer.status == 401


async def test_robot_expires_while_it_works(admin: Caller, project: Project, shared: Registry) -> None:
    wanted = of_project(project, PUSH)
    robot = caller_of(shared, await admin.post("/robots", wanted))
    token = await shared.token(f"repository:{project.name}/app:pull,push", auth=robot.auth)
    async with shared.resources.database.transaction() as tx:
        await tx.run(EXPIRE_SOON, name=f"{project.name}+{wanted['name']}")
    assert await status_of(robot, project, method="POST", token=token) == 202
    await until(lambda: status_of(robot, project, method="POST", token=token), lambda status: status == 401)


async def test_narrowed_robot_loses_what_was_taken_with_a_token_in_hand(
    admin: Caller, project: Project, shared: Registry
) -> None:
    made = await admin.post("/robots", of_project(project, PUSH))
    robot, path = caller_of(shared, made), f"/robots/{made.new_id}"
    token = await shared.token(f"repository:{project.name}/app:pull,push", auth=robot.auth)
    becomes = (await admin.get(path)).json | {"permissions": [entry(project.name, PULL)]}
    assert (await admin.put(path, becomes)).status == 200
    assert await status_of(robot, project, method="POST", token=token) == 401


async def test_project_of_the_same_name_is_another_project(
    admin: Caller, project: Project, shared: Registry
) -> None:
    """What a robot of the system was given in a project ends with the project."""
    made = await admin.post("/robots", of_system(entry(project.name, PUSH), entry("*", PULL)))
    robot, path = caller_of(shared, made), f"/robots/{made.new_id}"
    later = await make_project(shared, is_public=False)
    async with shared.resources.database.transaction() as tx:
        await tx.run(DELETE_PROJECT, id=project.id)
        await tx.run(RENAME, id=later.id, name=project.name)
    assert await status_of(robot, project, method="POST") == 403
    assert (await admin.get(path)).json["permissions"] == [entry("*", PULL)]
    listed = await admin.get("/robots", q=f"name={made.json['name'].removeprefix('robot$')}")
    assert listed.json[0]["permissions"] == [entry("*", PULL)]


@pytest.mark.parametrize("namespace", ["library", "*", "no-such-project"])
async def test_robot_stays_in_its_project(project: Project, make_user: MakeUser, namespace: str) -> None:
    owner = await make_user(Role.PROJECT_ADMIN)
    made = await owner.post("/robots", of_project(project))
    path = f"/robots/{made.new_id}"
    answer = await owner.put(path, (await owner.get(path)).json | {"permissions": [entry(namespace)]})
    assert (answer.status, answer.code) == (400, "BAD_REQUEST"), "and it does not tell what there is"


@pytest.mark.parametrize("role", list(Role))
async def test_roles_do_with_robots_what_the_matrix_says(
    admin: Caller, project: Project, make_user: MakeUser, role: Role
) -> None:
    member = await make_user(role)
    made = await admin.post("/robots", of_project(project))
    path, q = f"/robots/{made.new_id}", f"Level=project,ProjectID={project.id}"
    shown = (await admin.get(path)).json
    may_read, may_change = role is not Role.LIMITED_GUEST, role is Role.PROJECT_ADMIN
    assert (await member.get("/robots", q=q)).status == (200 if may_read else 403)
    assert (await member.get(path)).status == (200 if may_read else 403)
    assert (await member.put(path, shown)).status == (200 if may_change else 403)
    assert (await member("PATCH", path, {})).status == (200 if may_change else 403)
    assert (await member.post("/robots", of_project(project))).status == (201 if may_change else 403)
    assert (await member.delete(path)).status == (200 if may_change else 403)
    assert (await member.get("/robots")).status == 403
    assert (await member.post("/robots", of_system(entry(project.name)))).status == 403


async def test_robots_of_others_look_as_if_they_were_not_there(
    admin: Caller, project: Project, make_user: MakeUser, stranger: Caller
) -> None:
    outsider = await make_user()
    made = await admin.post("/robots", of_project(project))
    system = await admin.post("/robots", of_system(entry("*")))
    body = (await admin.get(f"/robots/{made.new_id}")).json
    for method, sent in (("GET", None), ("PUT", body), ("PATCH", {}), ("DELETE", None)):
        answers = [
            await outsider(method, f"/robots/{robot_id}", sent)
            for robot_id in (made.new_id, system.new_id, 99_999_999)
        ]
        assert {answer.status for answer in answers} == {403}
        assert answers[0].json == answers[1].json == answers[2].json
        assert (await stranger(method, f"/robots/{made.new_id}", sent)).status == 401
    real = await outsider.post("/robots", of_project(project))
    missing = await outsider.post("/robots", of_project(Project(0, unique("missing"))))
    assert (real.status, real.json) == (missing.status, missing.json)
    for project_id in (project.id, 99_999_999):
        listed = await outsider.get("/robots", q=f"Level=project,ProjectID={project_id}")
        assert (listed.status, listed.code) == (403, "FORBIDDEN")


async def test_robot_gives_robots_only_what_it_has(admin: Caller, project: Project, shared: Registry) -> None:
    making = [*PULL, *({"resource": "robot", "action": action} for action in ("create", "read"))]
    robot = caller_of(shared, await admin.post("/robots", of_project(project, making)))
    made = await robot.post("/robots", of_project(project))
    shown = (await robot.get(f"/robots/{made.new_id}")).json
    assert (made.status, shown["creator_type"]) == (201, "robot")
    refused = await robot.post("/robots", of_project(project, PUSH))
    assert (refused.status, refused.code) == (403, "DENIED")
    other = await make_project(shared, is_public=False)
    assert (await robot.post("/robots", of_project(other))).code == "FORBIDDEN"
    assert (await robot.post("/robots", of_system(entry(project.name)))).code == "FORBIDDEN"


async def test_robot_that_is_denied_something_somewhere_cannot_give_it_everywhere(
    admin: Caller, project: Project, shared: Registry
) -> None:
    making = [{"resource": "robot", "action": "create"}]
    deny = [{"resource": "repository", "action": "push", "effect": "deny"}]
    wanted = of_system(entry("*", PUSH), entry("/", making), entry(project.name, deny))
    robot = caller_of(shared, await admin.post("/robots", wanted))
    other = await make_project(shared, is_public=False)
    given = {
        "everywhere": [entry("*", PUSH)],
        "where it is denied": [entry(project.name, PUSH)],
        "more on the system": [entry("/", [*making, {"resource": "robot", "action": "delete"}])],
        "in a project that is not there": [entry("no-such-project", PULL)],
    }
    for what, permissions in given.items():
        answer = await robot.post("/robots", of_system(*permissions))
        assert (answer.status, answer.code) == (403, "DENIED"), what
    allowed = of_system(entry("*", PULL), entry(other.name, PUSH), entry("/", making))
    assert (await robot.post("/robots", allowed)).status == 201


async def test_everything_that_can_be_granted_can_be_granted(admin: Caller, project: Project) -> None:
    on_system = [{"resource": p.resource, "action": p.action} for p in GRANTABLE_ON_SYSTEM]
    on_project = [{"resource": p.resource, "action": p.action} for p in GRANTABLE_ON_PROJECTS]
    wanted = of_system(entry("/", on_system), entry("*", on_project), entry(project.name, on_project))
    assert (await admin.post("/robots", wanted)).status == 201
