"""`roadstead serve`: the web processes, on servers that the settings name."""

import argparse
import asyncio
import socket
from functools import partial

from app.settings import Settings, load, require
from cli.listening import listening
from cli.loading import load_code
from cli.processes import Roadstead, until_answering, web_processes
from cli.report import reporter
from cli.supervisor import Supervisor

_DESCRIPTION = """\
Serve the registry with the PostgreSQL, the Redis and the storage that the settings name.

Runs ROADSTEAD_PROCESSES web processes on ROADSTEAD_LISTEN and starts one again when it crashes.
SIGTERM lets running transfers end for ROADSTEAD_SHUTDOWN_GRACE seconds. The database has to be
migrated before (`roadstead migrate`), and `roadstead work` has to run somewhere.
"""


def command(arguments: list[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="roadstead serve", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fd", type=int, help="be one web process, on this inherited listening socket")
    parser.add_argument("--gate", type=int, help="... which starts to serve when this inherited pipe ends")
    chosen = parser.parse_args(arguments)
    settings = load()
    require(settings, "database.url", "auth.secret_key")
    if chosen.fd is not None:
        serve_on(socket.socket(fileno=chosen.fd), settings, chosen.gate)
    else:
        serve(settings)


def serve_on(listener: socket.socket, settings: Settings, gate: int | None = None) -> None:
    """Be one web process."""
    # By name: the supervising process has no use for the application's memory and half second of imports.
    load_code("cli.web").run(settings, listener, gate)


def serve(settings: Settings) -> None:
    """Supervise the web processes; a single one needs no supervisor."""
    count = web_processes(settings)
    with listening(*settings.listen_address, count) as sockets:
        if count == 1:
            serve_on(sockets[0], settings)
        else:
            supervisor = Supervisor(reporter(settings.log))
            asyncio.run(supervisor.supervise(partial(_keep_serving, settings, sockets)))


async def _keep_serving(settings: Settings, sockets: list[socket.socket], supervisor: Supervisor) -> None:
    async with supervisor.group() as web:
        for program in Roadstead(settings).web(sockets):
            web.start(program)
        address = await supervisor.patiently("the web processes", until_answering(sockets, "/healthz"))
        supervisor.report(f"Serving on {address} with {len(sockets)} processes.")
        await supervisor.until_stopped()
