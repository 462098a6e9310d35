"""nginx as docs/how-to/run-in-production.md has it: bodies of any size pass, uploads while they come."""

import http.client
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clients.content import digest_of
from tests.e2e.clients.nginx import free_address, running_nginx, shown_on
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.tls import Secured
from tests.support.waiting import wait_until

PAGE = "docs/how-to/run-in-production.md"
MIB = 1 << 20


@pytest.fixture
def nginx(home: Path, registry: Registry, secured: Secured) -> Iterator[str]:
    """Runs what the page shows, with our own addresses and files put into it."""
    address, tls = free_address(), "/etc/nginx/tls/registry.example.org"
    ours = {
        "server 127.0.0.1:5000;": f"server {registry.address};",
        "listen 443 ssl;": f"listen {address} ssl;",
        f"{tls}.crt;": f"{secured.certificate};",
        f"{tls}.key;": f"{secured.certificate.parent}/key.pem;",
    }
    with running_nginx(home, shown_on(PAGE, ours), address):
        yield address


@pytest.fixture
def connection(nginx: str, secured: Secured) -> Iterator[http.client.HTTPSConnection]:
    trust = ssl.create_default_context(cafile=secured.certificate)
    connection = http.client.HTTPSConnection(nginx, context=trust, timeout=30)
    yield connection
    connection.close()


def begin_upload(registry: Registry, repository: str) -> str:
    begun = registry.wire.send("POST", f"/v2/{repository}/blobs/uploads/", body=b"")
    assert begun.status == 202
    return begun.headers["location"]


def test_a_large_blob_goes_in_and_comes_out(
    connection: http.client.HTTPSConnection, registry: Registry, repository: str
) -> None:
    blob = os.urandom(16 * MIB)
    digest, identity = digest_of(blob), {"Authorization": registry.admin.basic}
    location = begin_upload(registry, repository)
    connection.request("PUT", f"{location}?digest={digest}", body=blob, headers=identity)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (201, b"")
    connection.request("GET", f"/v2/{repository}/blobs/{digest}", headers=identity)
    assert connection.getresponse().read() == blob


def test_what_came_of_an_upload_that_broke_off_is_kept(
    connection: http.client.HTTPSConnection, registry: Registry, repository: str
) -> None:
    location = begin_upload(registry, repository)
    connection.putrequest("PATCH", location)
    connection.putheader("Authorization", registry.admin.basic)
    connection.putheader("Content-Length", str(16 * MIB))
    connection.endheaders(os.urandom(4 * MIB))
    connection.close()

    wait_until(lambda: last_byte(registry, location) > MIB, "what came is kept")


def last_byte(registry: Registry, location: str) -> int:
    status = registry.wire.send("GET", location)
    assert status.status == 204, status
    return int(status.headers["range"].rpartition("-")[2])
