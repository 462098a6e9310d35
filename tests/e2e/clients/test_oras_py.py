"""oras (the Python client): files as artifacts, whole and in chunks, with subjects."""

import os
from pathlib import Path

import pytest
from oras.auth.utils import parse_auth_header
from oras.client import OrasClient
from oras.oci import Subject

from tests.e2e.clients import content
from tests.e2e.clients.content import digest_of
from tests.e2e.clients.registry import Registry

MIB = 1 << 20


def client_of(registry: Registry, backend: str = "token") -> OrasClient:
    client = OrasClient(hostname=registry.address, insecure=True, auth_backend=backend)
    client.auth.set_basic_auth(registry.admin.name, registry.admin.password)
    return client


def files_in(directory: Path) -> dict[str, bytes]:
    files = {"one.bin": os.urandom(5 * MIB + 1), "two.txt": b"two\n"}
    for name, file in files.items():
        (directory / name).write_bytes(file)
    return files


@pytest.mark.parametrize("chunk", [0, MIB], ids=["whole", "in chunks"])
def test_files_come_back_byte_for_byte(
    registry: Registry, repository: str, tmp_path: Path, chunk: int
) -> None:
    files = files_in(tmp_path)
    target = f"{registry.address}/{repository}:v1"
    answer = client_of(registry).push(
        target=target,
        files=[f"{tmp_path / name}:application/vnd.example.file" for name in files],
        disable_path_validation=True,
        do_chunked=bool(chunk),
        chunk_size=chunk or MIB,
        manifest_annotations={"org.example.note": "a test"},
        quiet=True,
    )
    pushed = registry.wire.fetch(repository, "v1")
    assert answer.headers["Docker-Content-Digest"] == pushed.digest
    assert pushed.blobs.keys() >= {digest_of(file) for file in files.values()}

    pulled = client_of(registry).pull(target=target, outdir=str(tmp_path / "pulled"))
    assert {Path(path).name: Path(path).read_bytes() for path in pulled} == files
    manifest = client_of(registry).get_manifest(target)
    assert manifest == pushed.parsed
    assert manifest["annotations"] == {"org.example.note": "a test"}


def test_an_artifact_with_a_subject_is_listed_as_its_referrer(
    registry: Registry, repository: str, tmp_path: Path
) -> None:
    image = registry.wire.push(repository, content.image(size=1000), "v1")
    (tmp_path / "sbom.json").write_text("{}")
    answer = client_of(registry).push(
        target=f"{registry.address}/{repository}:sbom",
        files=[f"{tmp_path}/sbom.json:application/spdx+json"],
        disable_path_validation=True,
        subject=Subject(**image.descriptor()),
        quiet=True,
    )
    assert answer.headers["OCI-Subject"] == image.digest
    referrers = registry.wire.referrers(repository, image.digest)
    assert [each["digest"] for each in referrers] == [registry.wire.fetch(repository, "sbom").digest]


def test_tags_are_listed_in_pages_and_deleted(registry: Registry, repository: str) -> None:
    for number in range(5):
        registry.wire.push(repository, content.image(size=1000), f"v{number}")
    client = client_of(registry)
    target = f"{registry.address}/{repository}"
    assert client.get_tags(target) == ["v0", "v1", "v2", "v3", "v4"]
    assert client.get_tags(target, N=2) == ["v0", "v1"]
    # Its token flow keeps the first token it gets, which never allows deletion.
    assert client_of(registry, "basic").delete_tags(target, ["v3"]) == ["v3"]
    assert client.get_tags(target) == ["v0", "v1", "v2", "v4"]


def test_a_wrong_password_gets_no_token(registry: Registry, repository: str) -> None:
    client = OrasClient(hostname=registry.address, insecure=True)
    refused = client.session.get(f"http://{registry.address}/v2/{repository}/tags/list")
    challenge = parse_auth_header(refused.headers["Www-Authenticate"])
    client.auth.set_basic_auth(registry.admin.name, "wrong")
    assert client.auth.request_token(challenge) is None
    client.auth.set_basic_auth(registry.admin.name, registry.admin.password)
    assert client.auth.request_token(challenge)


def test_a_public_artifact_needs_no_login(registry: Registry, public_repository: str, tmp_path: Path) -> None:
    stored = registry.wire.push(
        public_repository, content.artifact("application/vnd.example", [b"file"]), "v1"
    )
    client = OrasClient(hostname=registry.address, insecure=True)
    target = f"{registry.address}/{public_repository}:v1"
    assert client.get_manifest(target) == stored.parsed
    pulled = client.pull(target=target, outdir=str(tmp_path))
    assert [Path(path).read_bytes() for path in pulled] == [b"file"]


def test_a_private_artifact_is_refused_without_login(registry: Registry, repository: str) -> None:
    registry.wire.push(repository, content.artifact("application/vnd.example", [b"file"]), "v1")
    client = OrasClient(hostname=registry.address, insecure=True)
    with pytest.raises(ValueError, match="Unauthorized"):
        client.get_manifest(f"{registry.address}/{repository}:v1")
