"""The data directory: one user at a time, secrets that stay and that nobody else reads."""

import os
import stat
from dataclasses import astuple
from pathlib import Path

import pytest

from cli.datadir import open_data_directory
from cli.programs import Program, StartError, start


def test_secrets_stay_the_same_and_are_private(tmp_path: Path) -> None:
    with open_data_directory(tmp_path / "data", None) as data:
        first, password = data.secrets(), data.admin_password()
    with open_data_directory(tmp_path / "data", None) as data:
        assert (data.secrets(), data.admin_password()) == (first, password)
    assert len(set(astuple(first))) == 4
    for file in (tmp_path / "data").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_second_user_is_refused(tmp_path: Path) -> None:
    with (
        open_data_directory(tmp_path, None),
        pytest.raises(StartError, match=f"in use by process {os.getpid()}"),
        open_data_directory(tmp_path, None),
    ):
        pass


def test_it_stays_locked_while_a_child_lives(tmp_path: Path) -> None:
    with open_data_directory(tmp_path, None) as data:
        child = start(Program(name="child", arguments=["/bin/sleep", "600"], inherited=(data.lock,)))
    with child:
        with pytest.raises(StartError), open_data_directory(tmp_path, None):
            pass
        child.kill()
    with open_data_directory(tmp_path, None):
        pass


def test_a_database_without_its_secrets_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with (
        open_data_directory(tmp_path, None) as data,
        pytest.raises(StartError, match=r"secrets\.json is missing"),
    ):
        data.secrets()


def test_an_unusable_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StartError, match="cannot be used"),
        open_data_directory(tmp_path / "file" / "data", None),
    ):
        pass


@pytest.mark.parametrize("name", ["d" * 100, "with space"])
def test_sockets_lie_elsewhere_when_the_path_does_not_do(tmp_path: Path, name: str) -> None:
    with open_data_directory(tmp_path / name, None) as data:
        sockets = data.sockets
        try:
            assert tmp_path not in sockets.parents
            assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        finally:
            sockets.rmdir()


def test_sockets_do_not_go_where_somebody_else_put_a_link(tmp_path: Path) -> None:
    with open_data_directory(tmp_path / "with space", None) as data:
        sockets = data.sockets
        sockets.rmdir()
        sockets.symlink_to(tmp_path)
        try:
            with pytest.raises(StartError, match="belongs to somebody else"):
                _ = data.sockets
        finally:
            sockets.unlink()
