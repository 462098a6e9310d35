r"""Patterns as Harbor has them (github.com/bmatcuk/doublestar, v1).

`*` is anything but `/`, `?` any one character but `/`, `**` as a whole component any number of components,
`[a-z]` and `[^a-z]` classes, `{a,b}` alternatives, `\` takes the meaning from what follows.

All ways to match are followed at once, as bits of a number, so that the time is bounded by the length of the
pattern whatever it is: a regular expression that backtracks could be kept busy for hours.
"""

from collections import defaultdict
from enum import IntEnum
from functools import lru_cache, reduce
from operator import or_
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


class _Ways(NamedTuple):
    """Where in the text ways to match stand: bit n is before character n, the last one at the end.

    They stand inside of a component of the pattern, at the start of one, or after `**` as a whole one.
    """

    inside: int = 0
    at_start: int = 0
    after_double_star: int = 0

    def __or__(self, other: "_Ways") -> "_Ways":
        return _Ways(*(one | two for one, two in zip(self, other, strict=True)))


class _Text:
    """Where in a text which characters are, as bits."""

    def __init__(self, text: str) -> None:
        self.end = 1 << len(text)
        self.places: dict[str, int] = defaultdict(int)
        for place, character in enumerate(text):
            self.places[character] |= 1 << place
        self.slashes = self.places.pop("/", 0)
        self.others = (self.end - 1) ^ self.slashes

    def of(self, part: _Literal | _Class | _Wild) -> int:
        """Return where a part for one character matches."""
        match part:
            case _Literal(character):
                return self.places.get(character, 0)
            case _Class():
                return sum(places for character, places in self.places.items() if part.has(character))
            case _:
                return self.others


@lru_cache(maxsize=16_384)
def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches all of the text; raise BadPattern."""
    searched = _Text(text)
    ways = _follow(parse(pattern), searched, _Ways(at_start=1))
    return bool((ways.inside | ways.at_start) & searched.end or ways.after_double_star)


def _follow(parts: _Sequence, text: _Text, ways: _Ways) -> _Ways:
    for part in parts:
        if not any(ways):
            break
        ways = _after(part, text, ways)
    return ways


def _after(part: _Part, text: _Text, ways: _Ways) -> _Ways:
    """Return where the ways stand after one part."""
    if isinstance(part, _Alternatives):
        return reduce(or_, (_follow(option, text, ways) for option in part.options))
    if part is _Wild.SLASH:
        return _Ways(at_start=_after_slash(text, ways))
    places = ways.inside | ways.at_start
    if part is _Wild.STAR:
        return _Ways(_to_end_of_component(text, places))
    if part is _Wild.DOUBLE_STAR:
        return _Ways(_to_end_of_component(text, places), after_double_star=ways.at_start)
    return _Ways((places & text.of(part)) << 1)


def _after_slash(text: _Text, ways: _Ways) -> int:
    found = ((ways.inside | ways.at_start) & text.slashes) << 1
    if skipping := ways.after_double_star:
        first = skipping & -skipping
        found |= first | (text.slashes & -first) << 1
    return found


def _to_end_of_component(text: _Text, places: int) -> int:
    """Return the places, and those behind each up to the next slash, by a carry that runs so far."""
    return places | ((text.others + (places & text.others)) ^ text.others)


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
