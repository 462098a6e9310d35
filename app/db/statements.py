"""Statements: constants written in this repository, never assembled from input."""

from textwrap import dedent
from typing import ClassVar, Final, LiteralString, Self


class SQL(str):
    """A statement with psycopg2's named parameters, `%(name)s`."""

    __slots__ = ()

    def __new__(cls, text: LiteralString) -> Self:
        """Take only a literal: mypy refuses text that was put together at run time."""
        return super().__new__(cls, dedent(text).strip())


class Prepared:
    """A statement of a hot path, prepared once per connection so that it is planned once.

    `definition` is what each new connection runs, `call` what a request runs. Parameters are
    `$1, $2 ...` in the text and are passed by position.
    """

    registry: ClassVar[dict[str, "Prepared"]] = {}

    def __init__(self, name: LiteralString, types: tuple[LiteralString, ...], text: LiteralString) -> None:
        if name in self.registry:
            raise ValueError(f"there is a prepared statement {name} already")
        self.name: Final = name
        self.text: Final = SQL(text)
        self.definition: Final = f"PREPARE {name} ({', '.join(types)}) AS {self.text}"
        places = ", ".join("%s::" + kind for kind in types)
        self.call: Final = f"EXECUTE {name} ({places})"
        self.registry[name] = self
