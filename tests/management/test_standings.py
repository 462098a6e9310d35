"""Rights are remembered only for as long as nobody's rights change, by whatever means."""

import asyncio
import gc
from dataclasses import replace

import pytest

from app.access import Role
from app.auth.standings import Standings
from app.db import SQL
from app.events import Cause
from app.members.assign import assign_role
from app.oci.names import MAX_NAME_LENGTH
from app.projects.change import set_visibility
from tests.management.client import Caller
from tests.management.conftest import MakeUser, Project
from tests.support.registry import Registry

PULL = "/v2/{}/app/tags/list"
DISABLE = SQL("UPDATE users SET is_disabled = true WHERE username = %(username)s")
REMOVE = SQL("""
    DELETE FROM project_members
    WHERE project_id = %(project_id)s AND user_id = (SELECT id FROM users WHERE username = %(username)s)
""")
TOUCH = SQL("UPDATE access_epoch SET value = value + 1")
CONTENT = SQL("""
    SELECT concat_ws(' ', (SELECT count(*) FROM upload_sessions), (SELECT count(*) FROM manifests),
        (SELECT count(*) FROM tags))
""")
MEDIA_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
EPOCH = SQL("SELECT value FROM access_epoch")


async def status_of(caller: Caller, project: Project, headers: dict[str, str]) -> int:
    url = caller.registry.url + PULL.format(project.name)
    async with caller.registry.session.get(url, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize("change", [DISABLE, REMOVE], ids=["disabled", "removed"])
async def test_who_loses_a_right_loses_it_with_a_token_in_hand(
    change: SQL, project: Project, make_user: MakeUser, shared: Registry
) -> None:
    member = await make_user(Role.GUEST)
    token = await shared.token(f"repository:{project.name}/app:pull", auth=member.auth)
    bearer = {"Authorization": f"Bearer {token}"}
    for _ in range(2):  # the second time it is remembered
        assert await status_of(member, project, bearer) == 404  # let in: there is no such repository
    async with shared.resources.database.transaction() as tx:
        await tx.run(
            change, username=member.username, **({"project_id": project.id} if change is REMOVE else {})
        )
    assert await status_of(member, project, bearer) == 401


async def test_token_ends_with_the_password_that_it_was_given_for(
    project: Project, make_user: MakeUser, shared: Registry, admin: Caller
) -> None:
    member = await make_user(Role.GUEST)
    scope = f"repository:{project.name}/app:pull"
    bearer = {"Authorization": f"Bearer {await shared.token(scope, auth=member.auth)}"}
    assert await status_of(member, project, bearer) == 404
    user_id = (await member.get("/users/current")).json["user_id"]
    changed = await admin.put(f"/users/{user_id}/password", {"new_password": "Another-horse-1"})
    assert changed.status == 200, changed.json
    assert await status_of(member, project, bearer) == 401
    again = replace(member, password="Another-horse-1")
    bearer = {"Authorization": f"Bearer {await shared.token(scope, auth=again.auth)}"}
    assert await status_of(member, project, bearer) == 404


async def test_right_that_is_given_counts_at_once(
    project: Project, make_user: MakeUser, shared: Registry
) -> None:
    user = await make_user()
    assert await status_of(user, project, user.auth) == 403
    async with shared.resources.database.transaction() as tx:
        await assign_role(tx, project.name, user.username, role=Role.GUEST)
    assert await status_of(user, project, user.auth) == 404


async def test_project_that_becomes_private_is_closed_at_once(
    public_project: Project, make_user: MakeUser, shared: Registry
) -> None:
    user = await make_user()
    assert await status_of(user, public_project, user.auth) == 404
    async with shared.resources.database.transaction() as tx:
        await set_visibility(tx, public_project.name, Cause("tests"), is_public=False)
    assert await status_of(user, public_project, user.auth) == 403


# Each begins with another kind of statement: a look-up that is shared, one that waits for no disk, one of its
# own, a transaction; and one that needs no statement at all.
REQUESTS = [
    ("HEAD", "blobs/sha256:" + "0" * 64),
    ("GET", "manifests/latest"),
    ("POST", "blobs/uploads/"),
    ("PUT", "manifests/latest"),
    ("DELETE", "manifests/latest"),
    ("GET", "tags/list"),
    ("GET", "tags/list?n=wrong"),
]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_no_request_is_answered_from_memory(
    method: str, path: str, project: Project, make_user: MakeUser, shared: Registry
) -> None:
    member = await make_user(Role.MAINTAINER)
    scope = f"repository:{project.name}/app:pull,push,delete"
    bearer = {"Authorization": f"Bearer {await shared.token(scope, auth=member.auth)}"}
    url = f"{shared.url}/v2/{project.name}/app/{path}"
    body = MANIFEST if method == "PUT" else b""
    fields = bearer | ({"Content-Type": MEDIA_TYPE} if method == "PUT" else {})
    async with shared.session.request(method, url, headers=fields, data=body) as answer:
        assert answer.status in {200, 201, 202, 400, 404}
    before = await everything(shared)
    async with shared.resources.database.transaction() as tx:
        await tx.run(DISABLE, username=member.username)
    async with shared.session.request(method, url, headers=fields, data=body) as answer:
        assert answer.status == 401
    assert await everything(shared) == before


async def everything(registry: Registry) -> object:
    async with registry.resources.database.autocommit() as statements:
        return await statements.value(CONTENT)


async def test_many_requests_while_rights_change_are_judged_each(
    project: Project, make_user: MakeUser, shared: Registry
) -> None:
    """Changes of others' rights make every request look anew; nobody is refused or let in for that."""
    member, outsider = await make_user(Role.GUEST), await make_user()

    async def ask(caller: Caller) -> int:
        return await status_of(caller, project, caller.auth)

    async def change() -> int:
        async with shared.resources.database.transaction() as tx:
            await tx.run(TOUCH)
        return 0

    for _ in range(5):
        answers = await asyncio.gather(
            *(ask(member) for _ in range(8)), change(), *(ask(outsider) for _ in range(8)), change()
        )
        assert answers == [404] * 8 + [0] + [403] * 8 + [0]


async def test_change_that_is_rolled_back_changes_nothing(shared: Registry, project: Project) -> None:
    async def fail() -> None:
        async with shared.resources.database.transaction() as tx:
            await set_visibility(tx, project.name, Cause("tests"), is_public=True)
            raise ZeroDivisionError

    before = await epoch_of(shared)
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await epoch_of(shared) == before


async def epoch_of(registry: Registry) -> int:
    async with registry.resources.database.autocommit() as statements:
        return int(await statements.value(EPOCH))


async def test_names_that_no_project_can_have_are_not_remembered_in_full(stranger: Caller) -> None:
    assert (await stranger.get(f"/projects/{'x' * 50_000}")).status == 401
    known = [vars(one)["_known"] for one in gc.get_objects() if isinstance(one, Standings)]
    assert max(len(name) for keys in known for *_, name in keys) == MAX_NAME_LENGTH + 1
