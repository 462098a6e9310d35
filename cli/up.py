"""`roadstead up`: the whole registry on this machine, with a PostgreSQL and a Valkey of its own."""

import argparse
import asyncio
import socket
import time
from dataclasses import dataclass
from functools import cached_property

from app.jobs import QUEUES_IN_USE
from app.settings import Settings, load
from cli.datadir import DataDirectory, open_data_directory
from cli.embedded import postgres, valkey
from cli.embedded.postgres import Postgres
from cli.embedded.valkey import Valkey
from cli.listening import listening
from cli.processes import Gate, Roadstead, until_answering, web_processes
from cli.programs import make_private_directory, unprivileged_account
from cli.report import reporter
from cli.supervisor import Supervisor

_DESCRIPTION = """\
Run the registry on this machine: PostgreSQL, Valkey, web processes and workers, in the foreground.

Everything it keeps lies in ROADSTEAD_DATA (default ./data), the password of the user `admin` too. It
serves on ROADSTEAD_LISTEN (default 127.0.0.1:5000). Ctrl-C stops it and lets running transfers end;
Ctrl-C again does not wait for them. A process that crashes is started again.

With ROADSTEAD_DATABASE_URL or ROADSTEAD_REDIS_URL it uses that server instead of starting one.
"""

_BANNER = """\

Roadstead is ready after {seconds:.1f} s.

  address    {url}
  user       admin
  password   {password}

  docker login {address} --username admin
  docker tag alpine {address}/library/alpine && docker push {address}/library/alpine
  docker pull {address}/library/alpine

Everything is kept in {data}. Ctrl-C stops it.
"""

_LOOPBACK = "127.0.0.0/8, ::1"
_SPARE_CONNECTIONS = 20  # for migrations, the command line, psql


def command(arguments: list[str]) -> None:
    """Run the command."""
    began = time.monotonic()
    argparse.ArgumentParser(
        prog="roadstead up", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(arguments)
    settings = load()
    count = web_processes(settings)
    with (
        open_data_directory(settings.data_path, unprivileged_account()) as data,
        listening(*settings.listen_address, count) as sockets,
    ):
        asyncio.run(Supervisor(reporter(settings.log)).supervise(Up(settings, data, sockets, began).run))


@dataclass(frozen=True)
class Up:
    """One run of everything."""

    settings: Settings
    data: DataDirectory
    sockets: list[socket.socket]
    began: float

    async def run(self, supervisor: Supervisor) -> None:
        """Start everything in the order of its needs, say so, and keep it running."""
        async with (
            supervisor.group() as database,
            supervisor.group() as queues,
            supervisor.group() as workers,
            supervisor.group() as web,
        ):
            gate = Gate()
            for program in self._roadstead.web(self.sockets, gate):
                web.start(program)
            if not self.settings.redis.url:
                queues.start(self._valkey.program)  # is ready long before anybody needs it
            if not self.settings.database.url:
                await asyncio.to_thread(self._postgres.initialise)
                await database.start(self._postgres.program).until(self._postgres.is_ready)
            await database.run(self._roadstead.migration())
            gate.open()
            address = await supervisor.patiently(
                "the web processes", until_answering(self.sockets, "/readyz")
            )
            for program in self._roadstead.workers():
                workers.start(program)
            self._greet(address)
            await supervisor.until_stopped()

    @cached_property
    def _roadstead(self) -> Roadstead:
        """Our own program, with what the data directory knows and the person who started us did not say."""
        settings, secrets = self.settings, self.data.secrets()
        if settings.storage.driver == "filesystem" and not settings.storage.root:
            make_private_directory(settings.storage_root, None)
        environment = {
            "ROADSTEAD_DATA": str(self.data.path),
            "ROADSTEAD_AUTH_SECRET_KEY": settings.auth.secret_key or secrets.auth_secret_key,
            "ROADSTEAD_ADMIN_PASSWORD": settings.admin_password or self.data.admin_password(),
            "ROADSTEAD_DATABASE_URL": settings.database.url or self._postgres.url(),
            "ROADSTEAD_REDIS_URL": settings.redis.url or self._valkey.url(),
            "ROADSTEAD_OUTGOING_ALLOW": settings.outgoing.allow or self._trusted_networks(),
        }
        return Roadstead(settings, environment, inherited=(self.data.lock,))

    @cached_property
    def _valkey(self) -> Valkey:
        return Valkey(
            server=valkey.find_server(self.settings.valkey_server),
            home=self.data.directory_of("valkey"),
            sockets=self.data.sockets,
            log=self.data.logs / "valkey.log",
            password=self.data.secrets().valkey,
            account=self.data.account,
            inherited=(self.data.lock,),
        )

    @cached_property
    def _postgres(self) -> Postgres:
        secrets = self.data.secrets()
        return Postgres(
            prefix=postgres.find_prefix(self.settings.postgres_prefix),
            home=self.data.path / "postgres",
            sockets=self.data.sockets,
            log=self.data.logs / "postgres.log",
            password=secrets.postgres,
            admin_password=secrets.postgres_admin,
            account=self.data.account,
            options={"max_connections": str(self._connections()), "shared_buffers": "128MB", "jit": "off"},
            inherited=(self.data.lock,),
        )

    def _trusted_networks(self) -> str:
        """Return where webhooks may be tried out: on this machine, where it is one's own."""
        return "" if self.settings.database.url else _LOOPBACK

    def _connections(self) -> int:
        processes = len(self.sockets) + len(QUEUES_IN_USE)
        return processes * self.settings.database.pool_size + _SPARE_CONNECTIONS

    def _greet(self, address: str) -> None:
        is_ours, external = not self.settings.admin_password, self.settings.external_url
        print(
            _BANNER.format(
                seconds=time.monotonic() - self.began,
                url=f"{external} (listening on {address})" if external else f"http://{address}",
                address=external.partition("://")[2] or address,
                password=self.data.admin_password() if is_ours else "as set by ROADSTEAD_ADMIN_PASSWORD",
                data=self.data.path,
            ),
            flush=True,
        )
