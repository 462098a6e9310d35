"""skopeo: copies between a directory and the registry, which keep every byte."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.content import Content, read_directory, write_directory
from tests.e2e.clients.programs import Program
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.relay import Relay
from tests.e2e.clients.wire import Account

KINDS: dict[str, Callable[[], Content]] = {
    **content.KINDS,
    "oci plain": lambda: content.image(compression=""),
    "oci index zstd": lambda: content.index(compression="zstd"),
}
COPY = ("copy", "--all", "--preserve-digests")
TO_PLAIN, FROM_PLAIN = "--dest-tls-verify=false", "--src-tls-verify=false"


@pytest.fixture
def skopeo(tmp_path: Path) -> Program:
    return Program.at(tmp_path, "skopeo", REGISTRY_AUTH_FILE=str(tmp_path / "auth.json"))


def credentials(account: Account) -> str:
    return f"{account.name}:{account.password}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_that_is_pushed_is_pulled(
    skopeo: Program, registry: Registry, repository: str, tmp_path: Path, kind: str
) -> None:
    image = KINDS[kind]()
    source, copy = write_directory(image, tmp_path / "source"), tmp_path / "copy"
    reference = f"docker://{registry.address}/{repository}:v1"
    digest_file = tmp_path / "digest"
    identity = credentials(registry.admin)

    skopeo.succeeds(
        *COPY, TO_PLAIN, "--dest-creds", identity, "--digestfile", digest_file, f"dir:{source}", reference
    )
    assert digest_file.read_text() == image.digest
    assert registry.wire.fetch(repository, "v1") == image

    skopeo.succeeds(*COPY, FROM_PLAIN, "--src-creds", identity, reference, f"dir:{copy}")
    assert read_directory(copy) == image
    raw = skopeo.succeeds("inspect", "--tls-verify=false", "--creds", identity, "--raw", reference)
    assert raw.encode() == image.manifest


def test_layers_that_it_compresses_with_zstd_come_back_whole(
    skopeo: Program, registry: Registry, repository: str, tmp_path: Path
) -> None:
    image = content.image(compression="")
    source, copy = write_directory(image, tmp_path / "source"), tmp_path / "copy"
    reference = f"docker://{registry.address}/{repository}:v1"
    identity = credentials(registry.admin)

    zstd = ("--dest-compress-format", "zstd", "--format", "oci")
    skopeo.succeeds("copy", TO_PLAIN, "--dest-creds", identity, *zstd, f"dir:{source}", reference)
    pushed = registry.wire.fetch(repository, "v1")
    assert {layer["mediaType"] for layer in pushed.parsed["layers"]} == {f"{content.OCI_LAYER}+zstd"}

    skopeo.succeeds(*COPY, FROM_PLAIN, "--src-creds", identity, reference, f"dir:{copy}")
    assert read_directory(copy) == pushed
    plain = ("--dest-decompress", "--format", "oci")
    skopeo.succeeds("copy", FROM_PLAIN, "--src-creds", identity, *plain, reference, f"dir:{tmp_path}/plain")
    assert read_directory(tmp_path / "plain").layers() == image.layers()


def test_an_artifact_and_what_refers_to_it_are_copied(
    skopeo: Program, registry: Registry, repository: str, tmp_path: Path
) -> None:
    image = registry.wire.push(repository, content.image(), "v1")
    signature = content.artifact("application/vnd.example.signature", [b"signed"], subject=image)
    source = write_directory(signature, tmp_path / "source")

    target = f"docker://{registry.address}/{repository}:signature"
    identity = credentials(registry.admin)
    skopeo.succeeds(*COPY, TO_PLAIN, "--dest-creds", identity, f"dir:{source}", target)
    skopeo.succeeds(*COPY, FROM_PLAIN, "--src-creds", identity, target, f"dir:{tmp_path}/copy")

    assert read_directory(tmp_path / "copy") == signature
    expected = signature.descriptor() | {"artifactType": "application/vnd.example.signature"}
    assert registry.wire.referrers(repository, image.digest) == [expected]


def test_a_docker_list_that_it_converts_is_pushed_whole(
    skopeo: Program, registry: Registry, repository: str, tmp_path: Path
) -> None:
    docker = content.index(docker=True)
    source = write_directory(docker, tmp_path / "source")
    target = f"docker://{registry.address}/{repository}:v1"
    access = (TO_PLAIN, "--dest-creds", credentials(registry.admin))
    skopeo.succeeds("copy", "--all", "--format", "oci", *access, f"dir:{source}", target)

    converted = registry.wire.fetch(repository, "v1")
    assert converted.media_type == content.OCI_INDEX
    for before, after in zip(docker.children, converted.children, strict=True):
        assert after.media_type == content.OCI_MANIFEST
        assert after.layers() == before.layers()


def test_login_tells_right_from_wrong(
    skopeo: Program, registry: Registry, repository: str, tmp_path: Path
) -> None:
    login = (
        "login",
        "--tls-verify=false",
        "--username",
        registry.admin.name,
        "--password-stdin",
        registry.address,
    )
    assert "invalid username/password" in skopeo.fails(*login, stdin="wrong")
    assert "Login Succeeded!" in skopeo.succeeds(*login, stdin=registry.admin.password)

    image = content.image(size=1000)
    source = write_directory(image, tmp_path / "source")
    skopeo.succeeds("copy", TO_PLAIN, f"dir:{source}", f"docker://{registry.address}/{repository}:v1")
    assert registry.wire.fetch(repository, "v1") == image

    skopeo.succeeds("logout", registry.address)
    inspect = ("inspect", "--tls-verify=false", f"docker://{registry.address}/{repository}:v1")
    assert "unauthorized" in skopeo.fails(*inspect)


def test_a_public_image_needs_no_login_and_lets_nobody_push(
    skopeo: Program, registry: Registry, public_repository: str, tmp_path: Path
) -> None:
    image = registry.wire.push(public_repository, content.index(), "v1")
    reference = f"docker://{registry.address}/{public_repository}"
    skopeo.succeeds(*COPY, FROM_PLAIN, f"{reference}:v1", f"dir:{tmp_path}/copy")
    assert read_directory(tmp_path / "copy") == image

    push = (*COPY, TO_PLAIN, f"dir:{tmp_path}/copy", f"{reference}:v2")
    assert "unauthorized" in skopeo.fails(*push)
    assert "denied" in skopeo.fails(*push, "--dest-creds", credentials(registry.stranger))
    assert registry.wire.tags(public_repository) == ["v1"]


def test_a_private_image_is_as_unknown_to_others_as_one_that_is_not_there(
    skopeo: Program, registry: Registry, repository: str
) -> None:
    registry.wire.push(repository, content.image(size=1000), "v1")
    inspect = ("inspect", "--tls-verify=false")
    there, missing = (f"docker://{registry.address}/{name}:v1" for name in (repository, "private/missing"))

    for identity in ((), ("--creds", credentials(registry.stranger))):
        refusals = [skopeo.fails(*inspect, *identity, each) for each in (there, missing)]
        reasons = [refusal.partition("level=")[2] for refusal in refusals]
        assert reasons[0].replace(repository, "") == reasons[1].replace("private/missing", "")
        assert "manifest unknown" not in reasons[0]


def test_tags_are_listed_and_deleted(skopeo: Program, registry: Registry, repository: str) -> None:
    kept = registry.wire.push(repository, content.image(size=1000), "kept")
    registry.wire.push(repository, content.image(size=1000), "gone")
    reference = f"docker://{registry.address}/{repository}"
    access = ("--tls-verify=false", "--creds", credentials(registry.admin))

    assert json.loads(skopeo.succeeds("list-tags", *access, reference))["Tags"] == ["gone", "kept"]
    skopeo.succeeds("delete", *access, f"{reference}:gone")
    assert json.loads(skopeo.succeeds("list-tags", *access, reference))["Tags"] == ["kept"]
    assert "manifest unknown" in skopeo.fails("inspect", *access, f"{reference}:gone")
    assert registry.wire.fetch(repository, "kept") == kept


def test_layers_are_mounted_from_another_repository(
    skopeo: Program, registry: Registry, repository: str, relay: Relay, tmp_path: Path
) -> None:
    image = content.image(size=3 << 20)
    source = write_directory(image, tmp_path / "source")
    push = (*COPY, TO_PLAIN, "--dest-creds", credentials(registry.admin), f"dir:{source}")
    skopeo.succeeds(*push, f"docker://{relay.address}/{repository}:v1")
    before = relay.traffic.sent
    assert before > 3 << 20

    skopeo.succeeds(*push, f"docker://{relay.address}/{repository}-again:v1")
    assert relay.traffic.sent - before < 64 << 10
    assert registry.wire.fetch(f"{repository}-again", "v1") == image


def test_a_name_of_one_word_belongs_to_the_project_library(
    skopeo: Program, registry: Registry, tmp_path: Path
) -> None:
    image = content.image(size=1000)
    source = write_directory(image, tmp_path / "source")
    access = (TO_PLAIN, "--dest-creds", credentials(registry.admin))
    skopeo.succeeds("copy", *access, f"dir:{source}", f"docker://{registry.address}/skopeo-short:v1")
    for name in ("skopeo-short", "library/skopeo-short"):
        assert registry.wire.fetch(name, "v1") == image


def test_a_directory_of_tags_is_synchronised(
    skopeo: Program, registry: Registry, repository: str, tmp_path: Path
) -> None:
    images = {tag: registry.wire.push(repository, content.image(size=1000), tag) for tag in ("v1", "v2")}
    access = ("--src-tls-verify=false", "--src-creds", credentials(registry.admin))
    skopeo.succeeds(
        "sync", *access, "--src", "docker", "--dest", "dir", f"{registry.address}/{repository}", tmp_path
    )
    name = repository.rpartition("/")[2]
    assert {tag: read_directory(tmp_path / f"{name}:{tag}") for tag in images} == images
