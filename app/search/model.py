"""How much there is."""

from msgspec import Struct


class Statistic(Struct, frozen=True):
    """Harbor's seven numbers; private ones as far as the caller may see them, totals for administrators."""

    private_project_count: int
    private_repo_count: int
    public_project_count: int
    public_repo_count: int
    total_project_count: int
    total_repo_count: int
    total_storage_consumption: int
