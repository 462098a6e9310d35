"""Reading artifacts: one, those of a repository, those of a project."""

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from app.artifacts import store
from app.artifacts.model import Accessory, Artifact, Shown, TagOfArtifact
from app.db import Page, Statements
from app.harbor.errors import BadRequest, NotFound
from app.harbor.query import Condition, ListQuery, Match
from app.immutability.model import Selectors, is_immutable
from app.immutability.protect import rules_in_force
from app.manifests import pull
from app.oci.digest import Digest
from app.oci.errors import ManifestUnknown
from app.oci.names import RepositoryName, Tag
from app.repositories.find import find_repository_id
from app.resources import Resources

NO_ARTIFACT: Final = "there is no such artifact in this repository"
_MATCHES: Final = {
    "base": {Match.EXACT},
    "tags": {Match.EXACT, Match.FUZZY},
    "labels": {Match.ALL_OF},
}
"""Keys that are no plain comparisons, and how they can be asked for (as in Harbor)."""

_IS_TAGGED: Final = {
    Condition("tags", Match.EXACT, (word,)): Condition("is_tagged", Match.EXACT, (value,))
    for word, value in (("*", "true"), ("nil", "false"))
}
_LATEST: Final = Condition("latest", Match.EXACT, ("*",))


async def list_of_repository(
    r: Resources, repository: RepositoryName, query: ListQuery, *, shown: Shown
) -> Page[Artifact]:
    """Return a page of the artifacts of a repository, the latest first; raise NotFound."""
    query = _translated(query)
    async with r.database.autocommit() as statements:
        repository_id = await find_repository_id(statements, repository)
        if repository_id is None:
            raise NotFound("there is no such repository")
        page = await store.OF_REPOSITORY.page(
            statements,
            query,
            repository_id=repository_id,
            with_members=_with_members(query),
            **store.parts_of(shown),
        )
        return Page(await _marked(statements, page.rows, shown), page.total)


async def list_of_project(
    r: Resources, project_id: int, query: ListQuery, *, shown: Shown, only_latest: bool
) -> Page[Artifact]:
    """Return a page of the artifacts of a project, or of the latest of each type in each repository."""
    query = _translated(query, *([_LATEST] if only_latest else []))
    async with r.database.autocommit() as statements:
        page = await store.OF_PROJECT.page(
            statements,
            query,
            project_id=project_id,
            with_members=_with_members(query),
            **store.parts_of(shown),
        )
        return Page(await _marked(statements, page.rows, shown), page.total)


async def get_artifact(
    r: Resources, repository: RepositoryName, reference: Tag | Digest, *, shown: Shown
) -> Artifact:
    """Return an artifact; raise NotFound."""
    manifest_id = await find_id(r, repository, reference)
    async with r.database.autocommit() as statements:
        artifact = await store.find_artifact(statements, manifest_id, shown=shown)
        if artifact is None:
            raise NotFound(NO_ARTIFACT)
        return (await _marked(statements, [artifact], shown))[0]


async def find_id(r: Resources, repository: RepositoryName, reference: Tag | Digest) -> int:
    """Return the id of what a tag or digest stands for; raise NotFound."""
    try:
        return (await pull.find(r, repository, reference)).id
    except ManifestUnknown:
        raise NotFound(NO_ARTIFACT) from None


async def list_accessories(
    r: Resources, repository: RepositoryName, reference: Tag | Digest, *, query: ListQuery
) -> Page[Accessory]:
    """Return a page of what belongs to an artifact; raise NotFound."""
    manifest_id = await find_id(r, repository, reference)
    async with r.database.autocommit() as statements:
        return await store.ACCESSORIES.page(statements, query, manifest_id=manifest_id)


async def list_tags(
    r: Resources,
    repository: RepositoryName,
    reference: Tag | Digest,
    *,
    query: ListQuery,
    rules_of: int | None,
) -> Page[TagOfArtifact]:
    """Return a page of the tags of an artifact, the latest first; raise NotFound.

    `rules_of` is the project whose rules say which are immutable, or None where nobody wants to know.
    """
    manifest_id = await find_id(r, repository, reference)
    async with r.database.autocommit() as statements:
        page = await store.TAGS.page(statements, query, manifest_id=manifest_id)
        rules = await rules_in_force(statements, rules_of) if rules_of else ()
    return Page([_marked_tag(tag, rules, repository) for tag in page.rows], page.total)


async def _marked(statements: Statements, artifacts: list[Artifact], shown: Shown) -> list[Artifact]:
    """Say of each tag whether it is immutable, if that is to be shown; the artifacts are of one project."""
    if not (shown.immutable and artifacts):
        return artifacts
    rules = await rules_in_force(statements, artifacts[0].project_id)
    return [
        structs.replace(
            artifact,
            tags=tuple(
                _marked_tag(tag, rules, RepositoryName(artifact.repository_name))
                for tag in artifact.tags or ()
            ),
        )
        for artifact in artifacts
    ]


def _marked_tag(tag: TagOfArtifact, rules: Sequence[Selectors], repository: RepositoryName) -> TagOfArtifact:
    return structs.replace(tag, is_immutable=is_immutable(rules, repository, tag.name))


def _translated(query: ListQuery, *further: Condition) -> ListQuery:
    """Return the query in the words of the statements; raise BadRequest for what cannot be asked of a key."""
    for condition in query.conditions:
        if condition.match not in _MATCHES.get(condition.key, Match):
            raise BadRequest(f"q: {condition.key} cannot be compared like this")
        if condition.key == "base" and condition.values != ("*",):
            raise BadRequest("q: base can only be `*`")
    conditions = (_IS_TAGGED.get(condition, condition) for condition in query.conditions)
    return structs.replace(query, conditions=(*conditions, *further))


def _with_members(query: ListQuery) -> bool:
    """Whether untagged members of an index are wanted too: `base=*`."""
    return any(condition.key == "base" for condition in query.conditions)
