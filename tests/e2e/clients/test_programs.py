"""A missing client is never passed over in silence: it is named, and a failure where clients are required."""

from pathlib import Path

import pytest

from tests.e2e.clients.programs import NEEDS, REQUIRED, missing


def test_every_client_is_installed() -> None:
    lacking = [f"{name} ({remedy})" for name, remedy in missing(NEEDS).items()]
    if lacking and not REQUIRED:
        pytest.skip(f"left out the tests of missing clients; install them: {'; '.join(lacking)}")
    assert not lacking


def test_the_table_of_needs_names_test_modules() -> None:
    modules = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert modules - set(NEEDS) == {"test_programs.py", "test_token_flow.py"}
    assert set(NEEDS) <= modules
