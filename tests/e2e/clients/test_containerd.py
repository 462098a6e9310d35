"""containerd: its content store keeps every byte, so that each can be compared."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.content import Content, digest_of, read_tree, write_layout_archive
from tests.e2e.clients.programs import Program
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.relay import Relay
from tests.e2e.clients.wire import Account

PULL = ("images", "pull", "--plain-http", "--snapshotter", "native")
PUSH = ("images", "push", "--plain-http")


@pytest.fixture
def ctr(containerd: Path, tmp_path: Path) -> Program:
    """ctr in a namespace of its own."""
    return Program.at(tmp_path, "ctr", "--address", str(containerd), "--namespace", tmp_path.name)


def user(account: Account) -> tuple[str, str]:
    return "--user", f"{account.name}:{account.password}"


def stored(ctr: Program, image: Content) -> set[str]:
    """Reads everything below an image, and names it by the digests of what came."""
    read = [
        subprocess.run(
            [*ctr.command, "content", "get", digest], env=ctr.environment, capture_output=True, check=True
        )
        for digest in image.files()
    ]
    return {digest_of(done.stdout) for done in read}


def tree_of(ctr: Program, image: str, directory: Path) -> dict[str, bytes]:
    directory.mkdir()
    ctr.succeeds("images", "mount", "--snapshotter", "native", image, directory)
    try:
        return read_tree(directory)
    finally:
        ctr.succeeds("images", "unmount", "--rm", directory)


@pytest.mark.parametrize("kind", content.KINDS)
def test_every_byte_of_what_was_pushed_is_pulled(
    ctr: Program, registry: Registry, repository: str, tmp_path: Path, kind: str
) -> None:
    image = registry.wire.push(repository, content.KINDS[kind](), "v1")
    name = f"{registry.address}/{repository}:v1"
    ctr.succeeds(*PULL, *user(registry.admin), "--all-platforms", name)
    assert stored(ctr, image) == set(image.files())
    assert tree_of(ctr, name, tmp_path / "tree") == image.tree


@pytest.mark.parametrize("kind", content.KINDS)
def test_every_byte_that_it_pushes_arrives(
    ctr: Program, registry: Registry, repository: str, tmp_path: Path, kind: str
) -> None:
    image = content.KINDS[kind]()
    name = f"{registry.address}/{repository}:v1"
    archive = write_layout_archive(image, tmp_path / "image.tar", name)
    ctr.succeeds("images", "import", "--all-platforms", "--snapshotter", "native", archive)
    ctr.succeeds(*PUSH, *user(registry.admin), name)
    assert registry.wire.fetch(repository, "v1") == image


def test_layers_are_mounted_from_another_repository(
    ctr: Program, registry: Registry, repository: str, relay: Relay
) -> None:
    image = registry.wire.push(repository, content.image(size=3 << 20), "v1")
    source, target = (f"{relay.address}/{name}:v1" for name in (repository, f"{repository}-again"))
    ctr.succeeds(*PULL, *user(registry.admin), source)
    ctr.succeeds("images", "tag", source, target)
    before = relay.traffic.sent
    ctr.succeeds(*PUSH, *user(registry.admin), target)
    assert relay.traffic.sent - before < 64 << 10
    assert registry.wire.fetch(f"{repository}-again", "v1") == image


def test_a_pull_that_is_cut_goes_on_where_it_was(
    ctr: Program, registry: Registry, repository: str, relay: Relay
) -> None:
    image = registry.wire.push(repository, content.image(size=8 << 20), "v1")
    relay.cut(times=1, after=4 << 20)
    ctr.succeeds(*PULL, *user(registry.admin), f"{relay.address}/{repository}:v1")
    assert relay.traffic.cuts_left == 0
    assert b"\r\nRange: bytes=" in relay.traffic.requests
    assert stored(ctr, image) == set(image.files())


def test_the_registry_serves_as_a_mirror_of_another(
    ctr: Program, registry: Registry, public_repository: str, tmp_path: Path
) -> None:
    image = registry.wire.push(public_repository, content.index(), "v1")
    hosts = tmp_path / "registry.example.org" / "hosts.toml"
    hosts.parent.mkdir()
    hosts.write_text(f'[host."http://{registry.address}"]\ncapabilities = ["pull", "resolve"]\n')
    mirrored = ("--hosts-dir", tmp_path, "--all-platforms", f"registry.example.org/{public_repository}:v1")
    ctr.succeeds("images", "pull", "--snapshotter", "native", *mirrored)
    assert stored(ctr, image) == set(image.files())


def test_a_public_image_needs_no_login_and_lets_nobody_push(
    ctr: Program, registry: Registry, public_repository: str
) -> None:
    image = registry.wire.push(public_repository, content.image(), "v1")
    name = f"{registry.address}/{public_repository}:v1"
    ctr.succeeds(*PULL, name)
    assert stored(ctr, image) == set(image.files())
    ctr.succeeds("images", "tag", name, f"{name}-mine")
    ctr.fails(*PUSH, f"{name}-mine")
    assert registry.wire.tags(public_repository) == ["v1"]


def test_a_private_image_needs_the_right_password(ctr: Program, registry: Registry, repository: str) -> None:
    registry.wire.push(repository, content.image(size=1000), "v1")
    pull = (*PULL, f"{registry.address}/{repository}:v1")
    assert "authorization failed" in ctr.fails(*pull)
    assert "401 Unauthorized" in ctr.fails(*PULL, "--user", "admin:wrong", pull[-1])
    assert "authorization failed" in ctr.fails(*PULL, *user(registry.stranger), pull[-1])
    ctr.succeeds(*PULL, *user(registry.admin), pull[-1])
