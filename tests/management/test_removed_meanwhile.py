"""Requests about something that is removed or changed at that moment: they see what it became."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from app.db import SQL
from tests.conformance.content import digest_of
from tests.conformance.content import unique as random
from tests.management.client import PASSWORD, Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.management.content import digests, fresh_image, immutable_rule, path_of, pusher
from tests.support.eventually import until
from tests.support.registry import Registry

Reply = TypeVar("Reply")

REMOVE_PROJECT = SQL("DELETE FROM projects WHERE name = %(name)s")
REMOVE_USER = SQL("DELETE FROM users WHERE username = %(name)s")
SET_PASSWORD = SQL("UPDATE users SET password_hash = 'another' WHERE username = %(name)s")
REMOVE_MANIFEST = SQL("DELETE FROM manifests WHERE digest = %(name)s")
REMOVE_REPOSITORY = SQL("DELETE FROM repositories WHERE name = %(name)s")
MOVE_TAG = SQL("""
    UPDATE tags t SET manifest_id = m.id FROM manifests m
    WHERE m.digest = %(name)s AND t.repository_id = m.repository_id
""")
IS_WAITING = SQL("""
    SELECT EXISTS (
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    )
""")


async def while_removed(
    registry: Registry, removal: SQL, name: str, request: Callable[[], Awaitable[Reply]]
) -> Reply:
    """Begin a change, let the request wait for it, and return what the request is answered afterwards."""
    database = registry.resources.database

    async def is_waiting() -> bool:
        async with database.autocommit() as statements:
            return bool(await statements.value(IS_WAITING))

    async with database.transaction() as tx:
        await tx.run(removal, name=name)
        asking = asyncio.ensure_future(request())
        await until(is_waiting, bool)
    return await asking


async def test_member_whose_user_goes_is_not_found(
    admin: Caller, project: Project, make_user: MakeUser, shared: Registry
) -> None:
    user = await make_user()
    body = {"role_id": 1, "member_user": {"username": user.username}}
    answer = await while_removed(
        shared, REMOVE_USER, user.username, lambda: admin.post(f"{project.path}/members", body)
    )
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_member_of_a_project_that_goes_is_not_found(
    admin: Caller, project: Project, make_user: MakeUser, shared: Registry
) -> None:
    body = {"role_id": 1, "member_user": {"username": (await make_user()).username}}
    answer = await while_removed(
        shared, REMOVE_PROJECT, project.name, lambda: admin.post(f"{project.path}/members", body)
    )
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_rule_of_a_project_that_goes_is_not_found(
    admin: Caller, project: Project, shared: Registry
) -> None:
    path = f"{project.path}/immutabletagrules"
    answer = await while_removed(
        shared, REMOVE_PROJECT, project.name, lambda: admin.post(path, immutable_rule("v*"))
    )
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_project_of_a_user_who_goes_is_not_made(make_user: MakeUser, shared: Registry) -> None:
    user = await make_user()
    body = {"project_name": unique("orphan")}
    answer = await while_removed(shared, REMOVE_USER, user.username, lambda: user.post("/projects", body))
    assert (answer.status, answer.code) == (403, "FORBIDDEN")


async def test_password_that_was_reset_meanwhile_is_not_changed_with_the_old_one(
    make_user: MakeUser, shared: Registry
) -> None:
    user = await make_user()
    path = f"/users/{(await user.get('/users/current')).json['user_id']}/password"
    body = {"old_password": PASSWORD, "new_password": "Another-password-2"}
    answer = await while_removed(shared, SET_PASSWORD, user.username, lambda: user.put(path, body))
    assert (answer.status, answer.code) == (409, "CONFLICT")
    later = Caller(shared, user.username, "Another-password-2")
    assert (await later.get("/users/current")).status == 401


@pytest.mark.parametrize("what", ["labels", "tags"])
async def test_artifact_that_goes_gets_no_label_and_no_tag(
    admin: Caller, project: Project, shared: Registry, what: str
) -> None:
    name = f"{project.name}/app"
    digest = await pusher(admin, name).push(fresh_image(), "v1")
    label = await admin.post("/labels", {"name": "new", "scope": "p", "project_id": project.id})
    body = {"id": label.new_id} if what == "labels" else {"name": "v2"}
    answer = await while_removed(
        shared, REMOVE_MANIFEST, digest, lambda: admin.post(f"{path_of(name, digest)}/{what}", body)
    )
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_tag_that_moves_meanwhile_is_not_taken_from_its_new_artifact(
    admin: Caller, project: Project, shared: Registry
) -> None:
    name = f"{project.name}/app"
    repository = pusher(admin, name)
    old, new = await repository.push(fresh_image(), "v1"), await repository.push(fresh_image())
    answer = await while_removed(shared, MOVE_TAG, new, lambda: admin.delete(f"{path_of(name, old)}/tags/v1"))
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert (await admin.get(path_of(name, "v1"))).json["digest"] == new


@pytest.mark.parametrize("size", [100, 100_000])
async def test_blob_of_a_repository_that_goes_is_the_first_of_a_new_one(
    admin: Caller, project: Project, shared: Registry, size: int
) -> None:
    repository, data = pusher(admin, f"{project.name}/app"), random(size)
    await repository.push_blob(random())
    session = (await repository.patch(await repository.start(), data)).location
    closed = await while_removed(
        shared, REMOVE_REPOSITORY, repository.name, lambda: repository.close(session, digest_of(data))
    )
    assert closed.status == 201
    assert (await repository.get(f"blobs/{digest_of(data)}")).body == data


async def test_blob_is_mounted_into_a_repository_that_goes_as_the_first_of_a_new_one(
    admin: Caller, project: Project, shared: Registry
) -> None:
    source, target = pusher(admin, f"{project.name}/app"), pusher(admin, f"{project.name}/copy")
    digest = await source.push_blob(random())
    await target.push_blob(random())
    mount = f"blobs/uploads/?mount={digest}&from={source.name}"
    mounted = await while_removed(
        shared, REMOVE_REPOSITORY, target.name, lambda: target.send("POST", target.url(mount))
    )
    assert mounted.status == 201
    assert (await target.head(f"blobs/{digest}")).status == 200


async def test_artifacts_are_copied_once_into_a_repository_that_goes(
    admin: Caller, project: Project, shared: Registry
) -> None:
    source, target = f"{project.name}/app", f"{project.name}/copy"
    digest = await pusher(admin, source).push(fresh_image())
    await pusher(admin, target).push_blob(random())
    copies = path_of(target) + "/artifacts"
    copied = await while_removed(
        shared, REMOVE_REPOSITORY, target, lambda: admin.post(copies, **{"from": f"{source}@{digest}"})
    )
    assert copied.status == 201
    assert digests(await admin.get(copies)) == [digest]


async def test_an_upload_outlives_its_project_as_a_push_of_an_administrator_makes_another(
    admin: Caller, project: Project, shared: Registry
) -> None:
    repository = pusher(admin, f"{project.name}/app")
    session = await repository.start()
    answer = await while_removed(
        shared, REMOVE_PROJECT, project.name, lambda: repository.get(f"{session}?presigned=true&size=10")
    )
    assert answer.status == 200


async def test_first_blob_of_a_project_that_goes_is_not_stored(
    admin: Caller, project: Project, shared: Registry
) -> None:
    repository, data = pusher(admin, f"{project.name}/app"), random(100_000)
    session = (await repository.patch(await repository.start(), data)).location
    answer = await while_removed(
        shared, REMOVE_PROJECT, project.name, lambda: repository.close(session, digest_of(data))
    )
    assert answer.status in {201, 404}
