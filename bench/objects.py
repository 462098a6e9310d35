"""The servers of a comparison on object storage: SeaweedFS, and registries that keep their blobs in it."""

import asyncio
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.session import Session

from app.oci.digest import Digest
from app.storage.paths import blob_key
from bench import processes
from bench.content import Content
from bench.peers import Distribution
from bench.roadstead import Roadstead
from bench.targets import Server, Target
from tests.support.s3 import Bucket
from tests.support.seaweed import ACCESS_KEY, REGION, SECRET_KEY, answers, is_writable, server_in

_PROXIED = "bench-proxied"
_REDIRECTED_BYTES = 1 << 20
_HOUR = 3600
_S3_CONFIG = """\
  s3:
    accesskey: {access_key}
    secretkey: {secret_key}
    region: {region}
    regionendpoint: {endpoint}
    bucket: {bucket}
    secure: false
    rootdirectory: /docker-registry
  redirect: {{disable: true}}
"""


class ObjectStore:
    """The S3 server that all of them use, read from by signed URLs of what Roadstead has put there."""

    name = "seaweedfs"

    def __init__(self) -> None:
        self._bucket: Bucket
        self._process: subprocess.Popen[bytes]

    @property
    def bucket(self) -> Bucket:
        """Where Roadstead keeps its blobs."""
        return self._bucket.below("roadstead")

    def start(self, directory: Path, files: Content) -> None:
        """Start it with an empty bucket."""
        del files
        directory.mkdir(parents=True)
        program, self._bucket = server_in(directory)
        log = directory / "log"
        self._process = processes.spawn(program.arguments, log, dict(program.environment or {}))
        processes.wait_for(partial(answers, self._bucket), self._process, log)
        processes.wait_for(lambda: asyncio.run(is_writable(self._bucket)), self._process, log)

    def targets(self) -> list[Target]:
        """Return its one column."""
        port = urlsplit(self._bucket.endpoint).port or 0
        pid = self._process.pid
        return [
            Target(
                *(self.name, "SeaweedFS itself", port, pid, lambda: (pid,)),
                is_registry=False,
                is_pushed_to=False,
                direct=self._signed,
            )
        ]

    def version(self) -> str:
        """Return what the program says about itself."""
        argv = [str(_weed()), "version"]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

    def stop(self) -> None:
        """End it; it would take half a minute in order, and has nothing to lose."""
        processes.stop(self._process, grace=1)

    def configuration(self, _: Path) -> str:
        """Return how docker-registry is told of it: bytes go through it, as they do by default with us."""
        bucket = self._bucket
        return _S3_CONFIG.format(
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            region=REGION,
            endpoint=bucket.endpoint,
            bucket=bucket.name,
        )

    def _signed(self, digest: str) -> str:
        """Return path and query of a URL that opens a blob."""
        client = Session().create_client(
            "s3",
            endpoint_url=self._bucket.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        wanted = {"Bucket": self.bucket.name, "Key": f"{self.bucket.prefix}/{blob_key(Digest(digest))}"}
        url = client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=_HOUR)
        return str(url).removeprefix(self._bucket.endpoint)


def found() -> list[Server]:
    """Return the servers in the order in which they start; without docker-registry where it is missing."""
    if not _weed().is_file():
        raise processes.ServerError("the S3 server of the tests is missing: run `make .venv/.dev`")
    store = ObjectStore()
    servers: list[Server] = [store, Roadstead(partial(_settings, store), agent=_PROXIED)]
    if shutil.which("docker-registry"):
        servers.append(Distribution("docker-registry", "docker-registry", storage=store.configuration))
    return servers


def _settings(store: ObjectStore) -> dict[str, str]:
    """Large blobs by redirect, but for clients that say that they want the bytes from us."""
    chosen = {
        **store.bucket.settings,
        "downloads_redirect_bytes": str(_REDIRECTED_BYTES),
        "downloads_proxied_agents": _PROXIED,
    }
    return {f"ROADSTEAD_{name.upper()}": value for name, value in chosen.items()}


def _weed() -> Path:
    return Path(sys.executable).with_name("weed")
