"""Rules of immutability as JSON (Harbor's ImmutableRule, ImmutableSelector)."""

from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta, Struct

from app.harbor.errors import BadRequest
from app.immutability.model import Rule, ScopeSelector, Selectors, TagSelector

Pattern = Annotated[str, Meta(min_length=1, max_length=255)]


class ImmutableTagSelector(Struct, frozen=True):
    """Which tags."""

    pattern: Pattern
    decoration: Literal["matches", "excludes"] = "matches"
    kind: Literal["doublestar"] = "doublestar"
    extras: Annotated[str, Meta(max_length=255)] = ""


class ImmutableScopeSelector(Struct, frozen=True):
    """Which repositories."""

    pattern: Pattern
    decoration: Literal["repoMatches", "repoExcludes"] = "repoMatches"
    kind: Literal["doublestar"] = "doublestar"
    extras: Annotated[str, Meta(max_length=255)] = ""


class ImmutableScopes(Struct, frozen=True):
    """Selectors by what they select: there are only repositories."""

    repository: Annotated[tuple[ImmutableScopeSelector, ...], Meta(min_length=1, max_length=10)]


class ImmutableRule(Struct, frozen=True):
    """A rule; with several selectors of a kind, all of them have to take the tag or repository."""

    tag_selectors: Annotated[tuple[ImmutableTagSelector, ...], Meta(min_length=1, max_length=10)]
    scope_selectors: ImmutableScopes
    id: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    priority: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    disabled: bool = False
    action: Literal["immutable"] = "immutable"
    template: Literal["immutable_template"] = "immutable_template"
    params: dict[str, Any] | None = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """Return a rule as clients see it."""
        return cls(
            id=rule.id,
            disabled=rule.is_disabled,
            tag_selectors=tuple(
                ImmutableTagSelector(selector.pattern, selector.decoration)
                for selector in rule.selectors.tags
            ),
            scope_selectors=ImmutableScopes(
                tuple(
                    ImmutableScopeSelector(selector.pattern, selector.decoration)
                    for selector in rule.selectors.scopes
                )
            ),
        )

    def selectors(self) -> Selectors:
        """Return what it protects."""
        return Selectors(
            tuple(TagSelector(given.decoration, given.pattern) for given in self.tag_selectors),
            tuple(
                ScopeSelector(given.decoration, given.pattern) for given in self.scope_selectors.repository
            ),
        )

    def rule(self, rule_id: int, project_id: int) -> Rule:
        """Return the rule of that id; raise BadRequest where the body names another."""
        if self.id not in {0, rule_id}:
            raise BadRequest("the id in the body is not that of the rule")
        return Rule(rule_id, project_id, self.disabled, self.selectors())
