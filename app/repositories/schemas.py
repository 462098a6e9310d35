"""Repositories as JSON (Harbor's Repository)."""

from datetime import datetime
from typing import Annotated, Self

from msgspec import Meta, Struct

from app.repositories import model


class Repository(Struct, frozen=True):
    """A repository; its name is the full one, with the project's."""

    id: int
    project_id: int
    name: str
    description: str
    artifact_count: int
    pull_count: int
    creation_time: datetime
    update_time: datetime

    @classmethod
    def of(cls, repository: model.Repository) -> Self:
        """Return a repository as clients see it."""
        return cls(
            id=repository.id,
            project_id=repository.project_id,
            name=repository.name,
            description=repository.description,
            artifact_count=repository.artifact_count,
            pull_count=repository.pull_count,
            creation_time=repository.created_at,
            update_time=repository.updated_at,
        )


class RepositoryChange(Struct, frozen=True):
    """What can be changed of a repository; what else clients send of one is not taken."""

    description: Annotated[str, Meta(max_length=10_000)] = ""
