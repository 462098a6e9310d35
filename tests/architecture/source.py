"""The project's Python files, parsed once, as the rules of the house look at them."""

import ast
import io
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("app", "workers", "cli", "client")
EVERYTHING = (*PRODUCT, "tests", "bench")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file; `path` is relative to the project and has forward slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def kind(self) -> str:
        """What the module holds, by the last word of its name: `upload_routes.py` holds routes."""
        return Path(self.path).stem.rpartition("_")[2]

    @cached_property
    def lines(self) -> int:
        return self.text.count("\n")

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def functions(self) -> list[Function]:
        return [node for node in self.nodes if isinstance(node, Function)]

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Line and text of every comment."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]

    def is_in(self, *places: str) -> bool:
        """Whether the file is one of these or lies in one of these directories."""
        return any(self.path == place or self.path.startswith(f"{place}/") for place in places)


Finding = tuple[int, str]


@dataclass(frozen=True)
class Rule:
    """Something every module of its places keeps to; `find` yields line and fact where one does not."""

    name: str
    remedy: str
    find: Callable[[Module], Iterator[Finding]]
    places: tuple[str, ...] = EVERYTHING

    def violations(self, module: Module) -> list[str]:
        """Say what breaks the rule, where, and what to do about it."""
        if not module.is_in(*self.places):
            return []
        return [f"{module.path}:{line}: {fact}. {self.remedy}" for line, fact in self.find(module)]


@cache
def modules(*places: str) -> list[Module]:
    """Read every Python file of these top-level directories, once."""
    paths = sorted(path for place in places or EVERYTHING for path in (ROOT / place).rglob("*.py"))
    return [Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
