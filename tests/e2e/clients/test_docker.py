"""docker: the daemon pushes and pulls, the command line makes manifest lists."""

import json
from pathlib import Path

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.content import digest_of, write_tree
from tests.e2e.clients.programs import Program
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.relay import Relay
from tests.e2e.clients.wire import Account

KINDS = [kind for kind in content.KINDS if "zstd" not in kind]  # dockerd unpacks zstd from 23.0 on


@pytest.fixture
def docker(dockerd: Path, home: Path) -> Program:
    settings = {"DOCKER_HOST": f"unix://{dockerd}", "DOCKER_CONFIG": str(home), "DOCKER_BUILDKIT": "0"}
    return Program.at(home, "docker", **settings)


@pytest.fixture
def logged_in(docker: Program, registry: Registry) -> Program:
    log_in(docker, registry.admin, registry.address)
    return docker


def log_in(docker: Program, account: Account, address: str) -> None:
    docker.succeeds("login", "--username", account.name, "--password-stdin", address, stdin=account.password)


def build(docker: Program, context: Path, *names: str, size: int = 1 << 20) -> dict[str, bytes]:
    """Builds an image of two layers and returns its files."""
    tree = dict(content.image(size=size).tree)
    write_tree(tree, context)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY etc /etc\nCOPY random.bin /\nCMD /nothing\n")
    docker.succeeds("build", "--quiet", *(f"--tag={name}" for name in names), context)
    return tree


def tree_of(docker: Program, image: str, names: set[str], directory: Path) -> dict[str, bytes]:
    container = docker.succeeds("create", image)
    directory.mkdir()
    for number, name in enumerate(names):
        docker.succeeds("cp", f"{container}:/{name}", directory / str(number))
    docker.succeeds("rm", container)
    return {name: (directory / str(number)).read_bytes() for number, name in enumerate(names)}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_pulled_is_what_was_pushed(
    logged_in: Program, registry: Registry, repository: str, tmp_path: Path, kind: str
) -> None:
    image = registry.wire.push(repository, content.KINDS[kind](), "v1")
    name = f"{registry.address}/{repository}:v1"
    logged_in.succeeds("pull", "--quiet", name)
    inspected = json.loads(logged_in.succeeds("image", "inspect", name))[0]
    assert inspected["Id"] == digest_of(image.native.config)
    assert inspected["RepoDigests"] == [f"{registry.address}/{repository}@{image.digest}"]
    assert tree_of(logged_in, name, set(image.tree), tmp_path / "tree") == image.tree


def test_all_tags_are_pulled_at_once(logged_in: Program, registry: Registry, repository: str) -> None:
    images = {
        tag: registry.wire.push(repository, content.image(size=1000), tag) for tag in ("v1", "v2", "v3")
    }
    name = f"{registry.address}/{repository}"
    logged_in.succeeds("pull", "--quiet", "--all-tags", name)
    listed = logged_in.succeeds("images", "--no-trunc", "--format", "{{.Tag}} {{.ID}}", name)
    pulled = dict(line.split() for line in listed.splitlines())
    assert pulled == {tag: digest_of(image.config) for tag, image in images.items()}


def test_an_image_that_it_built_comes_back_whole(
    logged_in: Program, registry: Registry, repository: str, tmp_path: Path
) -> None:
    name = f"{registry.address}/{repository}:v1"
    tree = build(logged_in, tmp_path / "context", name)
    identity = logged_in.succeeds("image", "inspect", "--format", "{{.Id}}", name)
    said = logged_in.succeeds("push", name)

    pushed = registry.wire.fetch(repository, "v1")
    assert f"v1: digest: {pushed.digest} size: {len(pushed.manifest)}" in said
    assert pushed.media_type == content.DOCKER_MANIFEST
    assert digest_of(pushed.config) == identity

    logged_in.succeeds("rmi", name)
    logged_in.succeeds("pull", "--quiet", f"{registry.address}/{repository}@{pushed.digest}")
    assert tree_of(logged_in, identity, set(tree), tmp_path / "tree") == tree


def test_a_manifest_list_is_pushed_whole(logged_in: Program, registry: Registry, repository: str) -> None:
    images = [
        registry.wire.push(repository, content.image(docker=True, architecture=architecture), architecture)
        for architecture in ("amd64", "arm64")
    ]
    names = [f"{registry.address}/{repository}:{architecture}" for architecture in ("amd64", "arm64")]
    target = f"{registry.address}/{repository}:v1"
    logged_in.succeeds("manifest", "create", "--insecure", target, *names)
    digest = logged_in.succeeds("manifest", "push", "--insecure", target).splitlines()[-1]

    pushed = registry.wire.fetch(repository, "v1")
    assert pushed.digest == digest
    assert pushed.media_type == content.DOCKER_LIST
    assert pushed.children == tuple(images)
    logged_in.succeeds("pull", "--quiet", "--platform", "linux/arm64", target)
    arm = logged_in.succeeds("image", "inspect", "--format", "{{.Id}}", target)
    assert arm == digest_of(images[1].config)


def test_layers_are_mounted_from_another_repository(
    docker: Program, registry: Registry, repository: str, relay: Relay, tmp_path: Path
) -> None:
    log_in(docker, registry.admin, relay.address)
    first, second = (f"{relay.address}/{name}:v1" for name in (repository, f"{repository}-again"))
    build(docker, tmp_path / "context", first, second, size=3 << 20)
    assert "Pushed" in docker.succeeds("push", first)
    before = relay.traffic.sent
    assert before > 3 << 20

    said = docker.succeeds("push", second)
    assert said.count(f"Mounted from {repository}") == 2
    assert relay.traffic.sent - before < 64 << 10
    assert registry.wire.fetch(f"{repository}-again", "v1") == registry.wire.fetch(repository, "v1")
    assert docker.succeeds("push", second).count("Layer already exists") == 2


def test_a_pull_that_is_cut_goes_on_where_it_was(
    docker: Program, registry: Registry, repository: str, relay: Relay, tmp_path: Path
) -> None:
    image = registry.wire.push(repository, content.image(size=8 << 20), "v1")
    name = f"{relay.address}/{repository}:v1"
    log_in(docker, registry.admin, relay.address)
    relay.cut(times=1, after=4 << 20)
    docker.succeeds("pull", "--quiet", name)
    assert relay.traffic.cuts_left == 0
    assert b"\r\nRange: bytes=" in relay.traffic.requests
    assert tree_of(docker, name, set(image.tree), tmp_path / "tree") == image.tree


def test_login_tells_right_from_wrong(docker: Program, registry: Registry) -> None:
    login = ("login", "--username", registry.admin.name, "--password-stdin", registry.address)
    assert "unauthorized" in docker.fails(*login, stdin="wrong")
    assert "Login Succeeded" in docker.succeeds(*login, stdin=registry.admin.password)


def test_a_public_image_needs_no_login_and_lets_nobody_push(
    docker: Program, registry: Registry, public_repository: str
) -> None:
    image = registry.wire.push(public_repository, content.image(), "v1")
    name = f"{registry.address}/{public_repository}:v1"
    docker.succeeds("pull", "--quiet", name)
    assert docker.succeeds("image", "inspect", "--format", "{{.Id}}", name) == digest_of(image.config)

    docker.succeeds("tag", name, f"{name}-mine")
    assert "denied" in docker.fails("push", f"{name}-mine")
    assert registry.wire.tags(public_repository) == ["v1"]


def test_a_private_image_is_refused_without_login(
    docker: Program, registry: Registry, repository: str
) -> None:
    registry.wire.push(repository, content.image(size=1000), "v1")
    pull = ("pull", f"{registry.address}/{repository}:v1")
    assert "denied" in docker.fails(*pull)
    log_in(docker, registry.stranger, registry.address)
    assert "denied" in docker.fails(*pull)
