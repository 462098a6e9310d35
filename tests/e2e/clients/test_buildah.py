"""buildah: makes images without a Containerfile, pushes and pulls them."""

from pathlib import Path

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.content import digest_of, read_tree, write_tree
from tests.e2e.clients.programs import Program
from tests.e2e.clients.registry import Registry

PLAIN = "--tls-verify=false"


@pytest.fixture
def buildah(home: Path) -> Program:
    (home / "auth.json").write_text("{}")
    storage = ("--root", f"{home}/root", "--runroot", f"{home}/run", "--storage-driver=vfs")
    return Program.at(home, "buildah", *storage, REGISTRY_AUTH_FILE=f"{home}/auth.json")


@pytest.fixture
def logged_in(buildah: Program, registry: Registry) -> Program:
    admin = registry.admin
    login = ("login", PLAIN, "--username", admin.name, "--password-stdin", registry.address)
    buildah.succeeds(*login, stdin=admin.password)
    return buildah


def tree_of(buildah: Program, image: str) -> dict[str, bytes]:
    container = buildah.succeeds("from", "--pull-never", image)
    return read_tree(Path(buildah.succeeds("mount", container)))


@pytest.mark.parametrize("kind", content.KINDS)
def test_what_is_pulled_is_what_was_pushed(
    logged_in: Program, registry: Registry, repository: str, kind: str
) -> None:
    image = registry.wire.push(repository, content.KINDS[kind](), "v1")
    name = f"{registry.address}/{repository}:v1"
    assert f"sha256:{logged_in.succeeds('pull', '--quiet', PLAIN, name)}" == digest_of(image.native.config)
    assert tree_of(logged_in, name) == image.tree


@pytest.mark.parametrize("form", ["oci", "docker"])
def test_an_image_that_it_made_comes_back_whole(
    logged_in: Program, registry: Registry, repository: str, tmp_path: Path, form: str
) -> None:
    name = f"{registry.address}/{repository}:v1"
    tree = content.image().tree
    container = logged_in.succeeds("from", "scratch")
    logged_in.succeeds("copy", "--quiet", container, write_tree(tree, tmp_path / "tree"), "/")
    identity = logged_in.succeeds("commit", "--quiet", "--format", form, container, name)
    digest_file = tmp_path / "digest"
    logged_in.succeeds("push", PLAIN, "--digestfile", digest_file, name)

    pushed = registry.wire.fetch(repository, "v1")
    assert pushed.digest == digest_file.read_text()
    assert digest_of(pushed.config) == f"sha256:{identity}"
    assert pushed.media_type == (content.OCI_MANIFEST if form == "oci" else content.DOCKER_MANIFEST)

    logged_in.succeeds("rmi", "--all", "--force")
    assert logged_in.succeeds("pull", "--quiet", PLAIN, name) == identity
    assert tree_of(logged_in, name) == tree


def test_a_list_of_platforms_is_pushed_whole(logged_in: Program, registry: Registry, repository: str) -> None:
    index = registry.wire.push(repository, content.index(docker=True), "source")
    source = f"docker://{registry.address}/{repository}:source"
    logged_in.succeeds("manifest", "create", "list")
    logged_in.succeeds("manifest", "add", PLAIN, "--all", "list", source)
    target = f"docker://{registry.address}/{repository}:v1"
    logged_in.succeeds("manifest", "push", PLAIN, "--all", "--format", "v2s2", "list", target)
    pushed = registry.wire.fetch(repository, "v1")
    assert pushed.media_type == content.DOCKER_LIST
    assert pushed.children == index.children


def test_login_tells_right_from_wrong(buildah: Program, registry: Registry) -> None:
    login = ("login", PLAIN, "--username", registry.admin.name, "--password-stdin", registry.address)
    assert "invalid username/password" in buildah.fails(*login, stdin="wrong")
    assert "Login Succeeded!" in buildah.succeeds(*login, stdin=registry.admin.password)


def test_a_public_image_needs_no_login(buildah: Program, registry: Registry, public_repository: str) -> None:
    image = registry.wire.push(public_repository, content.image(), "v1")
    name = f"{registry.address}/{public_repository}:v1"
    buildah.succeeds("pull", "--quiet", PLAIN, name)
    assert tree_of(buildah, name) == image.tree


def test_a_private_image_is_refused_without_login(
    buildah: Program, registry: Registry, repository: str
) -> None:
    registry.wire.push(repository, content.image(size=1000), "v1")
    assert "unauthorized" in buildah.fails("pull", "--quiet", PLAIN, f"{registry.address}/{repository}:v1")
