"""Members as JSON (Harbor's ProjectMember, ProjectMemberEntity, RoleRequest)."""

from typing import Self

from msgspec import Struct

from app.members.model import Member


class ProjectMemberEntity(Struct, frozen=True):
    """A member of a project; `entity_type` is `u` for a user and `g` for a group."""

    id: int
    project_id: int
    entity_id: int
    entity_name: str
    entity_type: str
    role_id: int
    role_name: str

    @classmethod
    def of(cls, member: Member) -> Self:
        """Return a member as clients see it."""
        return cls(
            id=member.id,
            project_id=member.project_id,
            entity_id=member.entity_id,
            entity_name=member.entity_name,
            entity_type="g" if member.is_group else "u",
            role_id=member.role.number,
            role_name=member.role.value,
        )


class UserEntity(Struct, frozen=True):
    """A user, by id or by name."""

    user_id: int = 0
    username: str = ""


class GroupEntity(Struct, frozen=True):
    """A group, by id, by its place in the directory, or by name."""

    id: int = 0
    group_name: str = ""
    group_type: int = 0
    ldap_group_dn: str = ""


class ProjectMember(Struct, frozen=True):
    """A user or a group, and the role to give."""

    role_id: int
    member_user: UserEntity | None = None
    member_group: GroupEntity | None = None


class RoleRequest(Struct, frozen=True):
    """The role to give instead."""

    role_id: int
