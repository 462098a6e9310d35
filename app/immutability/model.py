"""What a rule of immutability is, and which tags it protects."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec
from msgspec import Struct

from app.harbor.doublestar import matches
from app.oci.names import RepositoryName

MAX_RULES: Final = 15
"""Of one project."""


class TagSelector(Struct, frozen=True):
    """Tags that match the pattern, or all but those."""

    decoration: Literal["matches", "excludes"]
    pattern: str

    def takes(self, tag: str) -> bool:
        """Whether it is about the tag."""
        return matches(self.pattern, tag) == (self.decoration == "matches")


class ScopeSelector(Struct, frozen=True):
    """Repositories whose path in the project matches the pattern, or all but those."""

    decoration: Literal["repoMatches", "repoExcludes"]
    pattern: str

    def takes(self, path: str) -> bool:
        """Whether it is about the repository."""
        return matches(self.pattern, path) == (self.decoration == "repoMatches")


class Selectors(Struct, frozen=True):
    """What a rule protects: tags that every selector takes, in repositories that every selector takes."""

    tags: tuple[TagSelector, ...]
    scopes: tuple[ScopeSelector, ...]

    def protect(self, repository: RepositoryName, tag: str) -> bool:
        """Whether a tag may not be moved or deleted."""
        path = repository.partition("/")[2]
        return all(scope.takes(path) for scope in self.scopes) and all(own.takes(tag) for own in self.tags)


class Rule(Struct, frozen=True):
    """A rule as it lies in the database."""

    id: int
    project_id: int
    is_disabled: bool
    selectors: Selectors


def is_immutable(rules: Sequence[Selectors], repository: RepositoryName, tag: str) -> bool:
    """Whether any of a project's rules that are in force protects the tag."""
    return any(rule.protect(repository, tag) for rule in rules)


@lru_cache(maxsize=1_024)
def decoded(document: str) -> tuple[Selectors, ...]:
    """Return selectors from the JSON that the statements make of the rules of a project in force."""
    return msgspec.json.decode(document, type=tuple[Selectors, ...])
