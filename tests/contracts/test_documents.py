"""The documents name only what exists, and the generated one is what the code says."""

import re
import tomllib
from pathlib import Path

import pytest

from cli.settings import markdown
from tests.support import drivers

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_names_only_what_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == [], "links to nothing"
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= TARGETS, "targets that the Makefile does not have"


def test_the_licence_is_there_and_goes_into_the_image() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text()
    assert "!LICENSE" in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_table_of_drivers_is_what_the_tests_say() -> None:
    assert drivers.PAGE.read_text(encoding="utf-8") == drivers.render(), "run `make docs`"


def test_the_table_of_settings_is_what_the_code_says() -> None:
    assert (ROOT / "docs/configuration.md").read_text(encoding="utf-8") == markdown(), "run `make docs`"
