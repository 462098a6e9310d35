"""Whoever only looks waits for nobody who changes something, and keeps nobody from it."""

import asyncio

from app.access import Role
from app.db import SQL
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.management.robots import entry, of_system
from tests.support.registry import Registry

LOCK_ALL = SQL("""
    WITH locked_users AS (SELECT FROM users FOR UPDATE),
        locked_groups AS (SELECT FROM user_groups FOR UPDATE),
        locked_members AS (SELECT FROM project_members FOR UPDATE),
        locked_robots AS (SELECT FROM robots FOR UPDATE)
    SELECT (SELECT count(*) FROM locked_users) + (SELECT count(*) FROM locked_groups)
        + (SELECT count(*) FROM locked_members) + (SELECT count(*) FROM locked_robots)
""")
PATIENCE_SECONDS = 5.0


async def test_what_is_being_changed_can_be_read(
    admin: Caller, project: Project, make_user: MakeUser, shared: Registry
) -> None:
    member = await make_user(Role.GUEST)
    members = (await admin.get(f"{project.path}/members")).json
    access = [{"resource": "user", "action": "list"}]
    robot = (await admin.post("/robots", of_system(entry("/", access)))).new_id
    group = (await admin.post("/usergroups", {"group_name": unique("group"), "group_type": 3})).new_id
    paths = (
        "/users/current",
        f"/users/{members[0]['entity_id']}",
        f"/usergroups/{group}",
        f"/robots/{robot}",
        f"{project.path}/members/{members[0]['id']}",
    )
    assert (await member.get("/users/current")).status == 200
    async with shared.resources.database.transaction() as tx:
        await tx.run(LOCK_ALL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            answers = [await admin.get(path) for path in paths]
    assert [answer.status for answer in answers] == [200] * len(paths)
