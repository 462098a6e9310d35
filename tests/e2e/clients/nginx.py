"""nginx with a configuration that a page of the documentation shows."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.roadstead import ROOT
from tests.support.waiting import wait_until

MAIN = """
{user}
daemon off;
pid {home}/pid;
error_log {home}/error.log;
events {{}}
http {{
    log_format credentials "$status [$http_authorization]";
    access_log {home}/access.log credentials;
    client_body_temp_path {home}/client_body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    {shown}
}}
"""


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def shown_on(page: str, ours: Mapping[str, str]) -> str:
    """Return what a page shows, with our own addresses and files in place of its examples."""
    text = (ROOT / page).read_text(encoding="utf-8")
    shown: str = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)[0]
    for theirs, instead in ours.items():
        assert theirs in shown
        shown = shown.replace(theirs, instead)
    return shown


@contextmanager
def running_nginx(home: Path, shown: str, address: str) -> Iterator[Path]:
    """Run it, and lend the log of its requests: status, and the credentials that came along."""
    user = "user root;" if os.geteuid() == 0 else ""  # its workers could not read our files otherwise
    (home / "nginx.conf").write_text(MAIN.format(user=user, home=home, shown=shown))
    log = home / "error.log"
    with subprocess.Popen(["nginx", "-e", str(log), "-c", str(home / "nginx.conf")]) as process:
        try:
            wait_until(lambda: _is_listening(address) or process.poll() is not None, "nginx listens")
            assert process.poll() is None, log.read_text()
            yield home / "access.log"
        finally:
            process.terminate()


def _is_listening(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
