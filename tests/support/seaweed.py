"""An S3 server for one run of tests: SeaweedFS from its wheel, which checks signatures and checksums."""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from cli.programs import Program
from tests.support.eventually import until
from tests.support.s3 import Bucket
from tests.support.servers import free_ports, running

ACCESS_KEY = "access-key-of-the-tests"
SECRET_KEY = "secret-key-of-the-tests"
REGION = "us-east-1"

_PORTS = ("s3", "master", "volume", "filer", "admin")
_QUIET = ("-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false")


@asynccontextmanager
async def s3_server(directory: Path) -> AsyncIterator[Bucket]:
    """Run a server on the loopback interface, and lend a bucket on it."""
    program, bucket = server_in(directory)
    with running(program, lambda _: answers(bucket)):
        await until(lambda: is_writable(bucket), bool)
        yield bucket


def server_in(directory: Path) -> tuple[Program, Bucket]:
    """Return the program of a server that keeps its data in a directory, and the bucket that it will have."""
    ports = free_ports(2 * len(_PORTS))
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    home = directory / "data"
    home.mkdir()
    identities = directory / "identities.json"
    identities.write_text(json.dumps({"identities": [identity]}))
    listening = zip(_PORTS, ports[0::2], ports[1::2], strict=True)
    flags = [f for name, port, rpc in listening for f in (f"-{name}.port={port}", f"-{name}.port.grpc={rpc}")]
    server = Path(sys.executable).with_name("weed")
    program = Program(
        name="SeaweedFS",
        arguments=[
            *(str(server), f"-logdir={directory}", "mini", f"-dir={home}", "-ip=127.0.0.1"),
            *("-ip.bind=127.0.0.1", "-master.telemetry=false", f"-s3.config={identities}"),
            *(*_QUIET, *flags),
        ],
        # Its sockets are made in the temporary directory, and left there.
        environment={"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(directory)},
        log=directory / "seaweedfs.log",
        stop_signal=signal.SIGKILL,  # it has nothing to lose, and takes up to half a minute to end in order
    )
    chosen = {"region": REGION, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    return program, Bucket(f"http://127.0.0.1:{ports[0]}", "tests", chosen=chosen)


def answers(bucket: Bucket) -> bool:
    """Whether the server of the bucket is up; buckets come a little later."""
    with closing(HTTPConnection(bucket.endpoint.removeprefix("http://"), timeout=5)) as connection:
        try:
            connection.request("GET", "/status")
            connection.getresponse()
        except (OSError, HTTPException):
            return False
    return True


async def is_writable(bucket: Bucket) -> bool:
    """Make the bucket, and say whether the volume is there, too: it comes a little after the rest."""
    session = get_session()
    client = session.create_client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    async with client as s3:
        try:
            await s3.create_bucket(Bucket=bucket.name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}:
                return False
        except BotoCoreError:
            return False
        try:
            await s3.put_object(Bucket=bucket.name, Key="first", Body=b"")
        except (BotoCoreError, ClientError):
            return False
    return True
