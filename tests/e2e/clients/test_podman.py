"""podman: builds, pushes, pulls, searches; what it unpacks is compared file by file."""

from pathlib import Path

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.content import digest_of, read_tree, write_directory, write_tree
from tests.e2e.clients.programs import Program
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.relay import Relay

PLAIN = "--tls-verify=false"


@pytest.fixture
def podman(home: Path) -> Program:
    (home / "auth.json").write_text("{}")
    storage = ("--root", f"{home}/root", "--runroot", f"{home}/run", "--storage-driver=vfs")
    return Program.at(home, "podman", *storage, REGISTRY_AUTH_FILE=f"{home}/auth.json")


@pytest.fixture
def logged_in(podman: Program, registry: Registry) -> Program:
    log_in(podman, registry, registry.address)
    return podman


def log_in(podman: Program, registry: Registry, address: str) -> None:
    admin = registry.admin
    podman.succeeds(
        "login", PLAIN, "--username", admin.name, "--password-stdin", address, stdin=admin.password
    )


def tree_of(podman: Program, image: str) -> dict[str, bytes]:
    return read_tree(Path(podman.succeeds("image", "mount", image)))


def build(podman: Program, context: Path, name: str) -> dict[str, bytes]:
    """Builds an image of two layers and returns its files."""
    tree = dict(content.image().tree)
    write_tree(tree, context)
    (context / "Containerfile").write_text("FROM scratch\nCOPY etc /etc\nCOPY random.bin /\n")
    podman.succeeds("build", "--isolation=chroot", "--layers", "--quiet", "--tag", name, context)
    return tree


@pytest.mark.parametrize("kind", content.KINDS)
def test_what_is_pulled_is_what_was_pushed(
    logged_in: Program, registry: Registry, repository: str, kind: str
) -> None:
    image = registry.wire.push(repository, content.KINDS[kind](), "v1")
    for reference in (":v1", f"@{image.digest}"):
        name = f"{registry.address}/{repository}{reference}"
        assert f"sha256:{logged_in.succeeds('pull', '--quiet', PLAIN, name)}" == digest_of(
            image.native.config
        )
        assert tree_of(logged_in, name) == image.tree
        digests = logged_in.succeeds("image", "inspect", "--format", "{{.RepoDigests}}", name)
        assert image.digest in digests
        logged_in.succeeds("rmi", "--force", name)


@pytest.mark.parametrize("form", [("oci", "gzip"), ("oci", "zstd"), ("v2s2", "gzip")], ids="-".join)
def test_an_image_that_it_built_comes_back_whole(
    logged_in: Program, registry: Registry, repository: str, tmp_path: Path, form: tuple[str, str]
) -> None:
    format_, compression = form
    name = f"{registry.address}/{repository}:v1"
    tree = build(logged_in, tmp_path / "context", name)
    identity = logged_in.succeeds("image", "inspect", "--format", "{{.Id}}", name)
    digest_file = tmp_path / "digest"
    options = ("--format", format_, "--compression-format", compression, "--digestfile", digest_file)
    logged_in.succeeds("push", PLAIN, *options, name)

    pushed = registry.wire.fetch(repository, "v1")
    assert digest_file.read_text() == pushed.digest
    assert pushed.media_type == (content.OCI_MANIFEST if format_ == "oci" else content.DOCKER_MANIFEST)
    assert {layer["mediaType"][-4:] for layer in pushed.parsed["layers"]} == {compression}

    logged_in.succeeds("rmi", "--all", "--force")
    pulled = logged_in.succeeds("pull", "--quiet", PLAIN, name)
    assert f"sha256:{pulled}" == digest_of(pushed.config)
    assert format_ != "oci" or pulled == identity
    assert tree_of(logged_in, name) == tree


def test_a_list_of_platforms_is_pushed_whole(logged_in: Program, registry: Registry, repository: str) -> None:
    index = registry.wire.push(repository, content.index(), "source")
    mine = registry.wire.push(repository, content.image(), "mine")
    target = f"{registry.address}/{repository}:v1"
    logged_in.succeeds("manifest", "create", "list")
    for source in (f"{repository}:mine", f"{repository}@{index.children[1].digest}"):
        logged_in.succeeds("manifest", "add", PLAIN, "list", f"docker://{registry.address}/{source}")
    logged_in.succeeds("manifest", "push", PLAIN, "--all", "list", f"docker://{target}")

    pushed = registry.wire.fetch(repository, "v1")
    assert pushed.children == (mine, index.children[1])
    logged_in.succeeds("pull", "--quiet", PLAIN, target)
    assert tree_of(logged_in, target) == mine.tree


def test_login_tells_right_from_wrong(podman: Program, registry: Registry) -> None:
    login = ("login", PLAIN, "--username", registry.admin.name, "--password-stdin", registry.address)
    assert "invalid username/password" in podman.fails(*login, stdin="wrong")
    assert "Login Succeeded!" in podman.succeeds(*login, stdin=registry.admin.password)
    assert podman.succeeds("login", "--get-login", registry.address) == registry.admin.name


def test_a_public_image_needs_no_login_and_lets_nobody_push(
    podman: Program, registry: Registry, public_repository: str
) -> None:
    image = registry.wire.push(public_repository, content.image(), "v1")
    name = f"{registry.address}/{public_repository}:v1"
    podman.succeeds("pull", "--quiet", PLAIN, name)
    assert tree_of(podman, name) == image.tree
    assert "unauthorized" in podman.fails("push", PLAIN, name, f"{name}-mine")


def test_a_private_image_is_refused_without_login(
    podman: Program, registry: Registry, repository: str
) -> None:
    registry.wire.push(repository, content.image(size=1000), "v1")
    pull = ("pull", "--quiet", PLAIN, f"{registry.address}/{repository}:v1")
    assert "unauthorized" in podman.fails(*pull)
    stranger = f"{registry.stranger.name}:{registry.stranger.password}"
    assert "denied" in podman.fails(*pull, "--creds", stranger)


def test_search_finds_repositories_and_tags(logged_in: Program, registry: Registry, repository: str) -> None:
    registry.wire.push(repository, content.image(size=1000), "v1", "v2")
    listing = ("search", PLAIN, "--limit", "1000")
    found = logged_in.succeeds(*listing, "--format", "{{.Name}}", f"{registry.address}/{repository}")
    assert found.splitlines() == [f"{registry.address}/{repository}"]
    tags = logged_in.succeeds(*listing, "--list-tags", f"{registry.address}/{repository}")
    assert [line.split()[-1] for line in tags.splitlines()] == ["TAG", "v1", "v2"]


def test_layers_are_mounted_from_another_repository(
    podman: Program, registry: Registry, repository: str, relay: Relay, tmp_path: Path
) -> None:
    log_in(podman, registry, relay.address)
    image = content.image(size=3 << 20)
    pulled = podman.succeeds("pull", "--quiet", f"dir:{write_directory(image, tmp_path / 'source')}")
    podman.succeeds("push", PLAIN, pulled, f"{relay.address}/{repository}:v1")
    before = relay.traffic.sent
    assert before > 3 << 20

    podman.succeeds("push", PLAIN, pulled, f"{relay.address}/{repository}-again:v1")
    assert relay.traffic.sent - before < 64 << 10
    assert registry.wire.fetch(f"{repository}-again", "v1") == registry.wire.fetch(repository, "v1")
