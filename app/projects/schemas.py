"""Projects as JSON (Harbor's Project, ProjectReq, ProjectSummary, ProjectDeletable)."""

from datetime import datetime
from typing import Annotated, Self, TypeAlias

from msgspec import Meta, Struct

from app.access import Permission, Role, Standing
from app.projects import model

Metadata: TypeAlias = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=1_024)] | None],
    Meta(max_length=32),
]


class CVEAllowlistItem(Struct, frozen=True):
    """One vulnerability."""

    cve_id: Annotated[str, Meta(max_length=64)] = ""


class CVEAllowlist(Struct, frozen=True):
    """Vulnerabilities that keep nobody from pulling."""

    items: Annotated[list[CVEAllowlistItem], Meta(max_length=1_024)] | None = None


class ProjectReq(Struct, frozen=True):
    """A project to make, or what to change of one; 0 as `storage_limit` is the configured quota."""

    project_name: Annotated[str, Meta(max_length=255)] = ""
    public: bool | None = None
    metadata: Metadata | None = None
    cve_allowlist: CVEAllowlist | None = None
    storage_limit: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    registry_id: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None


class Project(Struct, frozen=True, omit_defaults=True):
    """A project; the roles are the caller's own, and are left out where there are none."""

    project_id: int
    owner_id: int
    owner_name: str
    name: str
    creation_time: datetime
    update_time: datetime
    repo_count: int
    metadata: dict[str, str]
    current_user_role_id: int = 0
    current_user_role_ids: tuple[int, ...] = ()

    @classmethod
    def of(cls, project: model.Project) -> Self:
        """Return a project as clients see it."""
        roles = tuple(role.number for role in project.roles)
        return cls(
            project_id=project.id,
            owner_id=project.owner_id or 0,
            owner_name=project.owner_name,
            name=project.name,
            creation_time=project.created_at,
            update_time=project.updated_at,
            repo_count=project.repo_count,
            metadata=model.shown_metadata(project.metadata, is_public=project.is_public),
            current_user_role_id=roles[0] if roles else 0,
            current_user_role_ids=roles,
        )


class ProjectDeletable(Struct, frozen=True, omit_defaults=True):
    """Whether a project can be deleted now, and why not."""

    deletable: bool
    message: str = ""


class ProjectStorage(Struct, frozen=True):
    """An amount of storage, in bytes; -1 is without limit."""

    storage: int


class ProjectSummaryQuota(Struct, frozen=True):
    """What a project may use and what it uses."""

    hard: ProjectStorage
    used: ProjectStorage


class ProjectSummary(Struct, frozen=True, omit_defaults=True):
    """How much there is in a project: quota and members only for who may see those."""

    repo_count: int
    project_admin_count: int | None = None
    maintainer_count: int | None = None
    developer_count: int | None = None
    guest_count: int | None = None
    limited_guest_count: int | None = None
    quota: ProjectSummaryQuota | None = None

    @classmethod
    def of(cls, summary: model.Summary, standing: Standing) -> Self:
        """Return a summary as this caller may see it."""
        sees_members = standing.may(Permission.MEMBER_LIST)
        numbers = {role: summary.members.get(role, 0) if sees_members else None for role in Role}
        quota = ProjectSummaryQuota(ProjectStorage(summary.hard_bytes), ProjectStorage(summary.used_bytes))
        return cls(
            repo_count=summary.repo_count,
            project_admin_count=numbers[Role.PROJECT_ADMIN],
            maintainer_count=numbers[Role.MAINTAINER],
            developer_count=numbers[Role.DEVELOPER],
            guest_count=numbers[Role.GUEST],
            limited_guest_count=numbers[Role.LIMITED_GUEST],
            quota=quota if standing.may(Permission.QUOTA_READ) else None,
        )
