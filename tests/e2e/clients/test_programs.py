"""Tests of missing clients are left out, and the run says so; where clients are required, it fails."""

from pathlib import Path

from tests.e2e.clients.programs import NEEDS, REQUIRED, describe_missing


def test_every_client_that_is_required_is_installed() -> None:
    assert not REQUIRED or not describe_missing(), f"missing clients: {describe_missing()}"


def test_the_table_of_needs_names_test_modules() -> None:
    modules = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert modules - set(NEEDS) == {
        "test_harbor_cli_calls.py",
        "test_programs.py",
        "test_terraform_accounts.py",
        "test_terraform_calls.py",
        "test_token_flow.py",
    }
    assert set(NEEDS) <= modules
