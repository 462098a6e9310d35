"""dxf: keeps files in a registry; it gives its password to nobody without TLS."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from dxf import DXF, DXFBase
from dxf.exceptions import DXFUnauthorizedError

from tests.e2e.clients import content
from tests.e2e.clients.content import digest_of
from tests.e2e.clients.tls import Secured
from tests.e2e.clients.wire import Account

Authenticate = Callable[[DXFBase, requests.Response], None]
MIB = 1 << 20


def as_(account: Account) -> Authenticate:
    def authenticate(dxf: DXFBase, response: requests.Response) -> None:
        dxf.authenticate(account.name, account.password, response=response)

    return authenticate


def as_nobody(dxf: DXFBase, response: requests.Response) -> None:
    dxf.authenticate(response=response)


def client(secured: Secured, repository: str, authenticate: Authenticate | None = None) -> DXF:
    return DXF(
        secured.address,
        repository,
        authenticate or as_(secured.registry.admin),
        tlsverify=str(secured.certificate),
    )


def pull(dxf: DXF, digest: str) -> bytes:
    chunks = dxf.pull_blob(digest, chunk_size=MIB)
    assert not isinstance(chunks, tuple)  # it would be one with size=True
    return b"".join(chunks)


def test_files_come_back_byte_for_byte(secured: Secured, repository: str, tmp_path: Path) -> None:
    files = [os.urandom(3 * MIB), b"small"]
    for number, file in enumerate(files):
        (tmp_path / str(number)).write_bytes(file)
    with client(secured, repository) as dxf:
        digests = [dxf.push_blob(str(tmp_path / str(number))) for number in range(len(files))]
        manifest = dxf.set_alias("files", *digests)
        assert dxf.get_manifest("files") == manifest
        assert dxf.get_alias("files") == digests
        pulled = [pull(dxf, digest) for digest in digests]

    assert digests == [digest_of(file) for file in files]
    assert pulled == files
    stored = secured.registry.wire.fetch(repository, "files")
    assert stored.manifest == manifest.encode()
    assert stored.layers() == files


def test_a_stream_of_unknown_length_is_taken(secured: Secured, repository: str) -> None:
    pieces = [os.urandom(100_000) for _ in range(20)]
    digest = digest_of(b"".join(pieces))
    with client(secured, repository) as dxf:
        assert dxf.push_blob(data=iter(pieces), digest=digest) == digest
        assert dxf.blob_size(digest) == 2_000_000
    assert secured.registry.wire.blob(repository, digest) == b"".join(pieces)


def test_each_platform_of_an_index_is_read(secured: Secured, repository: str) -> None:
    index = secured.registry.wire.push(repository, content.index(), "v1")
    manifests = client(secured, repository).get_manifest("v1")
    assert isinstance(manifests, dict)
    assert [manifest.encode() for manifest in manifests.values()] == [
        child.manifest for child in index.children
    ]
    digest, _ = client(secured, repository).head_manifest_and_response("v1")
    assert digest == index.digest


def test_a_blob_is_mounted_from_another_repository(secured: Secured, repository: str) -> None:
    image = secured.registry.wire.push(repository, content.image(size=1000), "v1")
    with client(secured, f"{repository}-again") as dxf:
        for digest in image.blobs:
            assert dxf.mount_blob(repository, digest) == digest
    assert {secured.registry.wire.blob(f"{repository}-again", digest) for digest in image.blobs} == set(
        image.blobs.values()
    )


def test_tags_are_listed_in_pages_and_deleted(secured: Secured, repository: str) -> None:
    for number in range(5):
        secured.registry.wire.push(repository, content.image(size=1000), f"v{number}")
    with client(secured, repository) as dxf:
        assert list(dxf.list_aliases(batch_size=2, iterate=True)) == ["v0", "v1", "v2", "v3", "v4"]
        dxf.del_alias("v3")
        assert dxf.list_aliases() == ["v0", "v1", "v2", "v4"]


def test_repositories_are_listed_in_pages(secured: Secured, repository: str) -> None:
    names = [f"{repository}/{letter}" for letter in "cab"]
    for name in names:
        secured.registry.wire.push(name, content.image(size=1000), "v1")
    base = DXFBase(secured.address, as_(secured.registry.admin), tlsverify=str(secured.certificate))
    listed = [name for name in base.list_repos(batch_size=2) if name.startswith(f"{repository}/")]
    assert listed == sorted(names)


def test_a_wrong_password_is_refused(secured: Secured, repository: str) -> None:
    wrong = as_(Account(secured.registry.admin.name, "wrong"))
    with pytest.raises(DXFUnauthorizedError):
        client(secured, repository, wrong).list_aliases()


def test_only_public_content_is_open_to_nobody(
    secured: Secured, repository: str, public_repository: str
) -> None:
    image = secured.registry.wire.push(public_repository, content.image(size=1000), "v1")
    secured.registry.wire.push(repository, content.image(size=1000), "v1")
    assert client(secured, public_repository, as_nobody).get_manifest("v1") == image.manifest.decode()
    with pytest.raises(DXFUnauthorizedError):
        client(secured, repository, as_nobody).get_manifest("v1")
