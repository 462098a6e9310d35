"""Projects: made, found, shown to those who may see them, changed and deleted."""

import asyncio
from typing import Any

import pytest

from app.access import Role
from app.db import SQL
from app.members.assign import assign_role
from tests.conformance.content import digest_of
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.management.content import fresh_image, pusher
from tests.support.eventually import until
from tests.support.registry import Registry

EVENTS = SQL("""
    SELECT type || ' ' || coalesce(payload->>'changed', '') FROM outbox
    WHERE payload->>'project_name' = %(project)s ORDER BY id
""")
DELETE = SQL("DELETE FROM projects WHERE id = %(project_id)s")
IS_WAITING = SQL("""
    SELECT EXISTS (
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    )
""")
QUOTAS = SQL("SELECT hard_bytes FROM quotas q JOIN projects p ON p.id = q.project_id WHERE p.name = %(name)s")


async def test_project_is_made_shown_changed_and_deleted(make_user: MakeUser, shared: Registry) -> None:
    owner, name = await make_user(), unique("team")
    made = await owner.post("/projects", {"project_name": name, "metadata": {"auto_scan": "true"}})
    assert made.headers["Location"] == f"/api/v2.0/projects/{made.new_id}"
    path = f"/projects/{made.new_id}"
    shown = (await owner.get(path)).json
    assert shown == {
        "project_id": made.new_id,
        "owner_id": shown["owner_id"],
        "owner_name": owner.username,
        "name": name,
        "creation_time": shown["creation_time"],
        "update_time": shown["creation_time"],
        "repo_count": 0,
        "metadata": {"public": "false", "auto_scan": "true"},
        "current_user_role_id": 1,
        "current_user_role_ids": [1],
    }
    assert (await owner.get(f"/projects/{name}")).json == shown
    change = {"metadata": {"public": "true", "severity": "HIGH", "retention_id": "3", "prevent_vul": None}}
    assert (await owner.put(path, change)).status == 200
    changed = (await owner.get(path)).json
    assert changed["metadata"] == {"public": "true", "auto_scan": "true", "severity": "high"}
    assert changed["update_time"] > shown["update_time"]
    assert (await owner.put(path, change)).status == 200
    assert (await owner.delete(path)).status == 200
    assert (await owner.get(path)).status == 403
    async with shared.resources.database.autocommit() as statements:
        events = await statements.values(EVENTS, project=name)
    assert events == ["project.created ", 'project.updated ["public","severity"]', "project.deleted "]


async def test_location_has_the_name_where_that_is_wanted(admin: Caller) -> None:
    name = unique("team")
    headers = {"X-Resource-Name-In-Location": "true"}
    made = await admin("POST", "/projects", {"project_name": name, "public": True}, headers=headers)
    assert made.headers["Location"] == f"/api/v2.0/projects/{name}"
    assert (await admin.get(f"/projects/{name}")).json["metadata"] == {"public": "true"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"project_name": ""}, 400),
        ({"project_name": "Team"}, 400),
        ({"project_name": "a__b"}, 400),
        ({"project_name": "a/b"}, 400),
        ({"project_name": "-a"}, 400),
        ({"project_name": "a" * 256}, 422),
        ({"project_name": 7}, 422),
        ({"project_name": "fine", "registry_id": 1}, 400),
        ({"project_name": "fine", "metadata": {"unknown": "true"}}, 400),
        ({"project_name": "fine", "metadata": {"public": "perhaps"}}, 400),
        ({"project_name": "fine", "metadata": {"public": True}}, 422),
        ({"project_name": "fine", "metadata": {"severity": "awful"}}, 400),
        ({"project_name": "fine", "storage_limit": -2}, 400),
        ({"project_name": "fine", "storage_limit": 2**50 + 1}, 400),
        ({"project_name": "fine", "storage_limit": 2**70}, 422),
        ({"project_name": "fine", "cve_allowlist": {"items": [{"cve_id": "CVE-2026-1"}]}}, 400),
        ([], 422),
    ],
)
async def test_bad_project_is_refused(admin: Caller, body: Any, status: int) -> None:
    assert (await admin.post("/projects", body)).status == status
    assert (await admin("HEAD", "/projects", project_name="fine")).status == 404


async def test_name_is_taken_once_however_many_want_it(make_user: MakeUser, stranger: Caller) -> None:
    owner, name = await make_user(), unique("team")
    answers = await asyncio.gather(*(owner.post("/projects", {"project_name": name}) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201, *[409] * 7]
    other = await make_user()
    assert (await other("HEAD", "/projects", project_name=name)).status == 200
    assert (await other("HEAD", "/projects", project_name=unique("team"))).status == 404
    assert (await other("HEAD", "/projects")).status == 422
    assert (await stranger("HEAD", "/projects", project_name=name)).status == 401
    assert (await stranger.post("/projects", {"project_name": unique("team")})).status == 401


async def test_only_administrators_say_how_much_a_project_may_use(
    admin: Caller, make_user: MakeUser, shared: Registry
) -> None:
    limits = {}
    for caller, limit in ((admin, 1000), (await make_user(), 1000), (admin, 0), (admin, None)):
        name = unique("team")
        assert (await caller.post("/projects", {"project_name": name, "storage_limit": limit})).status == 201
        async with shared.resources.database.autocommit() as statements:
            limits[caller.username, limit] = await statements.value(QUOTAS, name=name)
    assert list(limits.values()) == [1000, -1, -1, -1]


async def test_new_projects_have_the_configured_quota(admin: Caller, shared: Registry) -> None:
    try:
        await admin.put("/configurations", {"storage_per_project": 5000})
        made, given, pushed, unlimited = (unique("team") for _ in range(4))
        await admin.post("/projects", {"project_name": made})
        await admin.post("/projects", {"project_name": given, "storage_limit": 7000})
        await pusher(admin, f"{pushed}/app").push(fresh_image(), "v1")
        await admin.put("/configurations", {"quota_per_project_enable": False})
        await admin.post("/projects", {"project_name": unlimited, "storage_limit": 7000})
    finally:
        await admin.put("/configurations", {"storage_per_project": -1, "quota_per_project_enable": True})
    async with shared.resources.database.autocommit() as statements:
        found = [await statements.value(QUOTAS, name=name) for name in (made, given, pushed, unlimited)]
    assert found == [5000, 7000, 5000, -1]


async def test_users_make_projects_unless_that_is_for_administrators(
    admin: Caller, make_user: MakeUser
) -> None:
    user = await make_user()
    try:
        await admin.put("/configurations", {"project_creation_restriction": "adminonly"})
        refused = await user.post("/projects", {"project_name": unique("team")})
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        assert (await admin.post("/projects", {"project_name": unique("team")})).status == 201
    finally:
        await admin.put("/configurations", {"project_creation_restriction": "everyone"})


async def test_project_with_repositories_stays(admin: Caller, project: Project) -> None:
    assert (await admin.get(f"{project.path}/_deletable")).json == {"deletable": True}
    await pusher(admin, f"{project.name}/app").push(fresh_image(), "v1")
    message = "the project contains repositories, can not be deleted"
    assert (await admin.get(f"{project.path}/_deletable")).json == {"deletable": False, "message": message}
    refused = await admin.delete(project.path)
    assert (refused.status, refused.code, refused.message) == (412, "PRECONDITION", message)
    assert (await admin.get(project.path)).json["repo_count"] == 1


async def test_first_push_and_deletion_do_not_both_succeed(make_user: MakeUser) -> None:
    owner = await make_user()
    outcomes = set()
    for _ in range(12):
        name, content = unique("race"), fresh_image()
        made = await owner.post("/projects", {"project_name": name})
        repository, blob = pusher(owner, f"{name}/app"), content.blobs[0]
        pushed, deleted = await asyncio.gather(
            repository.send("POST", f"blobs/uploads/?digest={digest_of(blob)}", blob),
            owner.delete(f"/projects/{made.new_id}"),
        )
        outcomes.add((pushed.status, deleted.status))
    assert outcomes <= {(201, 412), (404, 200), (403, 200), (401, 200)}, outcomes


async def test_push_that_waits_for_a_deletion_finds_no_project(make_user: MakeUser, shared: Registry) -> None:
    owner, name, blob = await make_user(), unique("race"), fresh_image().blobs[0]
    made = await owner.post("/projects", {"project_name": name})
    database = shared.resources.database

    async def is_waiting() -> bool:
        async with database.autocommit() as statements:
            return bool(await statements.value(IS_WAITING))

    async with database.transaction() as tx:
        await tx.run(DELETE, project_id=made.new_id)
        repository = pusher(owner, f"{name}/app")
        pushing = asyncio.create_task(
            repository.send("POST", f"blobs/uploads/?digest={digest_of(blob)}", blob)
        )
        await until(is_waiting, bool)
    assert (await pushing).status == 404


async def test_summary_shows_to_each_what_he_may_see(
    public_project: Project, stranger: Caller, make_user: MakeUser, shared: Registry
) -> None:
    guest, limited = await make_user(), await make_user()
    async with shared.resources.database.transaction() as tx:
        await assign_role(tx, public_project.name, guest.username, role=Role.GUEST)
        await assign_role(tx, public_project.name, limited.username, role=Role.LIMITED_GUEST)
    path = f"{public_project.path}/summary"
    quota = {"hard": {"storage": -1}, "used": {"storage": 0}}
    assert (await guest.get(path)).json == {
        "repo_count": 0,
        "project_admin_count": 0,
        "maintainer_count": 0,
        "developer_count": 0,
        "guest_count": 1,
        "limited_guest_count": 1,
        "quota": quota,
    }
    assert (await limited.get(path)).json == {"repo_count": 0, "quota": quota}
    assert (await stranger.get(path)).json == {"repo_count": 0}


async def test_private_project_looks_as_if_it_were_not_there(
    project: Project, stranger: Caller, make_user: MakeUser
) -> None:
    for caller in (stranger, await make_user()):
        for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/summary")):
            real = await caller(method, f"{project.path}{path}", {})
            missing = await caller(method, f"/projects/{unique('missing')}{path}", {})
            assert (real.status, real.json) == (missing.status, missing.json)
            assert real.status in {401, 403}
