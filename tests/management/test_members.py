"""Members of projects: Harbor's paths, statuses and shapes, and nothing for strangers."""

import pytest

from app.access import Role
from app.db import SQL
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.support.registry import Registry

EVENTS = SQL("SELECT type FROM outbox WHERE payload->>'project_name' = %(project)s ORDER BY id")


async def test_member_is_added_shown_changed_and_removed(
    admin: Caller, project: Project, make_user: MakeUser, shared: Registry
) -> None:
    user = await make_user()
    body = {"role_id": 2, "member_user": {"username": user.username}}
    made = await admin.post(f"{project.path}/members", body)
    path = f"{project.path}/members/{made.new_id}"
    assert made.headers["Location"] == f"/api/v2.0{path}"
    shown = (await admin.get(path)).json
    assert shown == {
        "id": made.new_id,
        "project_id": project.id,
        "entity_id": shown["entity_id"],
        "entity_name": user.username,
        "entity_type": "u",
        "role_id": 2,
        "role_name": "developer",
    }
    assert (await admin.put(path, {"role_id": 1})).status == 200
    assert (await admin.get(path)).json["role_name"] == "projectAdmin"
    assert (await admin.delete(path)).status == 200
    assert (await admin.get(path)).status == 404
    async with shared.resources.database.autocommit() as statements:
        events = await statements.values(EVENTS, project=project.name)
    assert events == ["project.created", "member.created", "member.updated", "member.deleted"]


async def test_list_is_paged_and_filtered(admin: Caller, project: Project, make_user: MakeUser) -> None:
    names = [(await make_user(Role.GUEST)).username for _ in range(3)]
    first = await admin.get(f"{project.path}/members", page_size=2)
    assert [member["entity_name"] for member in first.json] == names[:2]
    assert first.total == 3
    assert 'page=2&page_size=2>; rel="next"' in first.headers["Link"]
    assert (await admin.get(f"{project.path}/members", entityname=names[1][:14])).total == 1
    assert (await admin.get(f"{project.path}/members", page=9)).json == []
    falling = await admin.get(f"{project.path}/members", sort="-entity_name", page_size=1)
    assert falling.json[0]["entity_name"] == max(names)
    everybody = await admin.get(f"{project.path}/members", page=0, page_size=0)
    assert [member["entity_name"] for member in everybody.json] == names
    assert "Link" not in everybody.headers


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"role_id": 9, "member_user": {"username": "admin"}}, 400, "BAD_REQUEST"),
        ({"role_id": 2}, 400, "BAD_REQUEST"),
        ({"role_id": 2, "member_user": {}, "member_group": {}}, 400, "BAD_REQUEST"),
        ({"role_id": 2, "member_user": {"user_id": 1}, "member_group": {"id": 1}}, 400, "BAD_REQUEST"),
        ({"role_id": 2, "member_user": {"username": "nobody-at-all"}}, 404, "NOT_FOUND"),
        ({"role_id": 2, "member_group": {"group_name": "nobody-at-all"}}, 404, "NOT_FOUND"),
        ({"role_id": 2, "member_group": {"ldap_group_dn": "cn=nobody"}}, 404, "NOT_FOUND"),
        ({"role_id": "developer", "member_user": {"username": "admin"}}, 422, "UNPROCESSABLE_ENTITY"),
        ({"member_user": {"username": "admin"}}, 422, "UNPROCESSABLE_ENTITY"),
        ({"role_id": 2, "member_user": {"username": "a\0b"}}, 422, "UNPROCESSABLE_ENTITY"),
        ([], 422, "UNPROCESSABLE_ENTITY"),
    ],
)
async def test_bad_member_is_refused(
    admin: Caller, project: Project, body: object, status: int, code: str
) -> None:
    answer = await admin.post(f"{project.path}/members", body)
    assert (answer.status, answer.code) == (status, code)
    assert (await admin.get(f"{project.path}/members")).total == 0


async def test_member_twice_is_a_conflict(admin: Caller, project: Project, make_user: MakeUser) -> None:
    user = await make_user(Role.GUEST)
    body = {"role_id": 2, "member_user": {"username": user.username.upper()}}
    answer = await admin.post(f"{project.path}/members", body)
    assert (answer.status, answer.code) == (409, "CONFLICT")


async def test_role_counts_at_the_next_request(project: Project, admin: Caller, make_user: MakeUser) -> None:
    owner = await make_user(Role.PROJECT_ADMIN)
    assert (await owner.get(f"{project.path}/members")).total == 1
    member_id = (await owner.get(f"{project.path}/members")).json[0]["id"]
    await admin.put(f"{project.path}/members/{member_id}", {"role_id": 5})
    assert (await owner.get(f"{project.path}/members")).status == 403


async def test_private_project_looks_to_strangers_as_if_it_were_not_there(
    project: Project, stranger: Caller, make_user: MakeUser
) -> None:
    outsider = await make_user()
    for caller in (stranger, outsider):
        real = await caller.get(f"{project.path}/members")
        missing = await caller.get(f"/projects/{unique('missing')}/members")
        assert (real.status, real.json) == (missing.status, missing.json)
    assert (await outsider.get(f"{project.path}/members")).status == 403
    assert (await stranger.get(f"{project.path}/members")).status == 401


async def test_project_is_named_by_id_or_by_name(project: Project, admin: Caller) -> None:
    assert (await admin.get(f"/projects/{project.name}/members")).status == 200
    as_name = await admin("GET", f"{project.path}/members", headers={"X-Is-Resource-Name": "true"})
    assert (as_name.status, as_name.code) == (404, "NOT_FOUND")


async def test_fields_that_are_null_are_left_out(
    admin: Caller, project: Project, make_user: MakeUser
) -> None:
    """As clients of Harbor send what they do not set."""
    body = {"role_id": 2, "member_user": {"username": (await make_user()).username, "user_id": None}}
    assert (await admin.post(f"{project.path}/members", {**body, "member_group": None})).status == 201
    assert (await admin.post(f"{project.path}/members", {"role_id": None})).status == 422
