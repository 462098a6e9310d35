"""nginx serving the same bytes as files: what the machine can do at all."""

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

from bench import processes
from bench.content import Content
from bench.targets import REPOSITORY, Target
from bench.wire import Connection

_CONFIG = """\
{user}
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/log error;
daemon off;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    default_type application/octet-stream;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {directory}/files;
    }}
}}
"""


class Nginx:
    """A web server without any registry in it."""

    name = "nginx"

    def __init__(self) -> None:
        self._port = processes.free_port()
        self._process: subprocess.Popen[bytes]

    def start(self, directory: Path, files: Content) -> None:
        """Write the files at the paths a registry would serve them at, and serve them."""
        root = directory / "files" / "v2" / REPOSITORY
        for path, data in files.files().items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        user = "user root;" if os.geteuid() == 0 else ""  # its workers could not read our files otherwise
        config, log = directory / "nginx.conf", directory / "log"
        config.write_text(_CONFIG.format(user=user, directory=directory, port=self._port), encoding="utf-8")
        argv = ["nginx", "-p", str(directory), "-c", str(config), "-e", str(log)]
        self._process = processes.spawn(argv, log)
        processes.wait_for(self._answers, self._process, log)

    def targets(self) -> list[Target]:
        """Return its one column: it can only be read from."""
        pid = self._process.pid
        workers = partial(processes.descendants, pid)
        return [
            Target(
                "nginx", "nginx, plain files", self._port, pid, workers, is_registry=False, is_pushed_to=False
            )
        ]

    def version(self) -> str:
        """Return what the program says about itself."""
        return (
            subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False)
            .stderr.rpartition(": ")[2]
            .strip()
        )

    def stop(self) -> None:
        """End it."""
        processes.stop(self._process)

    def _answers(self) -> bool:
        with Connection("127.0.0.1", self._port) as connection:
            return connection.request("GET", "/").status in {403, 404}


def found() -> list[Nginx]:
    """Return nginx when it is on PATH."""
    return [Nginx()] if shutil.which("nginx") else []
