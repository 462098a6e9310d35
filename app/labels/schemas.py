"""Labels as JSON (Harbor's Label)."""

from datetime import datetime
from typing import Annotated, Literal, Self

from msgspec import Meta, Struct

from app.http.endpoint import Id
from app.labels import model


class LabelReq(Struct, frozen=True):
    """A label to make, or what one is to look like; scope and project stay as they were made."""

    name: Annotated[str, Meta(max_length=128)] = ""
    description: Annotated[str, Meta(max_length=1_024)] = ""
    color: Annotated[str, Meta(max_length=16, description="`#rrggbb`, a word, or empty.")] = ""
    scope: Annotated[str, Meta(max_length=1, description="`g` global, `p` of a project.")] = ""
    project_id: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


class Label(Struct, frozen=True):
    """A label; `project_id` is 0 for a global one."""

    id: Id
    name: str
    description: str
    color: str
    scope: Literal["g", "p"]
    project_id: int
    creation_time: datetime
    update_time: datetime

    @classmethod
    def of(cls, label: model.Label) -> Self:
        """Return a label as clients see it."""
        return cls(
            id=label.id,
            name=label.name,
            description=label.description,
            color=label.color,
            scope="g" if label.project_id is None else "p",
            project_id=label.project_id or 0,
            creation_time=label.created_at,
            update_time=label.updated_at,
        )
