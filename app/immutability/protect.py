"""What rules of immutability keep from happening."""

from collections.abc import Iterable, Sequence

from app.db import Statements
from app.harbor.errors import PreconditionFailed
from app.immutability import store
from app.immutability.model import Selectors, decoded, is_immutable
from app.oci.names import RepositoryName


async def rules_in_force(statements: Statements, project_id: int) -> Sequence[Selectors]:
    """Return the project's rules, for `is_immutable`.

    To act on them, first hold them: `SELECT hold_immutability_rules(project_id)`, in an earlier statement of
    the same transaction. Then nobody changes them before it ends.
    """
    return decoded(await store.get_in_force(statements, project_id))


def require_mutable(rules: Sequence[Selectors], repository: RepositoryName, tags: Iterable[str]) -> None:
    """Raise PreconditionFailed when a rule protects one of the tags."""
    for tag in tags:
        if is_immutable(rules, repository, tag):
            path = repository.partition("/")[2]
            raise PreconditionFailed(
                f"Failed to process request due to '{path}:{tag}' configured as immutable."
            )
