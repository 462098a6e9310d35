"""The linters stay as strict as the house wants them: loosening one takes a change here, with its reason."""

import re
import tomllib
from typing import Any

import pytest

from tests.architecture import budgets
from tests.architecture.source import EVERYTHING, ROOT

TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
TOOL: dict[str, Any] = tomllib.loads(TEXT)["tool"]
LINT: dict[str, Any] = TOOL["ruff"]["lint"]

# Rules that stand in for a test of ours: unused names, complexity, parameters, imports inside functions,
# blanket suppressions, prints, debuggers, broad excepts, commented-out code, docstrings.
RELIED_ON = re.compile(r"F\d|C901|PLR0913|PLC0415|PGH|RUF100|T20|T100|BLE|ERA|D10[0-46]|ANN")
PER_FILE = {"tests/**", "bench/**", "cli/**", "app/settings/table.py"}


def test_every_rule_of_ruff_is_on() -> None:
    assert LINT["select"] == ["ALL"]
    assert "preview" not in TOOL["ruff"]
    assert "exclude" not in TOOL["ruff"]
    assert set(LINT["per-file-ignores"]) <= PER_FILE


def test_no_rule_that_the_house_relies_on_is_ignored() -> None:
    ignored = [code for code in LINT["ignore"] if RELIED_ON.match(code)]
    assert ignored == []


def test_every_ignored_rule_has_its_reason() -> None:
    bare = [line.strip() for line in TEXT.splitlines() if re.fullmatch(r'\s+"[A-Z]+\d*",\s*', line)]
    assert not bare, "say why behind each of these"


def test_the_limits_of_ruff_are_the_budgets() -> None:
    assert LINT["mccabe"]["max-complexity"] == 8
    assert LINT["pylint"]["max-args"] == budgets.PARAMETERS
    assert TOOL["ruff"]["line-length"] == 110


def test_types_are_strict_everywhere() -> None:
    assert TOOL["mypy"]["strict"] is True
    assert set(TOOL["mypy"]["files"]) == {place for place in EVERYTHING if (ROOT / place).is_dir()}
    loosened = [
        key
        for override in TOOL["mypy"]["overrides"]
        for key in override
        if key not in {"module", "ignore_missing_imports"}
    ]
    assert loosened == []


def test_warnings_are_errors_in_tests() -> None:
    assert TOOL["pytest"]["ini_options"]["filterwarnings"][0] == "error"


def test_coverage_is_of_branches_everywhere_and_its_floor_does_not_fall() -> None:
    measured, floor = TOOL["coverage"]["run"], TOOL["coverage"]["report"]["fail_under"]
    assert (measured["branch"], measured["patch"]) == (True, ["subprocess"])
    assert set(measured["source"]) == {"app", "workers", "cli"}
    assert "omit" not in measured
    assert floor >= 96.0
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^ci:.*\n(?:\t.*\n)*\t.* coverage$", makefile, re.MULTILINE)


@pytest.mark.parametrize("lock", ["run", "dev", "clients"])
def test_locks_pin_by_hash_and_name_no_host(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^\S+==\S+.*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[^\s#]", text, re.MULTILINE)) > 0
    assert "://" not in text
