"""The rules of wording and of testing that a linter does not know."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.budgets import SUPPRESSIONS_PER_1000_LINES
from tests.architecture.slices import PLATFORM
from tests.architecture.source import EVERYTHING, PRODUCT, Finding, Function, Module, Rule

POLLING = "tests/support"

_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b")
_SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:|pyright:|mypy:)")
_REASONED = re.compile(
    r"#\s*noqa: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S.*"
    r"|#\s*type: ignore\[[a-z-]+(, ?[a-z-]+)*\]\s+(#|-) ?\S.*"
    r"|#\s*pragma: no (cover|branch) - \S.*"
)
_EVENT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LOGGERS = {"log", "logger", "_log", "_logger"}
_LOG_METHODS = {"debug", "info", "warning", "error", "critical", "exception"}
_HOOKS = {"dec_hook", "enc_hook", "default"}
_MOCKING = {"mock", "pytest_mock", "unittest"}
_STATEMENTS = {"SQL", "Prepared", "Listing"}
_STORING = {"r.storage.put", "r.storage.commit"}
_SLEEPS = {"time.sleep", "asyncio.sleep", "sleep"}
_OF_CONTENT = {"read", "pour", "read_upload", "read_pieces", "resumed", "stream"}
_NEVER_RUN = {"skip", "skipif", "xfail", "importorskip"}


def name_of(node: ast.AST) -> str:
    """Spell a dotted name: `pytest.mark.skip`; empty for anything that is not one."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            prefix = name_of(value)
            return f"{prefix}.{name}" if prefix else ""
        case _:
            return ""


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, name_of(node.func)


def suppressions(module: Module) -> list[tuple[int, str]]:
    """List the comments that silence a checker."""
    return [(line, text) for line, text in module.comments if _SUPPRESSION.search(text)]


def _suppression_reasons(module: Module) -> Iterator[Finding]:
    for line, text in suppressions(module):
        if not _REASONED.search(text):
            yield line, f"`{text}` lacks its code or its reason"


def suppressions_over_budget(read: list[Module]) -> list[str]:
    """Say where the suppressions of these modules stand when there are too many of them."""
    found = [f"{module.path}:{line}: {text}" for module in read for line, text in suppressions(module)]
    allowed = -(-sum(module.lines for module in read) * SUPPRESSIONS_PER_1000_LINES // 1000)
    return found if len(found) > allowed else []


def _imports_inside(module: Module) -> Iterator[Finding]:
    for function in module.functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node.lineno, f"`{function.name}` imports inside its body"


def _docstrings(module: Module) -> Iterator[Finding]:
    if not ast.get_docstring(module.tree) and module.text.strip():
        yield 1, "the module has no docstring"
    for node in _public(module.tree.body):
        if not ast.get_docstring(node):
            yield node.lineno, f"`{node.name}` is public and has no docstring"


def _public(body: list[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    """Yield what a reader of the module may use: also the methods of public classes, not nested functions."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)


def _unfinished(module: Module) -> Iterator[Finding]:
    for line, text in module.comments:
        if word := _UNFINISHED.search(text):
            yield line, f"{word[0]} says that this is not finished"
    hooks = {
        name_of(keyword.value)
        for call, _ in _calls(module.tree)
        for keyword in call.keywords
        if keyword.arg in _HOOKS
    }
    for function in module.functions:
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Raise)
                and _raised(node) == "NotImplementedError"
                and function.name not in hooks
            ):
                yield node.lineno, f"`{function.name}` is not implemented"


def _raised(node: ast.Raise) -> str:
    return name_of(node.exc.func if isinstance(node.exc, ast.Call) else node.exc or node)


def _log_events(module: Module) -> Iterator[Finding]:
    for call, name in _calls(module.tree):
        logger, _, method = name.rpartition(".")
        if logger.rpartition(".")[2] not in _LOGGERS or method not in _LOG_METHODS:
            continue
        event = call.args[0] if call.args else None
        if not isinstance(event, ast.Constant) or not _EVENT_NAME.fullmatch(str(event.value)):
            yield call.lineno, f"`{ast.unparse(event) if event else name}` is no name of a log event"


def _statements(module: Module) -> Iterator[Finding]:
    if module.is_in("app/db"):  # composes them
        return
    constants = {
        id(node.value)
        for node in module.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
    }
    for call, name in _calls(module.tree):
        if name in _STATEMENTS and id(call) not in constants:
            yield call.lineno, "a statement that is no constant of its module"


def _stores(module: Module) -> Iterator[Finding]:
    is_in_a_slice = module.path.count("/") > 1 and not module.is_in(
        *(f"app/{package}" for package in PLATFORM)
    )
    if module.kind == "store" or not is_in_a_slice:
        return
    statements = [call.lineno for call, name in _calls(module.tree) if name in _STATEMENTS]
    if statements:
        yield min(statements), f"{len(statements)} statements outside of a store"


def _store_verbs(module: Module) -> Iterator[Finding]:
    for function in module.functions if module.kind == "store" else ():
        verb, returns = function.name.partition("_")[0], ast.unparse(function.returns or ast.Constant(None))
        is_none_possible = returns.endswith("None")
        if verb == "find" and not is_none_possible:
            yield function.lineno, f"`{function.name}` always finds something"
        if verb == "get" and is_none_possible:
            yield function.lineno, f"`{function.name}` may find nothing"
        if verb == "list" and not returns.startswith(("list[", "dict[", "AsyncIterator[")):
            yield function.lineno, f"`{function.name}` returns no list"


def _always_run(module: Module) -> Iterator[Finding]:
    for node in module.nodes:
        if (
            isinstance(node, ast.Attribute)
            and node.attr in _NEVER_RUN
            and name_of(node).startswith("pytest.")
        ):
            yield node.lineno, f"`{name_of(node)}` is a test that can silently not run"


def _mocks(module: Module) -> Iterator[Finding]:
    for node in module.nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
            yield from (
                (node.lineno, f"imports `{name}`") for name in names if name.partition(".")[0] in _MOCKING
            )
        elif isinstance(node, ast.Attribute) and name_of(node) == "monkeypatch.setattr":
            yield node.lineno, "`monkeypatch.setattr` puts something false in place of the real"


def _sleeps(module: Module) -> Iterator[Finding]:
    polls = {id(call) for function in module.functions for call in _polls(function)}
    for call, name in _calls(module.tree):
        if name in _SLEEPS and not (module.is_in(POLLING) and id(call) in polls):
            yield call.lineno, "a sleep guesses how long something takes"


def _polls(function: Function) -> Iterator[ast.Call]:
    """Yield the sleeps between two looks at a condition, in a function that watches the clock."""
    calls = list(_calls(function))
    if any(name.endswith((".monotonic", ".time")) for _, name in calls):
        loops = [node for node in ast.walk(function) if isinstance(node, ast.While | ast.For | ast.AsyncFor)]
        yield from (call for loop in loops for call, name in _calls(loop) if name in _SLEEPS)


def _dropped(module: Module) -> Iterator[Finding]:
    """Find loops over content that a `break`, an error or a cancellation leaves to the garbage collector."""
    for node in module.nodes:
        if isinstance(node, ast.AsyncFor) and _called(node.iter).rpartition(".")[2] in _OF_CONTENT:
            yield node.lineno, "whoever leaves this loop early leaves a connection open"


def _called(node: ast.AST) -> str:
    return name_of(node.func) if isinstance(node, ast.Call) else ""


def _environment(module: Module) -> Iterator[Finding]:
    """Reading one name is fine; handing on all of them gives the program settings that no test chose."""
    if module.is_in("tests/support"):
        return
    read = {
        id(node.value)
        for node in module.nodes
        if isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr == "get")
    }
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and name_of(node) == "os.environ" and id(node) not in read:
            yield node.lineno, "the whole environment, with whatever ROADSTEAD_ settings it has"


def _spared(module: Module) -> Iterator[Finding]:
    """What is stored while the same is removed as nobody's would be lost: app/blobs/orphans.py says how."""
    for function in module.functions:
        called = [(call.lineno, name) for call, name in _calls(function)]
        spared = min((line for line, name in called if name == "spare"), default=None)
        for line, name in called:
            if name in _STORING and (spared is None or line < spared):
                yield line, f"`{function.name}` makes a blob that nothing keeps from being removed"


RULES = (
    Rule("spared", "Call `spare` before", _spared, ("app",)),
    Rule(
        "suppressions",
        "Write `# noqa: CODE - reason` or `# type: ignore[code]  # reason`",
        _suppression_reasons,
    ),
    Rule(
        "imports on top",
        "Import at the top; break a cycle by moving what both need downwards",
        _imports_inside,
    ),
    Rule("docstrings", "Say in one sentence what the caller gets", _docstrings, PRODUCT),
    Rule("finished", "Finish it, or leave it out", _unfinished, EVERYTHING),
    Rule(
        "log events",
        "Log a static snake_case name in the past tense, identifiers as fields",
        _log_events,
        PRODUCT,
    ),
    Rule(
        "statements",
        "Make it a module constant, so that the contract test finds and prepares it",
        _statements,
        PRODUCT,
    ),
    Rule(
        "stores",
        "Keep them in `store.py`, or in a store of their own, `..._store.py`",
        _stores,
        ("app",),
    ),
    Rule(
        "store verbs",
        "`get_` must find, `find_` may return None, `list_` returns several",
        _store_verbs,
        ("app",),
    ),
    Rule("content is closed", "Loop inside `async with aclosing(...)`", _dropped, ("app", "cli")),
    Rule("tests run", "Make what it needs a fixture, or mark it `clients`", _always_run, ("tests",)),
    Rule(
        "no mocks",
        "Run the real thing: every server the tests need starts in under a second",
        _mocks,
        ("tests",),
    ),
    Rule(
        "no sleeps",
        f"Poll for the condition with a deadline, by a function of {POLLING}",
        _sleeps,
        ("tests",),
    ),
    Rule(
        "environment", "Leave those names out, as tests/support/roadstead.py does", _environment, ("tests",)
    ),
)
