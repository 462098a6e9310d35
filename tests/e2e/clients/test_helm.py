"""Helm's own library: charts as OCI artifacts."""

import contextlib
import gzip
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helm_python.errors import HelmError
from helm_python.registry import RegistryClient

from tests.e2e.clients.content import digest_of, tar_of
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.wire import Account

CONFIG_TYPE = "application/vnd.cncf.helm.config.v1+json"
LAYER_TYPE = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


Clients = Callable[[], RegistryClient]


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Clients]:
    """Makes clients that know no password and no token yet."""
    with contextlib.ExitStack() as stack:
        files = (tmp_path / f"credentials-{number}.json" for number in itertools.count())
        yield lambda: stack.enter_context(RegistryClient(plain_http=True, credentials_file=next(files)))


@pytest.fixture
def helm(clients: Clients, registry: Registry) -> RegistryClient:
    client = clients()
    log_in(client, registry.admin, registry.address)
    return client


def log_in(helm: RegistryClient, account: Account, address: str) -> None:
    helm.login(address, account.name, account.password, plain_http=True, insecure=True)


def chart(directory: Path, version: str) -> Path:
    """Makes a chart's archive, `app-VERSION.tgz`."""
    files = {
        "app/Chart.yaml": f"apiVersion: v2\nname: app\nversion: {version}\ndescription: a test\n".encode(),
        "app/values.yaml": b"replicas: 1\n",
        "app/templates/map.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\n",
    }
    archive = directory / f"app-{version}.tgz"
    archive.write_bytes(gzip.compress(tar_of(files)))
    return archive


def test_a_chart_comes_back_byte_for_byte(
    helm: RegistryClient, registry: Registry, repository: str, tmp_path: Path
) -> None:
    remote = f"oci://{registry.address}/{repository}"
    archives = {version: chart(tmp_path, version) for version in ("1.0.0", "1.1.0", "2.0.0-rc.1")}
    for archive in archives.values():
        helm.push(archive, remote, plain_http=True)

    for version, archive in archives.items():
        pushed = registry.wire.fetch(f"{repository}/app", version)
        assert helm.resolve(f"{remote}/app:{version}")["digest"] == pushed.digest
        assert pushed.parsed["config"]["mediaType"] == CONFIG_TYPE
        assert [layer["mediaType"] for layer in pushed.parsed["layers"]] == [LAYER_TYPE]
        assert pushed.blobs.keys() >= {digest_of(archive.read_bytes())}

        destination = tmp_path / version
        destination.mkdir()
        helm.pull(f"{remote}/app", version=version, destination=destination, plain_http=True)
        assert (destination / archive.name).read_bytes() == archive.read_bytes()
    assert helm.tags(f"{remote}/app") == ["2.0.0-rc.1", "1.1.0", "1.0.0"]
    assert "version: 1.1.0" in helm.show(f"{remote}/app", output_format="chart", plain_http=True)


def test_a_version_with_build_metadata_becomes_a_tag_without_plus(
    helm: RegistryClient, registry: Registry, repository: str, tmp_path: Path
) -> None:
    remote = f"oci://{registry.address}/{repository}"
    archive = chart(tmp_path, "1.0.0+linux")
    helm.push(archive, remote, plain_http=True)
    assert registry.wire.tags(f"{repository}/app") == ["1.0.0_linux"]
    destination = tmp_path / "pulled"
    destination.mkdir()
    helm.pull(f"{remote}/app", version="1.0.0+linux", destination=destination, plain_http=True)
    assert [path.read_bytes() for path in destination.iterdir()] == [archive.read_bytes()]


def test_login_tells_right_from_wrong(clients: Clients, registry: Registry) -> None:
    with pytest.raises(HelmError, match="401"):
        log_in(clients(), Account(registry.admin.name, "wrong"), registry.address)
    log_in(clients(), registry.admin, registry.address)


def test_a_public_chart_needs_no_login_and_lets_nobody_push(
    helm: RegistryClient, clients: Clients, registry: Registry, public_repository: str, tmp_path: Path
) -> None:
    archive = chart(tmp_path, "1.0.0")
    remote = f"oci://{registry.address}/{public_repository}"
    helm.push(archive, remote, plain_http=True)
    destination = tmp_path / "pulled"
    destination.mkdir()
    clients().pull(f"{remote}/app", version="1.0.0", destination=destination, plain_http=True)
    assert (destination / archive.name).read_bytes() == archive.read_bytes()
    with pytest.raises(HelmError, match="401"):
        clients().push(chart(tmp_path, "1.1.0"), remote, plain_http=True)


def test_a_private_chart_is_refused_without_login(
    helm: RegistryClient, clients: Clients, registry: Registry, repository: str, tmp_path: Path
) -> None:
    remote = f"oci://{registry.address}/{repository}"
    helm.push(chart(tmp_path, "1.0.0"), remote, plain_http=True)
    nobody, stranger = clients(), clients()
    log_in(stranger, registry.stranger, registry.address)
    for client in (nobody, stranger):
        with pytest.raises(HelmError, match="401"):
            client.pull(f"{remote}/app", version="1.0.0", destination=tmp_path, plain_http=True)
