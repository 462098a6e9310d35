"""nginx as docs/how-to/run-in-production.md has it: bodies of any size pass, uploads while they come."""

import http.client
import os
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clients.content import digest_of
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.tls import Secured
from tests.support.roadstead import ROOT
from tests.support.waiting import wait_until

PAGE = ROOT / "docs/how-to/run-in-production.md"
MIB = 1 << 20

MAIN = """
daemon off;
pid {home}/pid;
error_log {home}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {home}/client_body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    {shown}
}}
"""


@pytest.fixture
def nginx(home: Path, registry: Registry, secured: Secured) -> Iterator[str]:
    """Runs what the page shows, with our own addresses and files put into it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    shown = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    for ours, theirs in {
        f"server {registry.address};": "server 127.0.0.1:5000;",
        f"listen {address} ssl;": "listen 443 ssl;",
        f"{secured.certificate};": "/etc/nginx/tls/registry.example.org.crt;",
        f"{secured.certificate.parent}/key.pem;": "/etc/nginx/tls/registry.example.org.key;",
    }.items():
        assert theirs in shown
        shown = shown.replace(theirs, ours)
    (home / "nginx.conf").write_text(MAIN.format(home=home, shown=shown))
    log = home / "error.log"
    with subprocess.Popen(["nginx", "-e", str(log), "-c", str(home / "nginx.conf")]) as process:
        try:
            wait_until(lambda: is_listening(address) or process.poll() is not None, "nginx listens")
            assert process.poll() is None, log.read_text()
            yield address
        finally:
            process.terminate()


@pytest.fixture
def connection(nginx: str, secured: Secured) -> Iterator[http.client.HTTPSConnection]:
    trust = ssl.create_default_context(cafile=secured.certificate)
    connection = http.client.HTTPSConnection(nginx, context=trust, timeout=30)
    yield connection
    connection.close()


def is_listening(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


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
