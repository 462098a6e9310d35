"""What a membership is."""

from msgspec import Struct

from app.access import Role


class Member(Struct, frozen=True):
    """A user or a group of users with a role in a project."""

    id: int
    project_id: int
    entity_id: int
    entity_name: str
    is_group: bool
    role: Role
