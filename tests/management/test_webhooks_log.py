"""What has become of the events that policies take: executions, tasks, logs, deliveries."""

from typing import Any

import pytest

from tests.management.client import Caller
from tests.management.conftest import Project
from tests.management.webhooks import INSERT_ATTEMPT, Watched, path_of, policy, target, watched

NEVER = "0001-01-01T00:00:00Z"


@pytest.fixture
async def seen(admin: Caller, project: Project) -> Watched:
    return await watched(admin, project)


async def test_execution_tells_what_happened_and_how_its_tasks_do(admin: Caller, seen: Watched) -> None:
    execution = await seen.execution()
    delivery = await seen.delivery("success", attempts=2, execution=execution)
    listed = await admin.get(f"{seen.path}/executions")
    assert listed.total == 1
    (shown,) = listed.json
    assert shown["extra_attrs"] == {
        "event_type": "PUSH_ARTIFACT",
        "operator": "somebody",
        "payload": shown["extra_attrs"]["payload"],
    }
    assert '"type":"PUSH_ARTIFACT","occur_at":1767225600' in shown["extra_attrs"]["payload"]
    assert (shown["id"], shown["vendor_type"], shown["vendor_id"]) == (execution, "WEBHOOK", seen.policy_id)
    assert (shown["status"], shown["trigger"]) == ("Success", "EVENT")
    assert shown["end_time"] >= shown["start_time"]
    assert shown["metrics"]["task_count"] == shown["metrics"]["success_task_count"] == 1
    tasks = await admin.get(f"{seen.path}/executions/{execution}/tasks")
    (task,) = tasks.json
    assert tasks.total == 1
    assert (task["id"], task["execution_id"], task["status"]) == (delivery, execution, "Success")
    assert (task["run_count"], task["extra_attrs"]["target_id"]) == (2, seen.target_id)


@pytest.mark.parametrize(
    ("made", "of_task", "of_execution"),
    [
        ({}, "Pending", "Running"),
        ({"attempts": 1, "is_leased": True}, "Running", "Running"),
        ({"attempts": 1}, "Scheduled", "Running"),
        ({"status": "success"}, "Success", "Success"),
        ({"status": "dead"}, "Error", "Error"),
        ({"status": "stopped"}, "Stopped", "Stopped"),
    ],
)
async def test_statuses_are_in_harbors_words(
    admin: Caller, seen: Watched, made: dict[str, Any], of_task: str, of_execution: str
) -> None:
    execution = await seen.execution()
    await seen.delivery(execution=execution, **made)
    await seen.execution()  # has no tasks any more
    (shown,) = (await admin.get(f"{seen.path}/executions", q=f"id={execution}")).json
    (task,) = (await admin.get(f"{seen.path}/executions/{execution}/tasks", q=f"status={of_task}")).json
    assert (task["status"], shown["status"]) == (of_task, of_execution)
    assert shown["metrics"][f"{of_task.lower()}_task_count"] == 1
    is_over = made.get("status", "pending") != "pending"
    assert [(each["end_time"] != NEVER) for each in (shown, task)] == [is_over] * 2
    filtered = await admin.get(f"{seen.path}/executions", q=f"status={of_execution}")
    assert execution in [each["id"] for each in filtered.json]


async def test_log_of_a_task_has_a_line_for_each_attempt(admin: Caller, seen: Watched) -> None:
    execution = await seen.execution()
    delivery = await seen.delivery("dead", attempts=2, execution=execution)
    refused: dict[str, Any] = {"status": None, "error": "connection refused", "answer": ""}
    busy: dict[str, Any] = {"status": 503, "error": "", "answer": 'a "busy"\nserver'}
    for number, attempt in enumerate((refused, busy), 1):
        await seen.run(INSERT_ATTEMPT, delivery_id=delivery, number=number, **attempt)
    path = f"{seen.path}/executions/{execution}/tasks"
    log = await admin.get(f"{path}/{delivery}/log")
    assert log.headers["Content-Type"] == "text/plain; charset=utf-8"
    begins = "2026-01-01T00:00:00+00:00 attempt="
    assert log.json.splitlines() == [
        f'{begins}1 status=- seconds=0.012 error="connection refused" answer=""',
        f'{begins}2 status=503 seconds=0.012 error="" answer="a \\"busy\\"\\nserver"',
    ]
    (task,) = (await admin.get(path)).json
    assert task["status_message"] == "HTTP 503"
    (shown,) = (await admin.get(f"{seen.path}/deliveries")).json
    assert shown["last_attempt"] == busy | {
        "number": 2,
        "time": "2026-01-01T00:00:00Z",
        "seconds": 0.012,
    }


async def test_what_is_not_of_the_policy_is_not_found(admin: Caller, project: Project, seen: Watched) -> None:
    other = await watched(admin, project, name="other")
    execution = await other.execution()
    delivery = await other.delivery(execution=execution)
    own = await seen.execution()
    for path in (
        f"{seen.path}/executions/{execution}/tasks",
        f"{seen.path}/executions/{execution}/tasks/{delivery}/log",
        f"{seen.path}/executions/{own}/tasks/{delivery}/log",
        f"{path_of(project)}/{2**40}/executions",
        f"{path_of(project)}/{2**40}/deliveries",
        f"{path_of(project)}/{2**40}/executions/{own}/tasks",
    ):
        assert (await admin.get(path)).code == "NOT_FOUND", path


async def test_deliveries_are_found_by_what_they_are(admin: Caller, project: Project) -> None:
    two = [target(address="http://one"), target(address="http://two")]
    seen = await watched(admin, project, targets=two)
    other = (await admin.get(seen.path)).json["targets"][1]["id"]
    old = await seen.delivery("dead", execution=await seen.execution("PULL_ARTIFACT", "2020-01-01T00:00:00Z"))
    new = await seen.delivery()

    async def ids(q: str) -> list[int]:
        return [shown["id"] for shown in (await admin.get(f"{seen.path}/deliveries", q=q)).json]

    assert await ids("") == [new, old]
    assert await ids("status=Error") == [old]
    assert await ids("status={Pending Running}") == [new]
    assert await ids("event_type=PULL_ARTIFACT") == [old]
    assert await ids("occurred_at=[2019-01-01~2020-06-01]") == [old]
    assert await ids(f"target_id={seen.target_id}") == [new, old]
    assert await ids(f"target_id={other}") == []
    assert await ids("repository_name=~app") == [new, old]
    webhook_id = (await admin.get(f"{seen.path}/deliveries")).json[0]["webhook_id"]
    assert await ids(f"webhook_id={webhook_id}") == [new]


async def test_older_clients_read_jobs_and_last_triggers(admin: Caller, project: Project) -> None:
    seen = await watched(admin, project, event_types=["PUSH_ARTIFACT", "PULL_ARTIFACT"])
    await admin.post(path_of(project), policy(name="idle", enabled=False))
    execution = await seen.execution()
    await seen.delivery("dead", execution=execution)
    jobs = f"{project.path}/webhook/jobs"
    (job,) = (await admin.get(jobs, policy_id=seen.policy_id, status="Error,Stopped")).json
    assert (job["id"], job["policy_id"], job["status"]) == (execution, seen.policy_id, "Error")
    assert (job["event_type"], job["notify_type"]) == ("PUSH_ARTIFACT", "http")
    assert (await admin.get(jobs, policy_id=seen.policy_id, status="Success")).total == 0
    assert (await admin.get(jobs)).status == 422
    assert (await admin.get(jobs, policy_id=2**40)).code == "NOT_FOUND"
    pushed, pulled, idle = (await admin.get(f"{project.path}/webhook/lasttrigger")).json
    assert (pushed["policy_name"], pushed["event_type"], pushed["enabled"]) == (
        "build",
        "PUSH_ARTIFACT",
        True,
    )
    assert pushed["last_trigger_time"] > pushed["creation_time"]
    assert (pulled["event_type"], pulled["last_trigger_time"]) == ("PULL_ARTIFACT", NEVER)
    assert (idle["policy_name"], idle["enabled"], idle["last_trigger_time"]) == ("idle", False, NEVER)
