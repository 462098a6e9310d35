"""Quotas: their API, and pushes that fit and do not fit."""

from typing import Any

import pytest

from app.access import Role
from app.db import SQL
from app.quotas.model import readable
from tests.conformance.client import Answer, Repository, bearer, open_repository
from tests.conformance.content import digest_of, image, unique
from tests.management.client import Caller
from tests.management.conftest import MakeUser, Project, make_project
from tests.support.registry import Registry

LARGE = 100_000
EVENTS = SQL("""
    SELECT payload::jsonb - 'type' || jsonb_build_object('what', type) FROM outbox
    WHERE payload->>'project_name' = %(project)s AND type LIKE 'quota.%%' ORDER BY id
""")


@pytest.fixture
async def repo(shared: Registry, project: Project) -> Repository:
    return await open_repository(shared, name=f"{project.name}/app")


@pytest.fixture
async def other(shared: Registry, project: Project) -> Repository:
    """Another repository of the same project, with the right to mount from the first."""
    name = f"{project.name}/other"
    token = await shared.token(f"repository:{name}:pull,push,delete", f"repository:{project.name}/app:pull")
    return Repository(shared, name, bearer(token))


async def used(admin: Caller, project: Project) -> int:
    return int((await admin.get(f"/quotas/{project.id}")).json["used"]["storage"])


async def limit(admin: Caller, project: Project, hard: int) -> None:
    assert (await admin.put(f"/quotas/{project.id}", {"hard": {"storage": hard}})).status == 200


async def events(registry: Registry, project: Project) -> list[dict[str, Any]]:
    async with registry.resources.database.autocommit() as statements:
        return await statements.values(EVENTS, project=project.name)


def refusal(answer: Answer) -> dict[str, Any]:
    assert (answer.status, answer.code) == (403, "DENIED")
    detail: dict[str, Any] = answer.json()["errors"][0]["detail"]
    return detail


async def test_quota_is_shown_and_set(admin: Caller, project: Project, shared: Registry) -> None:
    shown = (await admin.get(f"/quotas/{project.id}")).json
    assert shown == {
        "id": project.id,
        "ref": {"id": project.id, "name": project.name, "owner_name": ""},
        "hard": {"storage": -1},
        "used": {"storage": 0},
        "creation_time": shown["creation_time"],
        "update_time": shown["update_time"],
    }
    await limit(admin, project, 1 << 50)
    assert (await admin.get(f"/quotas/{project.id}")).json["hard"] == {"storage": 1 << 50}
    changed = {"what": "quota.updated", "name": project.name, "project_name": project.name}
    assert await events(shared, project) == [{**changed, "hard_bytes": 1 << 50}]


async def test_quotas_are_listed_sorted_and_by_project(
    admin: Caller, project: Project, repo: Repository
) -> None:
    await repo.push(image([unique(LARGE)]))
    await limit(admin, project, 1 << 49)
    by_project = await admin.get("/quotas", reference="project", reference_id=project.id)
    assert [quota["id"] for quota in by_project.json] == [project.id]
    assert (await admin.get("/quotas", reference="other")).json == []
    for key in ("used", "hard"):
        falling = (await admin.get("/quotas", sort=f"-{key}.storage", page_size=100)).json
        amounts = [quota[key]["storage"] for quota in falling]
        assert amounts == sorted(amounts, reverse=True)
    assert (await admin.get("/quotas", page=10_000)).json == []
    assert (await admin.get("/quotas", reference_id="x' OR 1=1")).status == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"hard": {"storage": 0}}, 400),
        ({"hard": {"storage": -2}}, 422),
        ({"hard": {"storage": (1 << 50) + 1}}, 422),
        ({"hard": {"storage": "much"}}, 422),
        ({"hard": {}}, 422),
        ({}, 422),
    ],
)
async def test_bad_limit_is_refused(admin: Caller, project: Project, body: object, status: int) -> None:
    assert (await admin.put(f"/quotas/{project.id}", body)).status == status
    assert (await admin.get(f"/quotas/{project.id}")).json["hard"] == {"storage": -1}


async def test_quotas_are_for_administrators(project: Project, make_user: MakeUser, admin: Caller) -> None:
    owner = await make_user(Role.PROJECT_ADMIN)
    assert (await owner.get(f"/quotas/{project.id}")).status == 403
    assert (await owner.put(f"/quotas/{project.id}", {"hard": {"storage": 5}})).status == 403
    assert (await admin.get(f"/quotas/{2**62}")).status == 404
    assert (await admin.put(f"/quotas/{2**62}", {"hard": {"storage": 5}})).status == 404


async def test_each_digest_counts_once_per_project(
    admin: Caller, project: Project, repo: Repository, other: Repository
) -> None:
    layer = unique(1000)
    one, two = image([layer], config=b"one"), image([layer, layer], config=b"two")
    await repo.push(one, "a", "b")
    assert await used(admin, project) == len(one.body) + 3 + 1000
    await repo.push(two)
    await other.push(one, "c")
    assert await used(admin, project) == len(one.body) + len(two.body) + 6 + 1000
    for repository, content in ((repo, one), (repo, two)):
        assert (await repository.delete(f"manifests/{content.digest}")).status == 202
    assert await used(admin, project) == len(one.body) + 3 + 1000
    assert (await other.delete(f"manifests/{one.digest}")).status == 202
    assert await used(admin, project) == 0


async def test_blobs_that_no_manifest_names_do_not_count(
    admin: Caller, project: Project, repo: Repository, other: Repository
) -> None:
    digest = await repo.push_blob(unique(LARGE))
    mounted = await other.send("POST", f"blobs/uploads/?mount={digest}&from={repo.name}")
    assert mounted.status == 201
    assert await used(admin, project) == 0


async def test_push_that_does_not_fit_is_refused_and_changes_nothing(
    admin: Caller, project: Project, repo: Repository, shared: Registry
) -> None:
    first, second = image([b"x" * 500], config=b"1"), image([b"y" * 700], config=b"2")
    await repo.push(first, "latest")
    before, needed = await used(admin, project), len(second.body) + 701
    for blob in second.blobs:
        await repo.push_blob(blob)
    await limit(admin, project, before + needed - 1)
    answer = await repo.put_manifest(second, "latest")
    assert refusal(answer) == {"used": before, "limit": before + needed - 1, "needed": needed}
    message = answer.json()["errors"][0]["message"]
    assert f"used {readable(before)} of {readable(before + needed - 1)}" in message
    assert f"needed {readable(needed)} more" in message
    assert (await repo.head(f"manifests/{second.digest}")).status == 404
    assert (await repo.get("manifests/latest")).body == first.body
    assert await used(admin, project) == before
    exceeded = (await events(shared, project))[-1]
    assert exceeded == {
        "what": "quota.exceeded",
        "name": project.name,
        "project_name": project.name,
        "used_bytes": before,
        "hard_bytes": before + needed - 1,
        "needed_bytes": needed,
    }
    # Pushing again what is there needs nothing; with one byte more the other fits, too.
    assert (await repo.put_manifest(first, "again")).status == 201
    await limit(admin, project, before + needed)
    assert (await repo.put_manifest(second, "latest")).status == 201
    assert await used(admin, project) == before + needed


async def test_warning_is_recorded_once_when_the_threshold_is_crossed(
    admin: Caller, project: Project, repo: Repository, shared: Registry
) -> None:
    await limit(admin, project, 10_000)
    for size in (6_000, 2_500, 10):
        await repo.push(image([unique(size)], config=b"{}"))
    warned = [event for event in await events(shared, project) if event["what"] == "quota.warned"]
    assert len(warned) == 1
    assert 8_500 <= warned[0]["used_bytes"] <= 10_000
    assert (warned[0]["hard_bytes"], warned[0]["name"]) == (10_000, project.name)


async def test_limit_below_what_is_used_keeps_it_and_lets_nothing_in(
    admin: Caller, project: Project, repo: Repository
) -> None:
    content = image([unique(500)])
    await repo.push(content)
    await limit(admin, project, 10)
    assert (await repo.put_manifest(content, "again")).status == 201
    assert refusal(await repo.put_manifest(image([content.blobs[1]], config=content.blobs[0], a=1)))
    assert (await repo.delete(f"manifests/{content.digest}")).status == 202
    assert await used(admin, project) == 0


async def test_upload_that_cannot_fit_is_refused_before_its_bytes(
    admin: Caller, project: Project, repo: Repository, shared: Registry
) -> None:
    await limit(admin, project, LARGE - 1)
    data = unique(LARGE)
    digest = digest_of(data)
    answers = [
        await repo.patch(await repo.start(), data),
        await repo.close(await repo.start(), digest, data),
        await repo.send("POST", f"blobs/uploads/?digest={digest}", data),
    ]
    for answer in answers:
        assert refusal(answer) == {"used": 0, "limit": LARGE - 1, "needed": LARGE}
    assert (await repo.head(f"blobs/{digest}")).status == 404
    assert len([event for event in await events(shared, project) if event["what"] == "quota.exceeded"]) == 3


async def test_upload_in_two_chunks_is_refused_where_it_becomes_clear(
    admin: Caller, project: Project, repo: Repository
) -> None:
    await limit(admin, project, LARGE + 10)
    data = unique(2 * LARGE)
    sent = await repo.patch(await repo.start(), data[:LARGE], f"0-{LARGE - 1}")
    assert sent.status == 202
    refusal(await repo.patch(sent.location, data[LARGE:], f"{LARGE}-{2 * LARGE - 1}"))
    refusal(await repo.close(sent.location, digest_of(data), data[LARGE:]))


async def test_blob_that_the_project_uses_already_may_be_sent_again(
    admin: Caller, project: Project, repo: Repository, other: Repository
) -> None:
    data = unique(LARGE)
    content = image([data])
    await repo.push(content)
    await limit(admin, project, await used(admin, project))
    sent = await other.patch(await other.start(), data)
    assert (await other.close(sent.location, digest_of(data))).status == 201
    await other.push(content)
    assert (await other.head(f"manifests/{content.digest}")).status == 200


async def test_mount_that_cannot_fit_is_refused(
    admin: Caller, project: Project, repo: Repository, shared: Registry
) -> None:
    full = await make_project(shared, is_public=False)
    scopes = (f"repository:{full.name}/app:pull,push", f"repository:{repo.name}:pull")
    target = Repository(shared, f"{full.name}/app", bearer(await shared.token(*scopes)))
    digest = await repo.push_blob(unique(2_000))
    await limit(admin, full, 1_999)
    mount = f"blobs/uploads/?mount={digest}&from={repo.name}"
    assert refusal(await target.send("POST", mount)) == {"used": 0, "limit": 1_999, "needed": 2_000}
    assert (await target.head(f"blobs/{digest}")).status == 404
    await limit(admin, full, 2_000)
    assert (await target.send("POST", mount)).status == 201
    assert await used(admin, project) == 0


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (1 << 30, "1.0 GiB"),
        (1 << 60, "1048576.0 TiB"),
    ],
)
def test_sizes_are_readable(size: int, text: str) -> None:
    assert readable(size) == text
