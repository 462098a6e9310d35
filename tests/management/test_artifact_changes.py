"""Deleting and copying artifacts, and deleting repositories, with all that belongs to them."""

import asyncio

import pytest

from app.access import Role
from app.db import SQL
from tests.conformance.content import artifact, index, unique
from tests.management.client import Caller
from tests.management.conftest import MakeUser, Project, make_project
from tests.management.content import digests, fresh_image, immutable_rule, path_of, pusher
from tests.support.registry import Registry

PATIENCE_SECONDS = 5.0
EVENTS = SQL("SELECT type FROM outbox WHERE payload->>'repository_name' = %(name)s ORDER BY id")
LEFT = SQL("""
    SELECT count(m.id) + count(l.digest) FROM repositories r
    LEFT JOIN manifests m ON m.repository_id = r.id LEFT JOIN blob_links l ON l.repository_id = r.id
    WHERE r.name = %(name)s
""")


USED = SQL("SELECT used_bytes FROM quotas WHERE project_id = %(project_id)s")


async def used_bytes(registry: Registry, project_id: int) -> int:
    async with registry.resources.database.autocommit() as statements:
        return int(await statements.value(USED, project_id=project_id))


async def events_of(registry: Registry, name: str) -> list[str]:
    async with registry.resources.database.autocommit() as statements:
        return await statements.values(EVENTS, name=name)


async def everything(caller: Caller, name: str) -> set[str]:
    return set(digests(await caller.get(path_of(name) + "/artifacts", q="base=*", page_size=100)))


async def test_artifact_is_deleted_with_its_tags_and_accessories(
    admin: Caller, project: Project, shared: Registry
) -> None:
    name = f"{project.name}/app"
    repository, subject, other = pusher(admin, name), fresh_image(), fresh_image()
    sbom = artifact(payload=unique(), subject=subject.descriptor())
    await repository.push(subject, "v1", "v2")
    await repository.push(sbom)
    await repository.push(artifact(payload=unique(), subject=sbom.descriptor()), "tagged")
    await repository.push(fresh_image(), f"sha256-{subject.digest.removeprefix('sha256:')}.sig")
    await repository.push(other, "other")
    assert (await admin.delete(path_of(name, "v1"))).status == 200
    assert await everything(admin, name) == {other.digest}
    assert await repository.tags() == ["other"]
    assert (await events_of(shared, name))[-4:] == ["artifact.deleted"] * 4


async def test_index_is_deleted_with_members_that_nothing_else_names(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    repository = pusher(admin, name)
    alone, tagged, common = fresh_image(), fresh_image(), fresh_image()
    first, second = index([alone, tagged, common]), index([common])
    await repository.push(first, "first")
    await repository.push(second, "second")
    await repository.put_tag(tagged, "tagged")
    assert (await admin.delete(path_of(name, "first"))).status == 200
    assert await everything(admin, name) == {second.digest, tagged.digest, common.digest}


async def test_member_of_an_index_is_not_deleted(admin: Caller, project: Project) -> None:
    name = f"{project.name}/app"
    member = fresh_image()
    await pusher(admin, name).push(index([member]), "v1")
    answer = await admin.delete(path_of(name, member.digest))
    assert (answer.status, answer.code) == (412, "PRECONDITION")
    assert (await admin.get(path_of(name, member.digest))).status == 200


async def test_repository_is_deleted_with_all_that_is_in_it(
    admin: Caller, project: Project, shared: Registry
) -> None:
    name = f"{project.name}/team/app"
    pushed = fresh_image()
    await pusher(admin, name).push(index([pushed]), "v1")
    await pusher(admin, name).push(artifact(payload=unique(), subject=pushed.descriptor()))
    assert (await admin.delete(path_of(name))).status == 200
    assert (await admin.get(path_of(name))).status == 404
    assert (await admin.delete(path_of(name))).status == 404
    async with shared.resources.database.autocommit() as statements:
        assert await statements.value(LEFT, name=name) == 0
    assert (await events_of(shared, name))[-4:] == ["artifact.deleted"] * 3 + ["repository.deleted"]
    await pusher(admin, name).push(fresh_image(), "v1")
    assert (await admin.get(path_of(name))).json["artifact_count"] == 1


async def test_what_is_immutable_stays(admin: Caller, project: Project) -> None:
    name, source = f"{project.name}/app", f"{project.name}/source"
    digest = await pusher(admin, name).push(fresh_image(), "v1", "latest")
    await pusher(admin, name).push(index([fresh_image()]), "other")
    await pusher(admin, source).push(fresh_image(), "v1")
    before = await everything(admin, name)
    made = await admin.post(f"{project.path}/immutabletagrules", immutable_rule("v*", "app"))
    for answer in (
        await admin.delete(path_of(name)),
        await admin.delete(path_of(name, digest)),
        await admin.delete(path_of(name, digest) + "/tags/v1"),
        await admin.post(path_of(name) + "/artifacts", **{"from": f"{source}:v1"}),
    ):
        assert (answer.status, answer.code) == (412, "PRECONDITION")
    assert await everything(admin, name) == before
    assert (await admin.get(path_of(name, "v1"))).json["digest"] == digest
    assert (await admin.delete(path_of(name, digest) + "/tags/latest")).status == 200
    assert (await admin.delete(f"{project.path}/immutabletagrules/{made.new_id}")).status == 200
    assert (await admin.delete(path_of(name))).status == 200


async def test_quota_counts_copies_and_deletions(admin: Caller, project: Project, shared: Registry) -> None:
    source, target = f"{project.name}/app", await make_project(shared, is_public=False)
    pushed = fresh_image()
    await pusher(admin, source).push(index([pushed]), "v1")
    used = await used_bytes(shared, project.id)
    assert used > 0
    for name in (f"{target.name}/one", f"{target.name}/two", f"{target.name}/two"):
        assert (await admin.post(path_of(name) + "/artifacts", **{"from": f"{source}:v1"})).status == 201
    assert await used_bytes(shared, target.id) == used
    assert (await admin.delete(path_of(f"{target.name}/one"))).status == 200
    assert await used_bytes(shared, target.id) == used
    assert (await admin.delete(path_of(f"{target.name}/two", "v1"))).status == 200
    assert await used_bytes(shared, target.id) == 0
    assert await used_bytes(shared, project.id) == used


@pytest.mark.parametrize("by", ["tag", "digest", "both"])
async def test_artifact_is_copied_with_what_belongs_to_it(
    admin: Caller, project: Project, shared: Registry, by: str
) -> None:
    source, name = f"{project.name}/team/app", f"{(await make_project(shared, is_public=False)).name}/a/copy"
    repository, member = pusher(admin, source), fresh_image()
    pushed = index([member], annotations={"org.example": "x"})
    signature = fresh_image()
    digest = await repository.push(pushed, "v1", "latest")
    sbom = await repository.push(artifact(payload=unique(), subject=member.descriptor()))
    await repository.push(signature, f"sha256-{digest.removeprefix('sha256:')}.sig")
    await repository.push(fresh_image(), "not-copied")
    wanted = {"tag": f"{source}:v1", "digest": f"{source}@{digest}", "both": f"{source}:v9@{digest}"}[by]
    made = await admin.post(path_of(name) + "/artifacts", **{"from": wanted})
    reference = "v1" if by == "tag" else digest
    assert (made.status, made.headers["Location"]) == (201, f"/api/v2.0{path_of(name, reference)}")
    copied = (await admin.get(made.headers["Location"])).json
    assert sorted(tag["name"] for tag in copied["tags"]) == ["latest", "v1"]
    assert copied["size"] == (await admin.get(path_of(source, "v1"))).json["size"]
    assert [one["digest"] for one in copied["accessories"]] == [signature.digest]
    assert digests(await admin.get(path_of(name) + "/artifacts")) == [digest]
    inside = (await admin.get(path_of(name, member.digest))).json
    assert [one["digest"] for one in inside["accessories"]] == [sbom]
    assert (await pusher(admin, name).get(f"manifests/{digest}")).body == pushed.body
    for blob in member.document["layers"]:
        assert (await pusher(admin, name).head(f"blobs/{blob['digest']}")).status == 200
    assert (await events_of(shared, name))[-1] == "artifact.copied"
    again = await admin.post(path_of(name) + "/artifacts", **{"from": wanted})
    assert again.status == 201


async def test_artifacts_that_belong_to_each_other_in_a_circle_are_copied(
    admin: Caller, project: Project
) -> None:
    name, child = f"{project.name}/app", fresh_image()
    repository, parent = pusher(admin, name), index([index([child]), child])
    await repository.push(parent, "v1", "sha256-" + child.digest.removeprefix("sha256:") + ".sig")
    copies = path_of(f"{project.name}/copy")
    async with asyncio.timeout(PATIENCE_SECONDS):
        copied = await admin.post(copies + "/artifacts", **{"from": f"{name}:v1"})
    assert copied.status == 201
    assert await everything(admin, f"{project.name}/copy") == await everything(admin, name)
    assert (await admin.get(f"{copies}/artifacts/v1")).json["digest"] == parent.digest


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("", 400),
        ("app", 400),
        ("project/app", 400),
        ("project/app:", 400),
        ("project/app@sha256:short", 400),
        ("Project/app:v1", 400),
        ("app:v1", 400),
        ("x" * 513, 422),
        ("{project}/app:v9", 404),
        ("{project}/nothing:v1", 404),
        ("{project}-not/app:v1", 404),
    ],
)
async def test_bad_source_is_refused(admin: Caller, project: Project, source: str, status: int) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    wanted = source.format(project=project.name)
    assert (
        await admin.post(path_of(f"{project.name}/copy") + "/artifacts", **{"from": wanted})
    ).status == status
    assert (await admin.get(path_of(f"{project.name}/copy"))).status == 404
    assert (await admin.post(path_of(name) + "/artifacts")).status == 422


async def test_only_who_may_pull_from_the_source_copies(
    admin: Caller, project: Project, shared: Registry, make_user: MakeUser
) -> None:
    hidden = await make_project(shared, is_public=False)
    public = await make_project(shared, is_public=True)
    for source in (hidden, public):
        await pusher(admin, f"{source.name}/app").push(fresh_image(), "v1")
    developer, copies = await make_user(Role.DEVELOPER), path_of(f"{project.name}/copy") + "/artifacts"
    real = await developer.post(copies, **{"from": f"{hidden.name}/app:v1"})
    missing = await developer.post(copies, **{"from": f"{hidden.name}-not/app:v1"})
    assert (real.status, real.json) == (missing.status, missing.json)
    assert real.status == 403
    assert (await developer.post(copies, **{"from": f"{public.name}/app:v1"})).status == 201


@pytest.mark.parametrize(
    ("role", "may_copy", "may_delete"),
    [
        (Role.PROJECT_ADMIN, True, True),
        (Role.MAINTAINER, True, True),
        (Role.DEVELOPER, True, False),
        (Role.GUEST, False, False),
        (Role.LIMITED_GUEST, False, False),
    ],
)
async def test_every_role_may_what_harbor_says(
    project: Project, admin: Caller, make_user: MakeUser, role: Role, *, may_copy: bool, may_delete: bool
) -> None:
    name = f"{project.name}/app"
    await pusher(admin, name).push(fresh_image(), "v1")
    member = await make_user(role)
    copied = await member.post(path_of(f"{name}/copy") + "/artifacts", **{"from": f"{name}:v1"})
    assert copied.status == (201 if may_copy else 403)
    assert (await member.delete(path_of(name, "v1"))).status == (200 if may_delete else 403)
    assert (await member.delete(path_of(name))).status == (200 if may_delete else 403)
