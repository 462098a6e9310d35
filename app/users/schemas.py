"""Users and groups as JSON (Harbor's UserResp, UserCreationReq, UserGroup and their like)."""

from datetime import datetime
from typing import Annotated, Self, TypeAlias

from msgspec import Meta, Struct

from app.users.model import Group, Profile

Text: TypeAlias = Annotated[str, Meta(max_length=255)]
Part: TypeAlias = Annotated[str, Meta(max_length=100)]
"""Of a name that is looked for: several of them fit into an address."""
Comment: TypeAlias = Annotated[str, Meta(max_length=30)]
Password: TypeAlias = Annotated[str, Meta(max_length=1_024)]
"""How long a good one may be is the rule's business."""


class UserResp(Struct, frozen=True, omit_defaults=True):
    """A user; what is empty is left out."""

    user_id: int
    username: str
    sysadmin_flag: bool
    admin_role_in_auth: bool
    creation_time: datetime
    update_time: datetime
    email: str = ""
    realname: str = ""
    comment: str = ""

    @classmethod
    def of(cls, user: Profile) -> Self:
        """Return a user as clients see it."""
        return cls(
            user_id=user.id,
            username=user.username,
            sysadmin_flag=user.is_sysadmin,
            admin_role_in_auth=False,
            creation_time=user.created_at,
            update_time=user.updated_at,
            email=user.email,
            realname=user.realname,
            comment=user.comment,
        )


class UserSearchRespItem(Struct, frozen=True):
    """As much of a user as everybody may see who is logged in."""

    user_id: int
    username: str


class UserProfile(Struct, frozen=True):
    """What a user says about himself; e-mail address and real name cannot be empty."""

    email: Text = ""
    realname: Text = ""
    comment: Comment = ""


class UserCreationReq(UserProfile, frozen=True):
    """A user to be."""

    username: Text = ""
    password: Password = ""


class PasswordReq(Struct, frozen=True):
    """Another password; whoever changes his own shows the one he has."""

    new_password: Password
    old_password: Password = ""


class UserSysAdminFlag(Struct, frozen=True):
    """Whether the user is an administrator of the system: clients in Go leave out what is false."""

    sysadmin_flag: bool = False


class OIDCCliSecretReq(Struct, frozen=True):
    """A secret for the command line, in place of the one of an identity provider."""

    secret: Password = ""


class PermissionItem(Struct, frozen=True):
    """One thing that the caller may do."""

    resource: str
    action: str


class UserGroupReq(Struct, frozen=True):
    """A group to be; `group_type` 1 is of LDAP, 2 of an HTTP proxy, 3 of OIDC."""

    group_name: Text = ""
    group_type: int = 0
    ldap_group_dn: Annotated[str, Meta(max_length=512)] = ""


class UserGroup(Struct, frozen=True, omit_defaults=True):
    """A group."""

    id: int
    group_name: str
    group_type: int
    ldap_group_dn: str = ""

    @classmethod
    def of(cls, group: Group) -> Self:
        """Return a group as clients see it."""
        return cls(group.id, group.name, group.kind.number, group.ldap_dn)


class UserGroupSearchItem(Struct, frozen=True):
    """As much of a group as everybody may see who is logged in."""

    id: int
    group_name: str
    group_type: int
