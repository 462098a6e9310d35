"""A server that speaks as Azure Blob Storage for one run of tests: Azurite, which checks signatures."""

import base64
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from azure.core.exceptions import AzureError
from azure.storage.blob.aio import BlobServiceClient, LinearRetry

from cli.programs import Program
from tests.support.eventually import until
from tests.support.servers import free_ports, running

ACCOUNT = "roadstead"
ACCOUNT_KEY = base64.b64encode(b"account-key-of-the-tests").decode()

_SERVER = Path(sys.prefix) / "azurite/node_modules/.bin/azurite-blob"
IS_THERE = _SERVER.exists() and shutil.which("node") is not None
"""`make clients` installs it, where there is npm."""


@dataclass(frozen=True)
class Container:
    """A container, or a part of one, and where it is."""

    endpoint: str
    name: str
    prefix: str = ""

    def below(self, prefix: str) -> "Container":
        """Return the part of it below a prefix."""
        return replace(self, prefix=prefix)

    def by(self, endpoint: str) -> "Container":
        """Return the same by another way."""
        return replace(self, endpoint=endpoint)

    @property
    def settings(self) -> dict[str, str]:
        """What a registry on this container is told, by the names of `tests.conformance.serving`."""
        return {
            "storage_driver": "azure",
            "storage_bucket": self.name,
            "storage_prefix": self.prefix,
            "storage_endpoint": self.endpoint,
            "storage_account": ACCOUNT,
            "storage_account_key": ACCOUNT_KEY,
        }


@asynccontextmanager
async def azure_server(directory: Path) -> AsyncIterator[Container]:
    """Run a server on the loopback interface, and lend a container on it."""
    assert IS_THERE, "Azurite is missing: run `make clients`, which needs npm"
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    with running(_program(directory, port), lambda _: True):
        await until(lambda: _is_writable(f"{endpoint}/{ACCOUNT}"), bool)
        yield Container(endpoint, "tests")


def _program(directory: Path, port: int) -> Program:
    return Program(
        name="Azurite",
        arguments=[
            *(str(_SERVER), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(directory)),
            *("--silent", "--skipApiVersionCheck", "--disableTelemetry"),
        ],
        environment={
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "AZURITE_ACCOUNTS": f"{ACCOUNT}:{ACCOUNT_KEY}",
        },
        log=directory / "azurite.log",
    )


async def _is_writable(url: str) -> bool:
    credential = {"account_name": ACCOUNT, "account_key": ACCOUNT_KEY}
    async with BlobServiceClient(
        url, credential=credential, retry_policy=LinearRetry(retry_total=0)
    ) as service:
        try:
            await service.create_container("tests")
        except AzureError:
            return False
    return True
