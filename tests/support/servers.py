"""A PostgreSQL and a Valkey for one run of tests: the embedded ones, without care for durability."""

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from socket import create_server
from urllib.parse import urlsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, whatever it is called

from app.db.migrate import migrate
from cli.embedded import postgres, valkey
from cli.embedded.postgres import Postgres
from cli.embedded.valkey import Valkey
from cli.programs import Program, make_private_directory, start, unprivileged_account

_BELOW_EPHEMERAL = (10_000, 32_000)
START_SECONDS = 60.0  # initdb on a busy machine


class Databases:
    """Makes databases on one server, empty or copied from a migrated one."""

    def __init__(self, server: Postgres, admin: Connection) -> None:
        self._server = server
        self._admin = admin
        self._made = 0
        migrate(server.url())

    @contextmanager
    def fresh(self, *, migrated: bool) -> Iterator[str]:
        """Lend the URL of a database of its own."""
        self._made += 1
        name = f"test_{self._made}"
        self._run(
            "CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY",
            *(name, postgres.ROLE, postgres.DATABASE if migrated else "template0"),
        )
        try:
            yield self._server.url(name)
        finally:
            self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def log_statements(self, url: str) -> "StatementLog":
        """Have the server write down what new connections to this database run."""
        name = urlsplit(url).path.lstrip("/")
        self._run("ALTER DATABASE {} SET log_statement = 'all'", name)
        return StatementLog(self._server.log)

    def deadlocks(self) -> int:
        """Return how many there were so far, also those that were tried again and that nobody noticed."""
        return _written(self._server.log).count("ERROR:  deadlock detected")

    def _run(self, statement: str, *names: str) -> None:
        with self._admin.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def databases_on(server: Postgres) -> Iterator[Databases]:
    """Lend what makes databases on a running server."""
    with closing(psycopg2.connect(server.url("postgres", postgres.ADMIN))) as admin:
        admin.autocommit = True
        yield Databases(server, admin)


class StatementLog:
    """What a server wrote down of the statements that it was sent."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def count(self) -> int:
        """Return how many statements there were so far."""
        return _written(self._log).count("LOG:  statement: ")


def _written(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def postgres_server(directory: Path) -> Iterator[Postgres]:
    account = unprivileged_account()
    server = Postgres(
        prefix=postgres.find_prefix(""),
        home=directory / "postgres",
        sockets=make_private_directory(directory / "postgres-socket", account),
        log=directory / "postgres.log",
        password=secrets.token_hex(),
        admin_password=secrets.token_hex(),
        account=account,
        is_durable=False,
    )
    server.initialise()
    with running(server.program, server.is_ready):
        yield server


@contextmanager
def valkey_server(directory: Path) -> Iterator[Valkey]:
    account = unprivileged_account()
    server = Valkey(
        server=valkey.find_server(""),
        home=make_private_directory(directory / "valkey", account),
        sockets=make_private_directory(directory / "valkey-socket", account),
        log=directory / "valkey.log",
        password=secrets.token_hex(),
        account=account,
        is_durable=False,
    )
    with running(server.program, server.is_ready):
        yield server


@contextmanager
def running(program: Program, is_ready: Callable[[int], bool]) -> Iterator[int]:
    """Run a program until the end of the block; lend its process id once it is ready."""
    with start(program) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not is_ready(process.pid):
                log = program.log.read_text() if program.log else ""
                assert process.poll() is None, f"{program.name} ended: {log}"
                assert time.monotonic() < deadline, f"{program.name} is not ready: {log}"
                time.sleep(0.01)
            yield process.pid
        finally:
            process.send_signal(program.stop_signal)


def free_ports(count: int) -> list[int]:
    """Find ports below those that the system gives to connections, which take one at any moment."""
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < count:
            port = random.randrange(*_BELOW_EPHEMERAL)  # noqa: S311 - so that two servers seldom try the same
            with suppress(OSError):
                stack.enter_context(create_server(("127.0.0.1", port)))
                found.append(port)
    return found
