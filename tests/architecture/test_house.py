"""Every module keeps to every rule."""

import pytest

from tests.architecture import budgets, conventions
from tests.architecture.source import EVERYTHING, PRODUCT, ROOT, Rule, modules

RULES = (*budgets.RULES, *conventions.RULES)


def test_the_product_is_found() -> None:
    assert {module.path for module in modules()} >= {
        "app/settings/table.py",
        "cli/main.py",
        "workers/main.py",
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_module_keeps_to(rule: Rule) -> None:
    broken = [violation for module in modules() for violation in rule.violations(module)]
    assert not broken, "\n" + "\n".join(broken)


@pytest.mark.parametrize("places", [PRODUCT, ("tests", "bench")], ids=["product", "tests and bench"])
def test_suppressions_stay_rare(places: tuple[str, ...]) -> None:
    found = conventions.suppressions_over_budget(modules(*places))
    assert not found, (
        f"more than {budgets.SUPPRESSIONS_PER_1000_LINES} suppressions per 1,000 lines; "
        "change the code so that some of these go:\n" + "\n".join(found)
    )


def test_only_modules_that_need_it_may_be_long() -> None:
    too_generous = [
        path
        for path in budgets.LONG_FOR_A_REASON
        if not any(
            module.path == path and module.lines > budgets.MODULE_LINES for module in modules(*PRODUCT)
        )
    ]
    assert not too_generous, f"{too_generous} fit the budget now: take them out of LONG_FOR_A_REASON"


def test_every_package_has_an_init() -> None:
    directories = {path.parent for place in PRODUCT for path in (ROOT / place).rglob("*.py")}
    bare = sorted(
        str(directory.relative_to(ROOT))
        for directory in directories
        if not (directory / "__init__.py").exists()
    )
    assert not bare, f"without an __init__.py these are not installed and not checked: {bare}"


def test_no_code_lies_where_no_rule_looks() -> None:
    outside = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.glob("*/**/*.py")
        if not path.relative_to(ROOT).parts[0].startswith(".")
    }
    assert outside <= set(EVERYTHING) | {"build", "data"}, (
        "add it to EVERYTHING in tests/architecture/source.py"
    )
