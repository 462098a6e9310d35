"""What was found, as JSON (Harbor's Search and SearchRepository)."""

from typing import Self

from msgspec import Struct

from app.projects.schemas import Project
from app.repositories import model
from app.search.model import Found


class SearchRepository(Struct, frozen=True):
    """A repository that was found."""

    project_id: int
    project_name: str
    project_public: bool
    repository_name: str
    pull_count: int
    artifact_count: int

    @classmethod
    def of(cls, repository: model.Repository, *, is_public: bool) -> Self:
        """Return a repository as clients see it."""
        return cls(
            project_id=repository.project_id,
            project_name=repository.name.partition("/")[0],
            project_public=is_public,
            repository_name=repository.name,
            pull_count=repository.pull_count,
            artifact_count=repository.artifact_count,
        )


class Search(Struct, frozen=True):
    """What was found."""

    project: list[Project]
    repository: list[SearchRepository]

    @classmethod
    def of(cls, found: Found) -> Self:
        """Return what was found as clients see it."""
        return cls(
            [Project.of(project) for project in found.projects],
            [
                SearchRepository.of(repository, is_public=repository.project_id in found.public_ids)
                for repository in found.repositories
            ],
        )
