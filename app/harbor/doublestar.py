r"""Patterns as Harbor has them (github.com/bmatcuk/doublestar, v1).

`*` is anything but `/`, `?` any one character but `/`, `**` as a whole component any number of components,
`[a-z]` and `[^a-z]` classes, `{a,b}` alternatives, `\` takes the meaning from what follows.

All ways to match are followed at once, so that the time is bounded by the product of the lengths whatever
the pattern: a regular expression that backtracks could be kept busy for hours.
"""

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

_MAX_DEPTH: Final = 10


class BadPattern(ValueError):
    """It is no pattern."""


class _Literal(NamedTuple):
    character: str


class _Class(NamedTuple):
    is_negated: bool
    ranges: tuple[tuple[str, str], ...]

    def has(self, character: str) -> bool:
        return any(low <= character <= high for low, high in self.ranges) != self.is_negated


class _Alternatives(NamedTuple):
    options: tuple["_Sequence", ...]


class _Wild(IntEnum):
    ANY = 1
    STAR = 2
    DOUBLE_STAR = 3
    SLASH = 4


_Part: TypeAlias = _Literal | _Class | _Alternatives | _Wild
_Sequence: TypeAlias = tuple[_Part, ...]


class _Mode(IntEnum):
    """Where in a component of the pattern a way to match stands."""

    INSIDE = 0
    AT_START = 1
    AFTER_DOUBLE_STAR = 2


_State: TypeAlias = tuple[int, _Mode]


@lru_cache(maxsize=16_384)
def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches all of the text; raise BadPattern."""
    states = _follow(parse(pattern), text, {(0, _Mode.AT_START)})
    return any(place == len(text) or mode is _Mode.AFTER_DOUBLE_STAR for place, mode in states)


def _follow(parts: _Sequence, text: str, states: set[_State]) -> set[_State]:
    for part in parts:
        if not states:
            break
        states = _after(part, text, states)
    return states


def _after(part: _Part, text: str, states: set[_State]) -> set[_State]:
    """Return where the ways that stand at `states` stand after one part."""
    if isinstance(part, _Alternatives):
        return set().union(*(_follow(option, text, states) for option in part.options))
    if part is _Wild.SLASH:
        return {(place, _Mode.AT_START) for place in _after_slash(text, states)}
    places = {place for place, mode in states if mode is not _Mode.AFTER_DOUBLE_STAR}
    if part is _Wild.STAR:
        return {(place, _Mode.INSIDE) for place in _to_end_of_component(text, places)}
    if part is _Wild.DOUBLE_STAR:
        whole = {(place, _Mode.AFTER_DOUBLE_STAR) for place, mode in states if mode is _Mode.AT_START}
        return whole | {(place, _Mode.INSIDE) for place in _to_end_of_component(text, places)}
    return {(place + 1, _Mode.INSIDE) for place in places if place < len(text) and _is_one(part, text[place])}


def _is_one(part: _Part, character: str) -> bool:
    if character == "/":
        return False
    match part:
        case _Literal(wanted):
            return character == wanted
        case _Class():
            return part.has(character)
        case _:
            return True


def _after_slash(text: str, states: set[_State]) -> set[int]:
    found = {
        place + 1
        for place, mode in states
        if mode is not _Mode.AFTER_DOUBLE_STAR and text.startswith("/", place)
    }
    skipping = [place for place, mode in states if mode is _Mode.AFTER_DOUBLE_STAR]
    if skipping:
        first = min(skipping)
        found |= {first} | {place + 1 for place in range(first, len(text)) if text[place] == "/"}
    return found


def _to_end_of_component(text: str, places: Iterable[int]) -> set[int]:
    reached = set[int]()
    for start in sorted(places):
        place = start
        while place not in reached:
            reached.add(place)
            if place == len(text) or text[place] == "/":
                break
            place += 1
    return reached


@lru_cache(maxsize=4_096)
def parse(pattern: str) -> _Sequence:
    """Return the pattern as parts; raise BadPattern."""
    parts, end = _parsed(pattern, 0, depth=0)
    if end != len(pattern):
        raise BadPattern(pattern)
    return parts


def _parsed(pattern: str, place: int, *, depth: int) -> tuple[_Sequence, int]:
    """Parse up to the end, or inside of braces up to the next `,` or `}`."""
    parts: list[_Part] = []
    while place < len(pattern) and not (depth and pattern[place] in ",}"):
        part, place = _part(pattern, place, depth=depth)
        parts.append(part)
    return tuple(parts), place


def _part(pattern: str, place: int, *, depth: int) -> tuple[_Part, int]:
    match pattern[place]:
        case "*":
            end = place
            while pattern.startswith("*", end):
                end += 1
            return _Wild.DOUBLE_STAR if pattern[place:end] == "**" else _Wild.STAR, end
        case "?":
            return _Wild.ANY, place + 1
        case "/":
            return _Wild.SLASH, place + 1
        case "[":
            return _class(pattern, place + 1)
        case "{":
            return _alternatives(pattern, place + 1, depth=depth + 1)
        case _:
            character, place = _character(pattern, place)
            return _Literal(character), place


def _character(pattern: str, place: int) -> tuple[str, int]:
    """Return a character and the place after it, taking it by the letter after a backslash."""
    place += pattern.startswith("\\", place)
    if place >= len(pattern):
        raise BadPattern(pattern)
    return pattern[place], place + 1


def _class(pattern: str, place: int) -> tuple[_Class, int]:
    is_negated = pattern.startswith("^", place)
    place += is_negated
    ranges: list[tuple[str, str]] = []
    while not pattern.startswith("]", place):
        low, place = _bound(pattern, place)
        high = low
        if pattern.startswith("-", place):
            high, place = _bound(pattern, place + 1)
        ranges.append((low, high))
    if not ranges:
        raise BadPattern(pattern)
    return _Class(is_negated, tuple(ranges)), place + 1


def _bound(pattern: str, place: int) -> tuple[str, int]:
    if pattern[place : place + 1] in {"", "-", "]"}:
        raise BadPattern(pattern)
    return _character(pattern, place)


def _alternatives(pattern: str, place: int, *, depth: int) -> tuple[_Alternatives, int]:
    if depth > _MAX_DEPTH:
        raise BadPattern(pattern)
    options: list[_Sequence] = []
    while True:
        option, place = _parsed(pattern, place, depth=depth)
        options.append(option)
        if place >= len(pattern):
            raise BadPattern(pattern)
        place += 1
        if pattern[place - 1] == "}":
            return _Alternatives(tuple(options)), place
