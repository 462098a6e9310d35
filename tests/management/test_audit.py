"""The audit log: who may read it, how it is searched, how it ends, and where else it goes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from app.access import Role
from app.audit.enter import enter
from app.audit.forward import ForwardingFailed, forward
from app.audit.purge import purge
from app.db import SQL
from app.events import Cause, MemberCreated, outbox
from app.jobs import FORWARD_AUDIT_LOG, WRITE_AUDIT_LOG, pending
from app.resources import Resources
from app.settings import AuditSettings
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.support.registry import Registry

AGE = SQL(
    "UPDATE audit_logs SET occurred_at = occurred_at - interval '90 days' WHERE project_name = %(project)s"
)


async def happen(r: Resources, project: str, *names: str) -> list[str]:
    """Record events and owe their entries; return the ids of the jobs that write them."""
    cause = Cause(username="operator", address="192.0.2.7", user_agent="tests", request_id="request-1")
    async with r.database.transaction() as tx:
        await outbox.record(tx, cause, *(MemberCreated(name=name, project_name=project) for name in names))
    async with r.database.transaction() as tx:
        recorded = []
        while batch := await outbox.claim(tx, 1_000):  # with what other tests left
            recorded += [event for event in batch if event.cause == cause]
        await pending.insert(tx, [(job, e) for e in recorded for job in (WRITE_AUDIT_LOG, FORWARD_AUDIT_LOG)])
    return [str(event.event_id) for event in recorded]


async def enter_all(r: Resources, ids: list[str]) -> None:
    await enter(r, [f"{WRITE_AUDIT_LOG.name}:{event_id}" for event_id in ids])


async def test_administrator_reads_everything_newest_first(
    admin: Caller, project: Project, shared: Registry
) -> None:
    await enter_all(shared.resources, await happen(shared.resources, project.name, "first", "second"))
    shown = await admin.get(f"/projects/{project.name}/auditlog-exts")
    assert [entry["resource"] for entry in shown.json] == ["second", "first"]
    entry = shown.json[0]
    assert datetime.fromisoformat(entry.pop("op_time")) > datetime.now(UTC) - timedelta(minutes=1)
    assert entry.pop("id") > 0
    assert entry == {
        "username": "operator",
        "resource": "second",
        "resource_type": "member",
        "operation": "create",
        "operation_description": "create member: second",
        "operation_result": True,
        "client_address": "192.0.2.7",
        "user_agent": "tests",
        "request_id": "request-1",
    }
    old = (await admin.get(f"/projects/{project.name}/logs")).json[0]
    assert set(old) == {"id", "username", "resource", "resource_type", "operation", "op_time"}


async def test_entries_are_found_by_what_they_say(admin: Caller, project: Project, shared: Registry) -> None:
    name = unique("needle")
    await enter_all(shared.resources, await happen(shared.resources, project.name, name, "hay"))
    found = await admin.get("/auditlog-exts", q=f"resource={name},operation=create,username=~oper")
    assert [entry["resource"] for entry in found.json] == [name]
    assert (await admin.get("/audit-logs", q=f"resource={name},op_time=[2001-01-01~2002-01-01]")).total == 0
    assert (await admin.get("/audit-logs", q=f"resource={name},op_time=[2001-01-01T00:00:00~]")).total == 1
    bad = await admin.get("/audit-logs", q="op_time=[yesterday~]")
    assert (bad.status, bad.code) == (400, "BAD_REQUEST")
    assert (await admin.get("/audit-logs", q="resource=' OR 1=1 --")).json == []


async def test_who_looks_after_a_project_reads_what_concerns_it(
    project: Project, shared: Registry, make_user: MakeUser
) -> None:
    await enter_all(shared.resources, await happen(shared.resources, project.name, "here"))
    other = unique("other")
    await enter_all(shared.resources, await happen(shared.resources, other, "there"))
    owner, maintainer = await make_user(Role.PROJECT_ADMIN), await make_user(Role.MAINTAINER)
    seen = (await owner.get("/audit-logs")).json
    assert [entry["resource"] for entry in seen] == ["here"]
    assert (await maintainer.get("/audit-logs")).json == []
    assert (await owner.get(f"/projects/{project.name}/logs")).total == 1
    assert (await maintainer.get(f"/projects/{project.name}/logs")).status == 403
    assert (await owner.get(f"/projects/{other}/logs")).status == 403


async def test_project_knows_nothing_of_another_that_had_its_name(
    make_user: MakeUser, admin: Caller, shared: Registry
) -> None:
    name, first, second = unique("phoenix"), await make_user(), await make_user()
    made = await first.post("/projects", {"project_name": name})
    old = await happen(shared.resources, name, "before")
    assert (await first.delete(f"/projects/{made.new_id}")).status == 200
    assert (await second.post("/projects", {"project_name": name})).status == 201
    await enter_all(shared.resources, [*old, *await happen(shared.resources, name, "after")])
    for path in (f"/projects/{name}/logs", f"/projects/{name}/auditlog-exts", "/audit-logs"):
        shown = await second.get(path)
        assert ([entry["resource"] for entry in shown.json], shown.total) == (["after"], 1)
    everything = await admin.get("/audit-logs", q="username=operator,resource={before after}")
    assert {"before", "after"} <= {entry["resource"] for entry in everything.json}


async def test_kinds_of_entries_are_named_as_harbor_names_them(admin: Caller) -> None:
    kinds = {kind["event_type"] for kind in (await admin.get("/auditlog-exts/events")).json}
    assert {"create_project", "push_artifact", "pull_artifact", "delete_tag", "create_robot"} <= kinds


def with_audit(registry: Registry, **changed: object) -> Resources:
    r = registry.resources
    settings = msgspec.structs.replace(r.settings, audit=msgspec.structs.replace(AuditSettings(), **changed))
    return msgspec.structs.replace(r, settings=settings)


async def test_old_entries_are_forgotten_only_where_that_is_wanted(
    project: Project, admin: Caller, shared: Registry
) -> None:
    await enter_all(shared.resources, await happen(shared.resources, project.name, "old"))
    async with shared.resources.database.autocommit() as statements:
        await statements.run(AGE, project=project.name)
    await enter_all(shared.resources, await happen(shared.resources, project.name, "new"))
    assert await purge(with_audit(shared, retention=timedelta(0))) == 0
    assert await purge(with_audit(shared, retention=timedelta(days=30))) >= 1
    left = (await admin.get(f"/projects/{project.name}/logs")).json
    assert [entry["resource"] for entry in left] == ["new"]


async def test_entries_are_forwarded_as_lines_and_stay_owed_until_then(
    project: Project, shared: Registry, tmp_path: Path
) -> None:
    ids = [f"{FORWARD_AUDIT_LOG.name}:{i}" for i in await happen(shared.resources, project.name, "a", "b")]
    with pytest.raises(ForwardingFailed):
        await forward(with_audit(shared, forward_to=str(tmp_path / "missing" / "log")), ids)
    file = tmp_path / "audit.log"
    r = with_audit(shared, forward_to=str(file))
    assert await forward(r, ids) == 2
    assert await forward(r, ids) == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted(line["resource"] for line in lines) == ["a", "b"]
    assert {line["username"] for line in lines} == {"operator"}
