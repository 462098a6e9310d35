"""Each rule finds what it is there for, and lets the right way pass."""

from dataclasses import dataclass
from textwrap import dedent

import pytest

from tests.architecture import conventions
from tests.architecture.source import Module
from tests.architecture.test_house import RULES

BY_NAME = {rule.name: rule for rule in RULES}
UPLOADS = "app/blobs/uploads.py"
STORE = "app/blobs/session_store.py"
LINES = "    x\n"
DOCSTRING = '    """Say.\n\n    More.\n    """\n'


@dataclass(frozen=True)
class Sample:
    """Code that breaks a rule on one line, and code that does not."""

    rule: str
    bad: str
    line: int
    good: str
    path: str = UPLOADS
    good_path: str = ""


SAMPLES = [
    Sample("module lines", "x = 1\n" * 301, 301, "x = 1\n" * 300),
    Sample("function lines", "def f():\n" + LINES * 40, 1, "def f():\n" + DOCSTRING + LINES * 39),
    Sample("function lines", "def f():\n" + LINES * 15, 1, "def f():\n" + LINES * 14, "app/blobs/routes.py"),
    Sample(
        "function lines",
        "def f():\n" + LINES * 15,
        1,
        "def f():\n" + LINES * 14,
        "app/blobs/upload_routes.py",
    ),
    Sample(
        "nesting",
        "def f():\n for a in b:\n  with a:\n   if c:\n    while d: pass\n",
        1,
        "def f():\n for a in b:\n  with a:\n   if c: pass\n   elif d: pass\n   elif e: pass\n",
    ),
    Sample("parameters", "def f(a, b, c, d): ...", 1, "def f(self, a, b, c, *, d): ..."),
    Sample(
        "parameters", "async def f(a, *, b, c, d, e, f, g): ...", 1, "async def f(a, *, b, c, d, e, f): ..."
    ),
    Sample("module name", "", 1, "", "app/blobs/utils.py", UPLOADS),
    Sample("module name", "", 1, "", "app/helpers/digest.py", UPLOADS),
    Sample(
        "suppressions", "import a\nimport b  # noqa: F401", 2, "import b  # noqa: F401 - read by the plugin"
    ),
    Sample(
        "suppressions", "x = y  # type: ignore", 1, "x = y  # type: ignore[arg-type]  # the stub is wrong"
    ),
    Sample(
        "spared",
        "async def f(r):\n    await r.storage.commit(a)\n    await spare(r, b)",
        2,
        "async def f(r):\n    await spare(r, b)\n    await r.storage.commit(a)\n    await r.storage.put(a)",
    ),
    Sample("imports on top", "def f():\n    import os", 2, "import os\ndef f(): ..."),
    Sample("docstrings", '"""One."""\ndef f(): ...', 2, '"""One."""\ndef f():\n    """Two."""'),
    Sample("docstrings", "x = 1", 1, '"""One."""\ndef _f(): ...'),
    Sample(
        "docstrings",
        '"""One."""\nclass A:\n    """Two."""\n    def f(self): ...',
        4,
        '"""One."""\nclass A:\n    """Two."""\n    def f(self):\n        """Three."""\n        def g(): ...',
    ),
    Sample("finished", "x = 1\n# TODO: more", 2, "# the word TODOS is another word"),
    Sample(
        "finished",
        "def f():\n    raise NotImplementedError",
        2,
        "def f(): raise NotImplementedError(x)\ng(dec_hook=f)",
    ),
    Sample("log events", 'log.info(f"pushed {digest}")', 1, 'log.info("manifest_pushed", digest=digest)'),
    Sample("log events", 'self._log.error("Push failed!")', 1, 'self._log.error("push_failed")'),
    Sample("stores", 'ONE = SQL("SELECT 1")', 1, 'ONE = SQL("SELECT 1")', UPLOADS, STORE),
    Sample("stores", 'ONE = Prepared("one")', 1, 'ONE = SQL("SELECT 1")', UPLOADS, "app/jobs/pending.py"),
    Sample("stores", 'ONE = SQL("SELECT 1")', 1, 'ONE = SQL("SELECT 1")', UPLOADS, "app/main.py"),
    Sample("store verbs", "async def find_a() -> int: ...", 1, "def find_a() -> int | None: ...", STORE),
    Sample("store verbs", "def get_a() -> int | None: ...", 1, "async def get_a() -> int: ...", STORE),
    Sample("store verbs", "def list_a() -> str: ...", 1, "def list_a() -> list[str]: ...", STORE),
    Sample(
        "statements",
        'def f():\n    tx.run(SQL("SELECT 1"))',
        2,
        'ONE = SQL("SELECT 1")\nTWO: Final = Prepared("two")',
        STORE,
    ),
    Sample(
        "tests run",
        "@pytest.mark.skipif(a)\ndef test_a(): ...",
        1,
        "@pytest.mark.slow\ndef test_a(): ...",
        "tests/a.py",
    ),
    Sample(
        "tests run", "def test_a():\n    pytest.importorskip(b)", 2, "pytest.raises(OSError)", "tests/a.py"
    ),
    Sample("no mocks", "from unittest.mock import Mock", 1, "import mocha", "tests/a.py"),
    Sample("no mocks", "import unittest.mock", 1, "monkeypatch.setenv(a, b)", "tests/a.py"),
    Sample("no mocks", "monkeypatch.setattr(a, b, c)", 1, "setattr(a, b, c)", "tests/a.py"),
    Sample(
        "content is closed",
        "async def f():\n    async for p in r.storage.read_upload(s, 3):\n        await g(p)",
        2,
        "async with aclosing(read(s)) as all:\n    async for piece in all:\n        await g(piece)",
    ),
    Sample("no sleeps", "await asyncio.sleep(1)", 1, "await event.wait()", "tests/a.py"),
    Sample(
        "environment", "env = {**os.environ, 'A': b}", 1, "env = {'PATH': os.environ['PATH']}", "tests/a.py"
    ),
    Sample(
        "environment", "run(env=os.environ | b)", 1, "run(env={'HOME': os.environ.get('HOME')})", "tests/a.py"
    ),
    Sample(
        "no sleeps",
        "def f():\n    time.sleep(1)\n    while g(): pass",
        2,
        "def f():\n    while not g():\n        assert time.monotonic() < end\n        time.sleep(0.01)",
        "tests/support/a.py",
    ),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.rule)
def test_a_rule_finds_the_bad_and_only_the_bad(sample: Sample) -> None:
    rule = BY_NAME[sample.rule]
    (violation,) = rule.violations(Module(sample.path, dedent(sample.bad)))
    assert violation.startswith(f"{sample.path}:{sample.line}: ")
    assert violation.endswith(rule.remedy)
    assert rule.violations(Module(sample.good_path or sample.path, dedent(sample.good))) == []


def test_every_rule_has_a_sample() -> None:
    assert {sample.rule for sample in SAMPLES} == set(BY_NAME)


def test_a_rule_looks_only_where_it_belongs() -> None:
    assert BY_NAME["docstrings"].violations(Module("tests/a.py", "def f(): ...")) == []
    assert BY_NAME["no sleeps"].violations(Module("app/a.py", "await asyncio.sleep(1)")) == []


def test_too_many_suppressions_are_told() -> None:
    filler = "x = 1\n" * 300
    one = Module("app/a.py", filler + "import a  # noqa: F401 - because\n")
    two = Module("app/b.py", "import b  # noqa: F401 - because\n")
    assert conventions.suppressions_over_budget([one]) == []
    assert len(conventions.suppressions_over_budget([one, two, two])) == 3
