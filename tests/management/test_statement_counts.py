"""Requests take the same few statements, however much there is and whatever is shown of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.db import SQL
from tests.conformance.client import Repository, bearer
from tests.conformance.content import artifact, digest_of, index, unique
from tests.conformance.serving import settings_for
from tests.management.client import PASSWORD, Caller
from tests.management.content import fresh_image, immutable_rule, path_of, pusher
from tests.management.robots import entry, of_system
from tests.management.webhooks import INSERT_MANY
from tests.support.registry import running_registry
from tests.support.servers import Databases, StatementLog

LABEL = SQL("INSERT INTO labels (name) VALUES ('label') ON CONFLICT DO NOTHING")
ATTACH = SQL("""
    INSERT INTO manifest_labels (manifest_id, label_id) SELECT m.id, l.id FROM manifests m, labels l
    ON CONFLICT DO NOTHING
""")
EVERYTHING: dict[str, Any] = {
    "with_tag": True,
    "with_label": True,
    "with_accessory": True,
    "with_immutable_status": True,
    "with_scan_overview": True,
    "with_sbom_overview": True,
    "page_size": 100,
}
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "artifacts": (path_of("library/app") + "/artifacts", EVERYTHING),
    "artifacts of a project": ("/projects/library/artifacts", EVERYTHING),
    "one artifact": (path_of("library/app", "v0"), {}),
    "tags": (path_of("library/app", "v0") + "/tags", {"with_immutable_status": True}),
    "accessories": (path_of("library/app", "v0") + "/accessories", {}),
    "repositories": ("/projects/library/repositories", {}),
    "all repositories": ("/repositories", {}),
    "projects": ("/projects", {"page_size": 100}),
    "search": ("/search", {"q": "a"}),
    "statistics": ("/statistics", {}),
    "members": ("/projects/library/members", {"page_size": 100}),
    "users": ("/users", {"page_size": 100}),
    "user groups": ("/usergroups", {"page_size": 100}),
    "labels": ("/labels", {"scope": "g", "page_size": 100}),
    "robots": ("/robots", {"page_size": 100}),
    "quotas": ("/quotas", {"page_size": 100}),
    "audit log": ("/auditlog-exts", {"page_size": 100}),
    "rules": ("/projects/library/immutabletagrules", {"page_size": 100}),
    "webhook policies": ("/projects/library/webhook/policies", {"page_size": 100}),
    "executions": ("/projects/library/webhook/policies/1/executions", {"page_size": 100}),
    "deliveries": ("/projects/library/webhook/policies/1/deliveries", {"page_size": 100}),
    "last triggers": ("/projects/library/webhook/lasttrigger", {}),
    "job queues": ("/jobservice/queues", {}),
}
MOST = 7


@dataclass(frozen=True)
class Logged:
    admin: Caller
    log: StatementLog


@pytest.fixture
async def logged(databases: Databases, tmp_path: Path) -> AsyncIterator[Logged]:
    with databases.fresh(migrated=True) as url:
        log = databases.log_statements(url)
        async with running_registry(settings_for(url, tmp_path)) as registry:
            admin = Caller(registry, "admin", registry.resources.settings.admin_password)
            yield Logged(admin, log)


async def push_more(admin: Caller, first: int, count: int) -> None:
    for number in range(first, first + count):
        repository, pushed = pusher(admin, "library/app"), index([fresh_image(), fresh_image()])
        await repository.push(pushed, f"v{number}", f"w{number}")
        await repository.push(artifact(payload=unique(), subject=pushed.descriptor()))
        await pusher(admin, f"library/app-{number}").push(fresh_image(), "v1")
    async with admin.registry.resources.database.autocommit() as statements:
        await statements.run(LABEL)
        await statements.run(ATTACH)


async def make_more(admin: Caller, first: int, count: int) -> None:
    """Add to every list that has to do with people, rules and webhooks."""
    for number in range(first, first + count):
        name = f"name-{number}"
        user = {"username": name, "email": f"{name}@example.org", "realname": name, "password": PASSWORD}
        targets = [{"type": "http", "address": f"https://hooks.example.org/{n}"} for n in range(number + 1)]
        for path, body in (
            ("/users", user),
            ("/projects/library/members", {"role_id": 2, "member_user": {"username": name}}),
            ("/usergroups", {"group_name": name, "group_type": 3}),
            ("/labels", {"name": name, "scope": "g"}),
            ("/robots", of_system(entry("library"))),
            ("/projects", {"project_name": name}),
            ("/projects/library/immutabletagrules", immutable_rule(f"{name}-*")),
            (
                "/projects/library/webhook/policies",
                {"name": name, "event_types": ["PUSH_ARTIFACT"], "targets": targets, "enabled": True},
            ),
        ):
            assert (await admin.post(path, body)).status == 201, path
    async with admin.registry.resources.database.autocommit() as statements:
        await statements.run(INSERT_MANY, policy_id=1, target_id=1, count=count)


async def statements_of_pages(logged: Logged) -> dict[str, int]:
    counts = {}
    for name, (path, params) in PAGES.items():
        before = logged.log.count()
        answer = await logged.admin.get(path, **params)
        assert answer.status == 200, (name, answer.json)
        counts[name] = logged.log.count() - before
    return counts


async def test_number_of_statements_does_not_grow_with_what_is_shown(logged: Logged) -> None:
    await push_more(logged.admin, 0, 1)
    await make_more(logged.admin, 0, 1)
    await statements_of_pages(logged)
    few = await statements_of_pages(logged)
    await push_more(logged.admin, 1, 9)
    await make_more(logged.admin, 1, 5)
    await statements_of_pages(logged)
    many = await statements_of_pages(logged)
    assert many == few
    assert max(many.values()) <= MOST, many
    assert min(many.values()) >= 1, many


async def test_number_of_statements_of_a_mount_does_not_grow_with_where_the_blob_is(logged: Logged) -> None:
    counts, data = [], unique()
    for places, target in ((1, "library/few"), (10, "library/many")):
        for number in range(places):
            await pusher(logged.admin, f"project-{number}/app").push_blob(data)
        repository = pusher(logged.admin, target)
        await repository.push_blob(unique())
        before = logged.log.count()
        mounted = await repository.send("POST", f"blobs/uploads/?mount={digest_of(data)}")
        assert mounted.status == 201
        counts.append(logged.log.count() - before)
    assert counts[0] == counts[1], counts


async def test_number_of_statements_of_a_token_does_not_grow_with_what_it_is_for(logged: Logged) -> None:
    registry = logged.admin.registry
    few = ["repository:library/app:pull"]
    many = [f"repository:project-{number}/app:pull,push,delete" for number in range(10)]
    counts = []
    for scopes in few, few, many:
        before = logged.log.count()
        await registry.token(*scopes)
        counts.append(logged.log.count() - before)
    assert counts[1] == counts[2], counts


async def test_a_pull_takes_one_statement_for_each_request(logged: Logged) -> None:
    repository, content = pusher(logged.admin, "library/app"), fresh_image()
    await repository.push(content, "v1")
    token = await logged.admin.registry.token("repository:library/app:pull")
    puller = Repository(logged.admin.registry, "library/app", bearer(token))
    layer = content.document["layers"][0]["digest"]
    counts = {}
    for path in (
        "manifests/v1",
        f"manifests/{content.digest}",
        f"blobs/{layer}",
        "tags/list",
        f"referrers/{layer}",
    ):
        for ask in puller.head, puller.get:
            before = logged.log.count()
            assert (await ask(path)).status == 200, path
            counts[f"{ask.__name__} {path}"] = logged.log.count() - before
    assert set(counts.values()) == {1}, counts
