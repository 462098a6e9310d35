"""What is found, and how much there is."""

from msgspec import Struct

from app.projects.model import Project
from app.repositories.model import Repository


class Statistic(Struct, frozen=True):
    """Harbor's seven numbers; private ones as far as the caller may see them, totals for administrators."""

    private_project_count: int
    private_repo_count: int
    public_project_count: int
    public_repo_count: int
    total_project_count: int
    total_repo_count: int
    total_storage_consumption: int


class Found(Struct, frozen=True):
    """Projects and repositories by their names, and which of the repositories are in public projects."""

    projects: list[Project]
    repositories: list[Repository]
    public_ids: frozenset[int]
