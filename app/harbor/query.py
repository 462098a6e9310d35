"""The query language of Harbor's lists (its `src/lib/q/builder.go`): `q=`, `sort=`, `page`, `page_size`.

`q` is a list of conditions between commas: `k=v` exact, `k=~v` contains, `k=[min~max]` range,
`k={a b}` any of, `k=(a b)` all of.
"""

from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from app.harbor.errors import BadRequest

MAX_PAGE_SIZE: Final = 100
WHOLE: Final = 10_000
"""How much of a list comes to who asks for all of it, by 0 as the size of a page; Harbor has no bound."""

_MAX_CONDITIONS: Final = 20
_MAX_VALUES: Final = 100


class Match(StrEnum):
    """How a condition compares."""

    EXACT = "="
    FUZZY = "~"
    RANGE = "[]"
    ANY_OF = "{}"
    ALL_OF = "()"


class Condition(Struct, frozen=True):
    """One condition of `q`; a range has two values, of which either may be empty."""

    key: str
    match: Match
    values: tuple[str, ...]


class SortKey(Struct, frozen=True):
    """One part of `sort`."""

    key: str
    is_descending: bool


class ListQuery(Struct, frozen=True):
    """Which page of what part of a list, in which order."""

    conditions: tuple[Condition, ...] = ()
    sort: tuple[SortKey, ...] = ()
    page: int = 1
    page_size: int = 10

    @property
    def offset(self) -> int:
        """How many entries come before the page."""
        return (self.page - 1) * self.page_size


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """Parse `q`; raise BadRequest for what is no list of conditions."""
    # Clients escape a value that has a comma or `=`, or all of it, once more than the URL needs.
    is_escaped = "=" in unquote(text.partition("=")[0])
    parts = [part for part in (unquote(text) if is_escaped else text).split(",") if part.strip()]
    if len(parts) > _MAX_CONDITIONS:
        raise BadRequest(f"q: {_MAX_CONDITIONS} conditions at most")
    return tuple(_condition(part.strip()) for part in parts)


def _condition(text: str) -> Condition:
    key, equals, value = text.partition("=")
    key, value = unquote(key).strip(), unquote(value).strip()
    # A NUL comes escaped twice; PostgreSQL takes none.
    if not equals or not key or not value or "\0" in key + value:
        raise BadRequest(f"q: {text[:100]!r} is not `key=value`")
    match value[0], value[-1]:
        case "[", "]":
            low, tilde, high = value[1:-1].partition("~")
            if not tilde:
                raise BadRequest(f"q: {key[:100]}: a range is `[min~max]`")
            return Condition(key, Match.RANGE, (low.strip(), high.strip()))
        case "{", "}":
            return Condition(key, Match.ANY_OF, _values(key, value))
        case "(", ")":
            return Condition(key, Match.ALL_OF, _values(key, value))
        case "~", _:
            return Condition(key, Match.FUZZY, (_unquoted(value[1:]),))
        case _:
            return Condition(key, Match.EXACT, (_unquoted(value),))


def _values(key: str, value: str) -> tuple[str, ...]:
    values = tuple(_unquoted(part) for part in value[1:-1].split())
    if not 0 < len(values) <= _MAX_VALUES:
        raise BadRequest(f"q: {key[:100]}: 1 to {_MAX_VALUES} values between the brackets")
    return values


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def parse_sort(text: str) -> tuple[SortKey, ...]:
    """Parse `sort`, names between commas, those in falling order after a `-`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(SortKey(part.removeprefix("-"), part.startswith("-")) for part in parts[:_MAX_CONDITIONS])
