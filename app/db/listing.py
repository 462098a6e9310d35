"""Lists that clients filter, sort and page: the one place that puts statements together.

What is put together comes from constants only; what the client sent becomes parameters.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Generic, LiteralString, TypeVar

from msgspec import Struct

from app.db.connection import Statements
from app.db.statements import SQL
from app.harbor.errors import BadRequest
from app.harbor.query import Condition, ListQuery, Match, SortKey

Row = TypeVar("Row")

_ARRAYS: Final = {str: "text[]", int: "bigint[]", bool: "boolean[]", datetime: "timestamptz[]"}
_SCALARS: Final = {str: "text", int: "bigint", bool: "boolean", datetime: "timestamptz"}
_WORDS: Final = {"true": True, "1": True, "false": False, "0": False}
_LARGEST: Final = 2**63 - 1


class Column:
    """A key of `q` and `sort`: an expression of the statement and the type of its values.

    `by_match` has conditions for what is no plain comparison, `{value}` in place of the parameter.
    """

    def __init__(
        self,
        expression: LiteralString,
        kind: type = str,
        *,
        by_match: Mapping[Match, LiteralString] | None = None,
    ) -> None:
        self.expression: Final = expression
        self.kind: Final = kind
        self.by_match: Final = by_match or {}

    def condition(self, condition: Condition, name: str) -> tuple[str, dict[str, object]]:
        """Return the SQL of one condition and its parameters; raise BadRequest for a value that cannot be."""
        value: object
        match condition.match:
            case Match.RANGE:
                return self._range(condition, name)
            case Match.ANY_OF | Match.ALL_OF:
                cast, test = _ARRAYS[self.kind], f"{self.expression} = ANY({{value}})"
                value = self._values(condition)
            case Match.FUZZY:
                cast, test = "text", f"{self.expression}::text ILIKE {{value}}"
                value = f"%{_escaped(condition.values[0])}%"
            case _:
                cast, test = _SCALARS[self.kind], f"{self.expression} = {{value}}"
                value = self._values(condition)[0]
        test = self.by_match.get(condition.match, test)
        return test.replace("{value}", f"%({name})s::{cast}"), {name: value}

    def _range(self, condition: Condition, name: str) -> tuple[str, dict[str, object]]:
        tests, params = ["true"], dict[str, object]()
        for text, operator, suffix in zip(condition.values, (">=", "<="), ("_low", "_high"), strict=True):
            if text:
                tests.append(f"{self.expression} {operator} %({name}{suffix})s::{_SCALARS[self.kind]}")
                params[name + suffix] = self._value(condition.key, text)
        return " AND ".join(tests), params

    def _values(self, condition: Condition) -> list[object]:
        return [self._value(condition.key, text) for text in condition.values]

    def _value(self, key: str, text: str) -> object:
        try:
            return _PARSERS[self.kind](text)
        except (ValueError, KeyError, OverflowError):
            raise BadRequest(f"q: {key}: {text[:100]!r} is no {_NAMES[self.kind]}") from None


def _integer(text: str) -> int:
    value = int(text)
    if abs(value) > _LARGEST:
        raise ValueError(text)
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    # What has no year between 1 and 9999 in UTC overflows here and not in the driver.
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


_PARSERS: Final[dict[type, Callable[[str], object]]] = {
    str: str,
    int: _integer,
    bool: lambda text: _WORDS[text.lower()],
    datetime: _moment,
}
_NAMES: Final = {str: "text", int: "number", bool: "boolean", datetime: "time"}


class Page(Struct, Generic[Row], frozen=True):
    """Some rows of a list, and how many there are on all pages."""

    rows: list[Row]
    total: int


class Listing(Generic[Row]):
    """A list as two statements, of its rows and of their number.

    Both have `{conditions}` where the filters go; the first also `{order}`, `LIMIT %(limit)s` and
    `OFFSET %(offset)s`. Keys that are not in `columns` are ignored, as Harbor does.
    """

    def __init__(
        self,
        row: Callable[..., Row],
        *,
        rows: LiteralString,
        count: LiteralString,
        columns: Mapping[LiteralString, Column],
        order: LiteralString,
    ) -> None:
        self._row = row
        self._rows = rows
        self._count = count
        self.columns: Final = columns
        self._order = order

    async def page(self, statements: Statements, query: ListQuery, **params: object) -> Page[Row]:
        """Return one page; raise BadRequest for a value in `q` that does not fit its key."""
        rows, count, filters = self.compose(query)
        total = await statements.value(count, **params, **filters)
        if total <= query.offset:
            return Page([], total)
        paged = {"limit": query.page_size, "offset": query.offset}
        return Page(await statements.all(self._row, rows, **params, **filters, **paged), total)

    def compose(self, query: ListQuery) -> tuple[SQL, SQL, dict[str, object]]:
        """Return the statement of the rows, that of their number, and the parameters of the filters."""
        tests, params = ["true"], dict[str, object]()
        for number, condition in enumerate(query.conditions):
            column = self.columns.get(condition.key)
            if column is not None:
                test, values = column.condition(condition, f"q{number}")
                tests.append(f"({test})")
                params |= values
        conditions = " AND ".join(tests)
        rows = self._rows.replace("{conditions}", conditions).replace("{order}", self._ordered(query.sort))
        return _trusted(rows), _trusted(self._count.replace("{conditions}", conditions)), params

    def _ordered(self, sort: tuple[SortKey, ...]) -> str:
        wanted = {
            key.key: f"{self.columns[key.key].expression} {'DESC NULLS LAST' if key.is_descending else 'ASC'}"
            for key in sort
            if key.key in self.columns
        }
        return ", ".join((*wanted.values(), self._order))

    def examples(self) -> Iterator[SQL]:
        """Yield the statements of every column and every kind of condition, for the contract test."""
        values = {str: "a", int: "1", bool: "true", datetime: "2026-01-01T00:00:00"}
        for key, column in self.columns.items():
            value = values[column.kind]
            for match in Match:
                count = 2 if match is Match.RANGE else 1
                query = ListQuery(
                    (Condition(key, match, (value,) * count),), (SortKey(key, is_descending=True),)
                )
                yield from self.compose(query)[:2]


def _trusted(text: Any) -> SQL:  # noqa: ANN401 - put together from literals above, which mypy cannot follow
    return SQL(text)
