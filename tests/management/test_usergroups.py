"""Groups of users that come from a directory."""

import asyncio
from typing import Any

import pytest

from app.db import SQL
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.support.registry import Registry

EVENTS = SQL("SELECT type FROM outbox WHERE payload->>'name' = ANY(%(names)s) ORDER BY id")


def oidc(**fields: Any) -> dict[str, Any]:
    return {"group_name": unique("group"), "group_type": 3} | fields


async def test_group_is_made_shown_renamed_and_removed(admin: Caller, shared: Registry) -> None:
    name, later = unique("group"), unique("renamed")
    dn = f"cn={name},dc=example,dc=org"
    body = {"group_name": name, "group_type": 1, "ldap_group_dn": dn}
    made = await admin.post("/usergroups", body)
    path = f"/usergroups/{made.new_id}"
    assert made.headers["Location"] == f"/api/v2.0{path}"
    assert (await admin.get(path)).json == body | {"id": made.new_id}
    assert (await admin.get("/usergroups", ldap_group_dn=dn)).json == [body | {"id": made.new_id}]
    assert (await admin.put(path, {"group_name": later})).status == 200
    assert (await admin.get(path)).json["group_name"] == later
    assert (await admin.delete(path)).status == 200
    for answer in (await admin.get(path), await admin.put(path, body), await admin.delete(path)):
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
    async with shared.resources.database.autocommit() as statements:
        events = await statements.values(EVENTS, names=[name, later])
    assert events == ["user-group.created", "user-group.updated", "user-group.deleted"]


async def test_groups_are_listed_and_found(admin: Caller, make_user: MakeUser) -> None:
    part = unique("list")
    for letter in "ab":
        await admin.post("/usergroups", oidc(group_name=f"{part}-{letter}"))
    listed = await admin.get("/usergroups", group_name=part, page_size=1)
    assert [group["group_name"] for group in listed.json] == [f"{part}-a"]
    assert listed.total == 2
    assert 'rel="next"' in listed.headers["Link"]
    user = await make_user()
    found = await user.get("/usergroups/search", groupname=f"{part}-b")
    assert found.json == [{"id": found.json[0]["id"], "group_name": f"{part}-b", "group_type": 3}]
    assert (await user.get("/usergroups/search")).status == 422
    assert (await admin.get("/usergroups", group_name="%' OR 1=1 --")).total == 0
    assert (await admin.get("/usergroups", page=9, group_name=part)).json == []


async def test_search_tells_nothing_but_names(admin: Caller, make_user: MakeUser) -> None:
    name, place = unique("dark"), f"cn={unique('x')},dc=example"
    await admin.post("/usergroups", oidc(group_name=name, group_type=1, ldap_group_dn=place))
    user = await make_user()
    for guess in (place[:6], "nowhere"):
        found = await user.get("/usergroups/search", groupname=name, q=f"ldap_group_dn=~{guess}")
        assert [group["group_name"] for group in found.json] == [name]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"group_name": " "}, 400),
        ({"group_name": "dev\u202e"}, 400),
        ({"group_name": "x" * 256}, 422),
        ({"group_name": 1}, 422),
        ({"group_name": "a\0b"}, 422),
        ({"group_type": 0}, 400),
        ({"group_type": 4}, 400),
        ({"group_type": "ldap"}, 422),
        ({"group_type": 1}, 400),
        ({"group_type": 1, "ldap_group_dn": "nowhere"}, 400),
        ({"ldap_group_dn": "x" * 513}, 422),
    ],
)
async def test_bad_group_is_refused(admin: Caller, fields: dict[str, Any], status: int) -> None:
    body = oidc(**fields)
    assert (await admin.post("/usergroups", body)).status == status


async def test_name_and_place_are_taken_once(admin: Caller) -> None:
    place = f"cn={unique('x')},dc=example"
    body = oidc(group_type=1, ldap_group_dn=place)
    answers = await asyncio.gather(*(admin.post("/usergroups", body) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert (await admin.post("/usergroups", oidc(group_type=1, ldap_group_dn=place.upper()))).status == 409
    other = await admin.post("/usergroups", oidc())
    renamed = await admin.put(f"/usergroups/{other.new_id}", {"group_name": body["group_name"]})
    assert (renamed.status, renamed.code) == (409, "CONFLICT")
    assert (await admin.put(f"/usergroups/{other.new_id}", {"group_name": ""})).status == 400


async def test_group_that_is_removed_loses_its_roles(admin: Caller, project: Project) -> None:
    body = oidc()
    made = await admin.post("/usergroups", body)
    member = {"role_id": 2, "member_group": {"group_name": body["group_name"]}}
    assert (await admin.post(f"{project.path}/members", member)).status == 201
    assert (await admin.delete(f"/usergroups/{made.new_id}")).status == 200
    assert (await admin.get(f"{project.path}/members")).total == 0


async def test_groups_are_for_administrators(make_user: MakeUser, stranger: Caller) -> None:
    user = await make_user()
    for caller, status in ((user, 403), (stranger, 401)):
        for path in ("/usergroups", "/usergroups/1", "/usergroups/999999999"):
            assert (await caller.get(path)).status == status
        assert (await caller.post("/usergroups", oidc())).status == status
        assert (await caller.put("/usergroups/999999999", oidc())).status == status
        assert (await caller.delete("/usergroups/999999999")).status == status
