"""harborapi, the Python client of Harbor: a project's whole life, as its users write it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from harborapi import HarborAsyncClient
from harborapi.exceptions import Conflict, NotFound, PreconditionFailed
from harborapi.models import (
    Access,
    ImmutableRule,
    ImmutableSelector,
    Label,
    ProjectMetadata,
    ProjectReq,
    QuotaUpdateReq,
    Repository,
    ResourceList,
    RobotCreate,
    RobotPermission,
    Tag,
    UserCreationReq,
    UserProfile,
)

from tests.e2e.clients import content
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.wire import Account, Wire
from tests.support.eventually import until

# Its own use of pydantic, which it has not caught up with.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince211")

PASSWORD = "Harbor-password-1"


@asynccontextmanager
async def client_of(registry: Registry, name: str, password: str) -> AsyncIterator[HarborAsyncClient]:
    url = f"http://{registry.address}/api/v2.0"
    client = HarborAsyncClient(url=url, username=name, secret=password, retry=None)
    async with client.client:
        yield client


@pytest.fixture
async def harbor(registry: Registry) -> AsyncIterator[HarborAsyncClient]:
    async with client_of(registry, registry.admin.name, registry.admin.password) as client:
        yield client


@pytest.fixture
async def project(harbor: HarborAsyncClient) -> str:
    name = f"harborapi-{uuid4().hex[:8]}"
    location = await harbor.create_project(ProjectReq(project_name=name, storage_limit=-1))
    assert location.startswith("/api/v2.0/projects/")
    return name


def id_in(location: str) -> int:
    return int(location.rpartition("/")[2])


async def test_projects_are_made_changed_and_deleted(harbor: HarborAsyncClient, project: str) -> None:
    assert await harbor.project_exists(project)
    with pytest.raises(Conflict):
        await harbor.create_project(ProjectReq(project_name=project))
    await harbor.update_project(project, ProjectReq(metadata=ProjectMetadata(public="true")))
    shown = await harbor.get_project(project)
    assert shown.metadata is not None
    assert (shown.name, shown.metadata.public, shown.repo_count) == (project, "true", 0)
    assert [found.name for found in await harbor.get_projects(name=project)] == [project]
    summary = await harbor.get_project_summary(project)
    assert summary.repo_count in {0, None}
    assert (await harbor.get_project_deletable(project)).deletable
    await harbor.delete_project(project)
    assert not await harbor.project_exists(project)


async def test_metadata_of_a_project(harbor: HarborAsyncClient, project: str) -> None:
    await harbor.set_project_metadata(project, ProjectMetadata(auto_scan="true"))
    assert (await harbor.get_project_metadata(project)).auto_scan == "true"
    await harbor.update_project_metadata_entry(project, "auto_scan", {"auto_scan": "false"})
    assert await harbor.get_project_metadata_entry(project, "auto_scan") == {"auto_scan": "false"}
    await harbor.delete_project_metadata_entry(project, "auto_scan")
    assert (await harbor.get_project_metadata(project)).auto_scan is None


async def test_users_and_members(harbor: HarborAsyncClient, registry: Registry, project: str) -> None:
    name = f"user-{uuid4().hex[:8]}"
    request = UserCreationReq(
        username=name, email=f"{name}@example.org", realname="A User", password=PASSWORD
    )
    user_id = id_in(await harbor.create_user(request))
    await harbor.update_user(user_id, UserProfile(email=f"{name}@example.com", realname="B User"))
    assert (await harbor.get_user_by_username(name)).realname == "B User"
    assert [found.username for found in await harbor.search_users_by_username(name)] == [name]
    member_id = id_in(await harbor.add_project_member_user(project, name, 2))
    assert (await harbor.get_project_member(project, member_id)).role_name == "developer"
    await harbor.update_project_member_role(project, member_id, 1)
    async with client_of(registry, name, PASSWORD) as user:
        assert (await user.get_current_user()).username == name
        assert [found.name for found in await user.get_projects(public=False)] == [project]
        assert {member.entity_name for member in await user.get_project_members(project)} >= {name}
        await harbor.remove_project_member(project, member_id)
        assert await user.get_projects(public=False) == []
    await harbor.set_user_password(user_id, "Another-password-2")
    await harbor.set_user_admin(user_id, is_admin=True)
    async with client_of(registry, name, "Another-password-2") as user:
        assert (await user.get_current_user()).sysadmin_flag
    await harbor.delete_user(user_id)
    with pytest.raises(NotFound):
        await harbor.get_user(user_id)


async def test_robot_pushes_until_it_is_deleted(
    harbor: HarborAsyncClient, registry: Registry, project: str
) -> None:
    accesses = [Access(resource="repository", action=action) for action in ("pull", "push")]
    permission = RobotPermission(kind="project", namespace=project, access=accesses)
    made = await harbor.create_robot(
        RobotCreate(name="ci", level="project", duration=-1, permissions=[permission])
    )
    assert made.name == f"robot${project}+ci"
    assert made.id is not None
    assert made.secret is not None
    robot = Account(made.name, made.secret)
    Wire(registry.address, robot.basic).push(f"{project}/app", content.image(size=100), "v1")
    assert (await harbor.get_robot(made.id)).name == made.name
    assert (await harbor.refresh_robot_secret(made.id, "")).secret not in {None, made.secret}
    project_id = (await harbor.get_project(project)).project_id
    of_project = await harbor.get_robots(query=f"Level=project,ProjectID={project_id}")
    assert [found.name for found in of_project] == [made.name]
    await harbor.delete_robot(made.id)
    with pytest.raises(NotFound):
        await harbor.get_robot(made.id)


async def test_artifacts_tags_and_labels(harbor: HarborAsyncClient, registry: Registry, project: str) -> None:
    image = registry.wire.push(f"{project}/team/app", content.image(size=1000), "v1")
    found = await harbor.get_artifacts(project, "team/app", with_tag=True)
    assert [artifact.digest for artifact in found] == [image.digest]
    assert [tag.name for tag in found[0].tags or []] == ["v1"]
    assert (await harbor.get_artifact(project, "team/app", "v1")).digest == image.digest
    await harbor.create_artifact_tag(project, "team/app", "v1", Tag(name="v2"))
    assert {tag.name for tag in await harbor.get_artifact_tags(project, "team/app", "v1")} == {"v1", "v2"}
    await harbor.delete_artifact_tag(project, "team/app", "v1", "v2")
    shown = await harbor.get_project(project)
    label_id = id_in(
        await harbor.create_label(
            Label(name="stable", color="#00ab9a", scope="p", project_id=shown.project_id)
        )
    )
    await harbor.add_artifact_label(project, "team/app", "v1", Label(id=label_id))
    labelled = await harbor.get_artifact(project, "team/app", "v1", with_label=True)
    assert [label.name for label in labelled.labels or []] == ["stable"]
    await harbor.delete_artifact_label(project, "team/app", "v1", label_id)
    await harbor.copy_artifact(project, "copy", f"{project}/team/app:v1")
    assert (await harbor.get_artifact(project, "copy", "v1")).digest == image.digest
    await harbor.update_repository(project, "team/app", Repository(description="what it is"))
    repository = await harbor.get_repository(project, "team/app")
    assert (repository.description, repository.artifact_count) == ("what it is", 1)
    assert {r.name for r in await harbor.get_repositories(project)} == {
        f"{project}/team/app",
        f"{project}/copy",
    }
    await harbor.delete_artifact(project, "team/app", "v1")
    await harbor.delete_repository(project, "copy")
    with pytest.raises(NotFound):
        await harbor.get_repository(project, "copy")


async def test_immutable_tags_are_kept(harbor: HarborAsyncClient, registry: Registry, project: str) -> None:
    registry.wire.push(f"{project}/app", content.image(size=10), "v1")
    rule = ImmutableRule(
        action="immutable",
        template="immutable_template",
        tag_selectors=[ImmutableSelector(kind="doublestar", decoration="matches", pattern="v*")],
        scope_selectors={
            "repository": [ImmutableSelector(kind="doublestar", decoration="repoMatches", pattern="**")]
        },
    )
    await harbor.create_project_immutable_tag_rule(project, rule)
    rules = await harbor.get_project_immutable_tag_rules(project)
    with pytest.raises(PreconditionFailed):
        await harbor.delete_artifact(project, "app", "v1")
    assert rules[0].id is not None
    await harbor.delete_project_immutable_tag_rule(project, rules[0].id)
    await harbor.delete_artifact(project, "app", "v1")


async def test_quota_shows_what_is_used(harbor: HarborAsyncClient, registry: Registry, project: str) -> None:
    project_id = (await harbor.get_project(project)).project_id
    [quota] = await harbor.get_quotas(reference="project", reference_id=str(project_id))
    assert quota.id is not None
    await harbor.update_quota(quota.id, QuotaUpdateReq(hard=ResourceList(root={"storage": 1 << 30})))
    image = registry.wire.push(f"{project}/app", content.image(size=1000), "v1")
    used = (await harbor.get_quota(quota.id)).used
    assert used is not None
    assert used.root == {"storage": len(image.manifest) + sum(map(len, image.blobs.values()))}


async def test_what_was_done_is_in_the_log(harbor: HarborAsyncClient, project: str) -> None:
    async def operations() -> list[str | None]:
        return [entry.operation for entry in await harbor.get_project_logs(project)]

    await until(operations, lambda seen: seen == ["create"])
    assert await harbor.get_audit_logs(query=f"resource={project}", limit=10)


async def test_the_system_says_how_it_is(harbor: HarborAsyncClient) -> None:
    assert await harbor.ping() == "Pong"
    assert (await harbor.health_check()).status == "healthy"
    info = await harbor.get_system_info()
    assert info.auth_mode == "db_auth"
    assert info.harbor_version
    assert (await harbor.get_statistics()).total_project_count
    assert (await harbor.get_permissions()).project
    assert (await harbor.get_config()).auth_mode is not None
    assert (await harbor.search("private")).project
