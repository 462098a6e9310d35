"""Users: Harbor's paths, statuses and shapes; who may see and change whom."""

import asyncio
from typing import Any

import pytest

from app.access import Role
from app.db import SQL
from tests.management.client import PASSWORD, Answer, Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.management.robots import caller_of, entry, of_system
from tests.support.registry import Registry

EVENTS = SQL(
    "SELECT type || coalesce(' ' || (payload->>'changed'), '') FROM outbox "
    "WHERE payload->>'name' = %(name)s AND type LIKE 'user.%%' ORDER BY id"
)
OTHER = "Another-password-2"


def wanted(**fields: Any) -> dict[str, Any]:
    name = unique("user")
    described = {"email": f"{name}@example.org", "realname": "Somebody", "comment": "made by a test"}
    return {"username": name, "password": PASSWORD} | described | fields


async def id_of(caller: Caller) -> int:
    return int((await caller.get("/users/current")).json["user_id"])


async def events_of(registry: Registry, name: str) -> list[str]:
    async with registry.resources.database.autocommit() as statements:
        return await statements.values(EVENTS, name=name)


async def test_user_is_made_shown_changed_and_removed(admin: Caller, shared: Registry) -> None:
    body = wanted()
    made = await admin.post("/users", body)
    path = f"/users/{made.new_id}"
    assert made.headers["Location"] == f"/api/v2.0{path}"
    shown = (await admin.get(path)).json
    assert shown == {
        "user_id": made.new_id,
        "username": body["username"],
        "email": body["email"],
        "realname": "Somebody",
        "comment": "made by a test",
        "sysadmin_flag": False,
        "admin_role_in_auth": False,
        "creation_time": shown["creation_time"],
        "update_time": shown["creation_time"],
    }
    changed = {"email": f"x{body['email']}", "realname": "Somebody Else"}
    assert (await admin.put(path, changed)).status == 200
    assert (await admin.get(path)).json.items() >= changed.items()
    assert "comment" not in (await admin.get(path)).json
    assert (await admin.put(f"{path}/sysadmin", {"sysadmin_flag": True})).status == 200
    user = Caller(shared, body["username"], PASSWORD)
    assert (await user.get("/users")).status == 200
    # Clients in Go leave out what is false.
    assert (await admin.put(f"{path}/sysadmin", {})).status == 200
    assert (await user.get("/users")).status == 403
    assert (await admin.put(f"{path}/password", {"new_password": OTHER})).status == 200
    assert (await user.get("/users/current")).status == 401
    assert (await admin.delete(path)).status == 200
    assert (await admin.get(path)).status == 404
    assert (await admin.delete(path)).status == 404
    assert await events_of(shared, body["username"]) == [
        "user.created",
        "user.updated profile",
        "user.updated sysadmin",
        "user.updated sysadmin",
        "user.updated password",
        "user.deleted",
    ]


async def test_list_is_filtered_sorted_and_paged(admin: Caller) -> None:
    part = unique("list")
    names = [f"{part}-{letter}" for letter in "bca"]
    for name in names:
        await admin.post("/users", wanted(username=name, email=f"{name}@example.org"))
    first = await admin.get("/users", q=f"username=~{part}", sort="-username", page_size=2)
    assert [user["username"] for user in first.json] == [f"{part}-c", f"{part}-b"]
    assert first.total == 3
    assert 'rel="next"' in first.headers["Link"]
    assert (await admin.get("/users", q=f"username=~{part}", page=9)).json == []
    assert (await admin.get("/users", username=part)).total == 3
    assert (await admin.get("/users", email=f"{part}-a@")).total == 1
    assert (await admin.get("/users", q=f"username={part}-a")).total == 1
    assert (await admin.get("/users", q="sysadmin_flag=maybe")).status == 400
    assert (await admin.get("/users", q="username=~%' OR 1=1 --")).total == 0
    assert (await admin.get("/users", q="password_hash=~argon", page_size=1)).total > 0  # unknown: ignored


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"username": ""}, 400),
        ({"username": "a:b"}, 400),
        ({"username": "robot$ci"}, 400),
        ({"username": " padded "}, 400),
        ({"username": "tab\tbed"}, 400),
        ({"username": 'quo"ted'}, 400),
        ({"username": "x" * 256}, 422),
        ({"username": 7}, 422),
        ({"username": "n\0l"}, 422),
        ({"email": ""}, 400),
        ({"email": "no address"}, 400),
        ({"email": "x" * 250 + "@example.org"}, 422),
        ({"realname": ""}, 400),
        ({"realname": "x" * 256}, 422),
        ({"comment": "x" * 31}, 422),
        ({"password": "short1A"}, 400),
        ({"password": "no-digit-At-all"}, 400),
        ({"password": "aA1" * 43}, 400),
        ({"password": "aA1" * 400}, 422),
    ],
)
async def test_bad_user_is_refused(admin: Caller, fields: dict[str, Any], status: int) -> None:
    body = wanted(**fields)
    assert (await admin.post("/users", body)).status == status
    assert (await admin.get("/users", email=str(body["email"])[:100] or "nobody@")).total == 0


async def test_name_and_address_are_taken_once(admin: Caller, make_user: MakeUser) -> None:
    first, second = wanted(), wanted()
    await admin.post("/users", first)
    for clash in ({"username": first["username"].upper()}, {"email": first["email"].upper()}):
        answer = await admin.post("/users", second | clash)
        assert (answer.status, answer.code) == (409, "CONFLICT")
    user = await make_user()
    profile = {"email": first["email"], "realname": "Somebody"}
    assert (await user.put(f"/users/{await id_of(user)}", profile)).status == 409


async def test_two_who_make_the_same_user_make_one(admin: Caller) -> None:
    body = wanted()
    answers = await asyncio.gather(*(admin.post("/users", body) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [201, *[409] * 5]


async def test_user_looks_after_himself_and_nobody_else(make_user: MakeUser, admin: Caller) -> None:
    user, other = await make_user(), await make_user()
    own, foreign = f"/users/{await id_of(user)}", f"/users/{await id_of(other)}"
    assert (await user.get(own)).json["username"] == user.username
    assert (await user.put(own, {"email": f"{user.username}@example.org", "realname": "Me"})).status == 200
    calls: list[Answer] = []
    for path in (foreign, "/users/999999999"):
        calls += [
            await user.get(path),
            await user.put(path, {"email": "x@example.org", "realname": "x"}),
            await user.put(f"{path}/password", {"new_password": OTHER, "old_password": PASSWORD}),
            await user.put(f"{path}/sysadmin", {"sysadmin_flag": True}),
            await user.delete(path),
        ]
    calls += [
        await user.delete(own),
        await user.put(f"{own}/sysadmin", {"sysadmin_flag": True}),
        await user.get("/users"),
        await user.post("/users", wanted()),
    ]
    assert {(answer.status, answer.code) for answer in calls} == {(403, "FORBIDDEN")}
    assert {answer.message for answer in calls[:5]} == {answer.message for answer in calls[5:10]}
    assert (await other.get("/users/current")).status == 200
    assert (await admin.get("/users/999999999")).status == 404


async def test_own_password_is_changed_with_the_old_one(make_user: MakeUser, shared: Registry) -> None:
    user = await make_user()
    path = f"/users/{await id_of(user)}/password"
    for old in ("", "Wrong-password-1"):
        answer = await user.put(path, {"new_password": OTHER, "old_password": old})
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
    for new in ("weak", PASSWORD):
        answer = await user.put(path, {"new_password": new, "old_password": PASSWORD})
        assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    assert (await user.put(path, {"new_password": OTHER, "old_password": PASSWORD})).status == 200
    assert (await user.get("/users/current")).status == 401
    assert (await Caller(shared, user.username, OTHER).get("/users/current")).status == 200


async def test_admin_cannot_be_lost(admin: Caller, make_user: MakeUser) -> None:
    own = await id_of(admin)
    assert (await admin.delete(f"/users/{own}")).status == 403
    assert (await admin.put(f"/users/{own}/sysadmin", {"sysadmin_flag": False})).status == 403
    second = await make_user()
    path = f"/users/{await id_of(second)}"
    await admin.put(f"{path}/sysadmin", {"sysadmin_flag": True})
    assert (await second.delete(f"/users/{own}")).status == 403
    assert (await second.delete(path)).status == 403
    assert (await admin.get("/users/current")).json["sysadmin_flag"] is True


async def test_robot_that_manages_users_does_not_rise_above_them(
    admin: Caller, make_user: MakeUser, shared: Registry
) -> None:
    actions = ("create", "read", "update", "delete", "list")
    access = [{"resource": "user", "action": action} for action in actions]
    robot = caller_of(shared, await admin.post("/robots", of_system(entry("/", access))))
    user = await make_user()
    path, boss = f"/users/{await id_of(user)}", f"/users/{await id_of(admin)}"
    assert (await robot.get("/users")).status == 200
    assert (await robot.put(f"{path}/password", {"new_password": OTHER})).status == 200
    assert (await robot.put(f"{path}/sysadmin", {"sysadmin_flag": True})).status == 403
    for guess in (OTHER, admin.password):  # right or wrong, the answer says nothing
        answer = await robot.put(f"{boss}/password", {"new_password": guess})
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert (await robot.put(boss, {"email": "x@example.org", "realname": "x"})).status == 403
    assert (await robot.delete(path)).status == 200
    assert (await robot.get("/users/current")).status == 412
    assert (await robot.put(f"{path}/cli_secret", {"secret": OTHER})).status == 412


async def test_strangers_see_no_users(stranger: Caller) -> None:
    for path in ("/users", "/users/1", "/users/current", "/users/current/permissions"):
        assert (await stranger.get(path)).status == 401
    assert (await stranger.get("/users/search", username="a")).status == 401


async def test_search_shows_little_to_everybody_who_is_known(make_user: MakeUser) -> None:
    user = await make_user()
    found = await user.get("/users/search", username=user.username[:14])
    assert found.json == [{"user_id": await id_of(user), "username": user.username}]
    assert found.total == 1
    assert (await user.get("/users/search")).status == 422
    assert (await user.get("/users/search", username=unique("nobody"))).json == []


async def test_search_can_not_ask_for_what_it_does_not_show(make_user: MakeUser, admin: Caller) -> None:
    body = wanted()
    await admin.post("/users", body)
    user, name = await make_user(), body["username"]
    for guess in ("email=~@example.org", "email=~@nowhere", "sysadmin_flag=true", "sysadmin_flag=false"):
        found = await user.get("/users/search", username=name, q=guess)
        assert [one["username"] for one in found.json] == [name]


async def test_caller_sees_what_he_may(make_user: MakeUser, project: Project, admin: Caller) -> None:
    guest, scope = await make_user(Role.GUEST), f"/project/{project.id}"
    full = (await guest.get("/users/current/permissions", scope=scope)).json
    assert {"resource": f"{scope}/repository", "action": "pull"} in full
    assert {"resource": scope, "action": "read"} in full
    assert {"resource": f"{scope}/repository", "action": "push"} not in full
    short = (await guest.get("/users/current/permissions", scope=scope, relative="true")).json
    assert {"resource": "repository", "action": "pull"} in short
    assert len(short) == len(full)
    outsider = await make_user()
    assert (await outsider.get("/users/current/permissions", scope=scope)).json == []
    for nothing in ("", "/project/999999999", "/nonsense", "/project/x"):
        assert (await admin.get("/users/current/permissions", scope=nothing)).json == []
    assert (await guest.get("/users/current/permissions", scope="/system")).json == []
    of_admin = (await admin.get("/users/current/permissions", scope="/system", relative="true")).json
    assert {"resource": "user", "action": "list"} in of_admin


async def test_secret_for_the_command_line_is_not_for_local_users(make_user: MakeUser) -> None:
    user = await make_user()
    answer = await user.put(f"/users/{await id_of(user)}/cli_secret", {"secret": OTHER})
    assert (answer.status, answer.code) == (412, "PRECONDITION")


async def test_user_who_is_removed_leaves_what_he_owned(
    admin: Caller, make_user: MakeUser, project: Project
) -> None:
    user = await make_user(Role.PROJECT_ADMIN)
    assert (await admin.delete(f"/users/{await id_of(user)}")).status == 200
    assert (await admin.get(f"{project.path}/members")).total == 0
    assert (await user.get("/users/current")).status == 401
