"""The budgets that keep the tail short: sizes of modules, functions, nesting and parameter lists."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.architecture.source import PRODUCT, Finding, Function, Module, Rule

MODULE_LINES = 300
HARD_STOP_LINES = 400
FUNCTION_LINES = 40
HANDLER_LINES = 15
NESTING = 3
PARAMETERS = 6
POSITIONAL_PARAMETERS = 3
SUPPRESSIONS_PER_1000_LINES = 3

# A module over the budget stands here with its reason, and never over the hard stop.
LONG_FOR_A_REASON: dict[str, str] = {}

NAMES_THAT_SAY_NOTHING = frozenset(
    [
        "base",
        "common",
        "core",
        "helper",
        "helpers",
        "manager",
        "managers",
        "misc",
        "service",
        "services",
        "shared",
        "tools",
        "util",
        "utils",
    ]
)

_CONTROL_FLOW = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.Try,
    ast.TryStar,
    ast.Match,
    ast.With,
    ast.AsyncWith,
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def _module_lines(module: Module) -> Iterator[Finding]:
    limit = HARD_STOP_LINES if module.path in LONG_FOR_A_REASON else MODULE_LINES
    if module.lines > limit:
        yield module.lines, f"the module has {module.lines} lines, {limit} is the budget"


def function_lines(function: Function) -> int:
    """Count from `def` to the end, without the docstring: explaining more must not cost."""
    assert function.end_lineno is not None
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    explaining = docstring.end_lineno - docstring.lineno + 1 if docstring and docstring.end_lineno else 0
    return function.end_lineno - function.lineno + 1 - explaining


def _function_lines(module: Module) -> Iterator[Finding]:
    for function in module.functions:
        is_handler = module.kind == "routes" and not function.name.startswith("_")
        limit = HANDLER_LINES if is_handler else FUNCTION_LINES
        if (lines := function_lines(function)) > limit:
            yield function.lineno, f"`{function.name}` has {lines} lines, {limit} is the budget"


def nesting(node: ast.AST) -> int:
    """Count the levels of control flow below a node; `elif` and a nested `def` are none of their own."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _SCOPES):
            continue
        is_elif = isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)
        level = 1 if isinstance(child, _CONTROL_FLOW) and not is_elif else 0
        deepest = max(deepest, level + nesting(child))
    return deepest


def _nesting(module: Module) -> Iterator[Finding]:
    for function in module.functions:
        if (levels := nesting(function)) > NESTING:
            yield (
                function.lineno,
                f"`{function.name}` nests {levels} levels of control flow, {NESTING} is the budget",
            )


def _parameters(module: Module) -> Iterator[Finding]:
    for function in module.functions:
        given = function.args
        positional = [a.arg for a in (*given.posonlyargs, *given.args) if a.arg not in {"self", "cls"}]
        total = len(positional) + len(given.kwonlyargs)
        if total > PARAMETERS:
            yield function.lineno, f"`{function.name}` takes {total} parameters, {PARAMETERS} is the budget"
        if len(positional) > POSITIONAL_PARAMETERS:
            yield function.lineno, f"`{function.name}` takes {len(positional)} parameters by position"


def _module_name(module: Module) -> Iterator[Finding]:
    for part in PurePosixPath(module.path).with_suffix("").parts:
        if part in NAMES_THAT_SAY_NOTHING:
            yield 1, f"`{part}` says nothing about what is inside"


RULES = (
    Rule("module lines", "Split it where a reader gains by it, by subject", _module_lines),
    Rule("function lines", "Give the steps names of their own", _function_lines),
    Rule("nesting", "Return early, or move the inner block into a function", _nesting),
    Rule("parameters", "Group what belongs together; after the third, put `*`", _parameters, PRODUCT),
    Rule("module name", "Name it by what it holds", _module_name),
)
