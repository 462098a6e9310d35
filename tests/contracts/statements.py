"""Finds every statement of the product, and has PostgreSQL judge it without running it."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import app
import cli
import workers
from app.db import SQL, Listing, Prepared

_PARAMETER = re.compile(r"%(%|\((\w+)\)s|.?)")
_PREPARABLE = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|VALUES|WITH)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """A statement and the constant that holds it."""

    name: str
    definition: str


def statements() -> list[Statement]:
    """Import the whole product and list its statements as what PostgreSQL is to be told."""
    found = [
        Statement(f"{module.__name__}.{name}", definition(value))
        for package in (app, workers, cli)
        for module in _modules_of(package)
        for name, held in vars(module).items()
        for value in _held(held)
    ]
    return sorted({statement.definition: statement for statement in found}.values(), key=lambda s: s.name)


def _held(value: object) -> Iterator[SQL | Prepared]:
    """Yield a statement, or every form that a list of clients' choosing can take."""
    if isinstance(value, SQL | Prepared):
        yield value
    elif isinstance(value, Listing):
        yield from value.examples()


def definition(value: SQL | Prepared) -> str:
    """Turn a statement into a PREPARE; what cannot be prepared (LISTEN, SET) stays as it is."""
    if isinstance(value, Prepared):
        return value.definition
    if ";" in value:
        raise ValueError(f"one statement each, as only the first would be prepared: {value}")
    if not _PREPARABLE.match(value):
        return str(value)
    return f"PREPARE statement AS {numbered(value)}"


def numbered(text: str) -> str:
    """Write `$1, $2 ...` for psycopg2's `%(name)s`, the same number for the same name."""
    numbers: dict[str, int] = {}

    def place(match: re.Match[str]) -> str:
        if match[1] == "%":
            return "%"
        if match[2] is None:
            raise ValueError(f"`{match[0]}` is no parameter: write %(name)s, or %% for a percent sign")
        return f"${numbers.setdefault(match[2], len(numbers) + 1)}"

    sent = _PARAMETER.sub(place, text)
    return sent if numbers else text  # as psycopg2 does


def _modules_of(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not info.name.endswith("__main__"):
            yield importlib.import_module(info.name)
