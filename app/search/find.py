"""Finding projects and repositories among those that the caller may see."""

from typing import Final

from app.access import Actor, Standing
from app.harbor.query import Condition, ListQuery, Match, SortKey
from app.projects.browse import list_visible as list_projects
from app.repositories.manage import list_visible as list_repositories
from app.resources import Resources
from app.search.model import Found

_MOST: Final = 100
"""How many of each are found: whoever gets as many has to ask for more of the name."""


async def find(r: Resources, actor: Actor, standing: Standing, *, text: str) -> Found:
    """Return the first projects and repositories with the text in their names, and no others."""
    named = (Condition("name", Match.FUZZY, (text,)),) if text else ()
    query = ListQuery(named, (SortKey("name", is_descending=False),), page_size=_MOST)
    projects = (await list_projects(r, actor, standing, query=query)).rows
    repositories = (await list_repositories(r, actor, standing, query=query)).rows
    ids = sorted({repository.project_id for repository in repositories})
    return Found(projects, repositories, await _public(r, actor, standing, ids=ids))


async def _public(r: Resources, actor: Actor, standing: Standing, *, ids: list[int]) -> frozenset[int]:
    """Return those of these projects that are public."""
    if not ids:
        return frozenset()
    among = Condition("project_id", Match.ANY_OF, tuple(str(project_id) for project_id in ids))
    query = ListQuery((among, Condition("public", Match.EXACT, ("true",))), page_size=len(ids))
    return frozenset(project.id for project in (await list_projects(r, actor, standing, query=query)).rows)
