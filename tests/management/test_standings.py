"""Rights are remembered only for as long as nobody's rights change, by whatever means."""

import pytest

from app.access import Role
from app.db import SQL
from app.members.assign import assign_role
from app.projects.create import set_visibility
from tests.management.client import Caller
from tests.management.conftest import MakeUser, Project
from tests.support.registry import Registry

PULL = "/v2/{}/app/tags/list"
DISABLE = SQL("UPDATE users SET is_disabled = true WHERE username = %(username)s")
REMOVE = SQL("""
    DELETE FROM project_members
    WHERE project_id = %(project_id)s AND user_id = (SELECT id FROM users WHERE username = %(username)s)
""")
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
        await set_visibility(tx, public_project.name, is_public=False)
    assert await status_of(user, public_project, user.auth) == 403


async def test_change_that_is_rolled_back_changes_nothing(shared: Registry, project: Project) -> None:
    async def fail() -> None:
        async with shared.resources.database.transaction() as tx:
            await set_visibility(tx, project.name, is_public=True)
            raise ZeroDivisionError

    before = await epoch_of(shared)
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await epoch_of(shared) == before


async def epoch_of(registry: Registry) -> int:
    async with registry.resources.database.autocommit() as statements:
        return int(await statements.value(EPOCH))
