"""`roadstead user`: passwords are judged before they are set."""

import subprocess
import sys

import pytest

from app.settings import Settings
from tests.support.roadstead import ROOT, environment_with

pytestmark = pytest.mark.slow


def user(settings: Settings, verb: str, password: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "user", verb, "alice", "--password-stdin"],
        cwd=ROOT,
        env=environment_with({"ROADSTEAD_DATABASE_URL": settings.database.url}),
        input=f"{password}\n",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("password", ["", "alices-password-1", "Alices-1" * 17])
def test_a_weak_password_is_refused_by_one_sentence(settings: Settings, password: str) -> None:
    refused = user(settings, "create", password)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("A password has 8 to 128 characters")
    assert refused.stderr.count("\n") == 1
    assert not password or password not in refused.stderr


def test_a_user_is_made_and_the_password_changed(settings: Settings) -> None:
    assert user(settings, "password", "Alices-password-1").stderr == "There is no user alice.\n"
    assert user(settings, "create", "Alices-password-1").stdout == "Made the user alice.\n"
    assert user(settings, "password", "weak").returncode == 1
    assert user(settings, "password", "Alices-password-2").stdout == "Changed the password of alice.\n"
