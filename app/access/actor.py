"""Who asks."""

from typing import Final

from msgspec import Struct

from app.access.standing import Standing
from app.events import Cause
from app.oci.names import RepositoryName


class Grant(Struct, frozen=True):
    """One entry of a token's `access` claim: actions on a resource (distribution's token spec)."""

    type: str
    name: str
    actions: tuple[str, ...]


class Actor(Struct, frozen=True):
    """The caller of one request.

    `grants` is None for a caller who showed credentials: the roles decide. A registry token brings
    its grants and can do nothing else. `credential_version` says which password or secret was shown, of
    those that the caller has had; None: whichever.
    """

    username: str
    user_id: int | None = None
    robot_id: int | None = None
    grants: tuple[Grant, ...] | None = None
    credential_version: int | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is known to be behind the request."""
        return self.user_id is None and self.robot_id is None

    def is_granted(self, kind: str, name: str, action: str) -> bool:
        """Whether the token in hand names this action on this resource."""
        return any(
            grant.name == name and grant.type == kind and (action in grant.actions or "*" in grant.actions)
            for grant in self.grants or ()
        )


ANONYMOUS: Final = Actor(username="")


class Call(Struct, frozen=True):
    """A permitted request on one repository: who is behind it and what it leaves in the records."""

    repository: RepositoryName
    actor: Actor
    standing: Standing
    cause: Cause


class ProjectCall(Struct, frozen=True):
    """A permitted request on one project that is there."""

    project_id: int
    project_name: str
    actor: Actor
    standing: Standing
    cause: Cause
