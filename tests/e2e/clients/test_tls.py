"""A registry behind a proxy that speaks TLS: every URL that it gives out must lead back through the proxy."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.content import read_directory, write_directory
from tests.e2e.clients.programs import Program
from tests.e2e.clients.tls import Secured


@pytest.fixture
def skopeo(tmp_path: Path, secured: Secured) -> Program:
    """skopeo, logged in through TLS."""
    authorities = tmp_path / "authorities"
    authorities.mkdir()
    shutil.copy(secured.certificate, authorities)
    program = Program.at(tmp_path, "skopeo", REGISTRY_AUTH_FILE=str(tmp_path / "auth.json"))
    admin = secured.registry.admin
    login = (
        "login",
        "--cert-dir",
        authorities,
        "--username",
        admin.name,
        "--password-stdin",
        secured.address,
    )
    program.succeeds(*login, stdin=admin.password)
    return program


def test_an_index_is_pushed_and_pulled(
    skopeo: Program, secured: Secured, repository: str, tmp_path: Path
) -> None:
    index = content.index()
    source, copy = write_directory(index, tmp_path / "source"), tmp_path / "copy"
    reference = f"docker://{secured.address}/{repository}:v1"
    trust = tmp_path / "authorities"
    skopeo.succeeds("copy", "--all", "--dest-cert-dir", trust, f"dir:{source}", reference)
    assert secured.registry.wire.fetch(repository, "v1") == index
    skopeo.succeeds("copy", "--all", "--src-cert-dir", trust, reference, f"dir:{copy}")
    assert read_directory(copy) == index
