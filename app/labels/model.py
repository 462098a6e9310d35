"""What a label is."""

from datetime import datetime

from msgspec import Struct


class Label(Struct, frozen=True):
    """A label of a project, or a global one, whose `project_id` is None."""

    id: int
    project_id: int | None
    name: str
    description: str
    color: str
    created_at: datetime
    updated_at: datetime
