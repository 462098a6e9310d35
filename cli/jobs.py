"""`roadstead jobs`: what waits, runs and failed, live in a terminal; pausing, resuming and retrying it."""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, TypeAlias

from app.db import Database, DatabaseError, Transaction
from app.harbor.errors import NotFound
from app.jobs import TYPES
from app.jobservice import control
from app.jobservice.overview import Overview, get_overview
from app.settings import load
from cli.programs import StartError
from cli.servers import cause, use_database

Act: TypeAlias = Callable[[Transaction, argparse.Namespace], Awaitable[str]]

_DESCRIPTION = """\
What the workers have to do, from the database that the settings name. On a terminal it is kept up to
date until Ctrl-C; otherwise, and with --once, it is printed once.

  roadstead jobs --once
  roadstead jobs pause WEBHOOK           nothing of this type is run from now on; `all` means every type
  roadstead jobs resume WEBHOOK
  roadstead jobs retry WRITE_AUDIT_LOG   what is set aside: of a type, `all`, or one job by its id
"""

_EVERY_SECONDS: Final = 1.0
_ERROR_CHARACTERS: Final = 60
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400
_SCREEN: Final = ("\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l")
_HOME, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[H", "\x1b[K\n", "\x1b[J"


def command(arguments: list[str]) -> None:
    """Run `roadstead jobs`."""
    parser = argparse.ArgumentParser(
        prog="roadstead jobs", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--once", action="store_true", help="print it once, also on a terminal")
    verbs = parser.add_subparsers(metavar="VERB")
    for name, act, summary in (
        ("pause", _pause, "run nothing of a type for now"),
        ("resume", _resume, "run it again"),
        ("retry", _retry, "try what is set aside again"),
    ):
        verb = verbs.add_parser(name, help=summary, description=summary)
        verb.set_defaults(act=act)
        verb.add_argument("what", metavar="TYPE|all" if name != "retry" else "TYPE|JOB|all")
    chosen = parser.parse_args(arguments)
    try:
        asyncio.run(_run(chosen))
    except NotFound as error:
        raise StartError(f"{error}.") from None
    except KeyboardInterrupt:
        return


async def _run(chosen: argparse.Namespace) -> None:
    async with use_database(load()) as database:
        if act := getattr(chosen, "act", None):
            async with database.transaction() as tx:
                said = await act(tx, chosen)
            print(said)
        elif chosen.once or not sys.stdout.isatty():
            print("\n".join(lines_of(await get_overview(database), datetime.now(UTC))))
        else:
            await _show(database)


async def _pause(tx: Transaction, chosen: argparse.Namespace) -> str:
    await control.act_on_kind(tx, cause(), chosen.what, action="pause")
    return f"Paused {chosen.what}."


async def _resume(tx: Transaction, chosen: argparse.Namespace) -> str:
    await control.act_on_kind(tx, cause(), chosen.what, action="resume")
    return f"Resumed {chosen.what}."


async def _retry(tx: Transaction, chosen: argparse.Namespace) -> str:
    if ":" in chosen.what:
        await control.retry_job(tx, cause(), chosen.what)
        return f"{chosen.what} is tried again."
    return f"Jobs that are tried again: {await control.retry_kind(tx, cause(), chosen.what)}."


async def _show(database: Database) -> None:
    with _screen():
        while True:
            try:
                lines = lines_of(await get_overview(database), datetime.now(UTC))
            except DatabaseError as error:
                lines = [f"The database cannot be used: {_printable(str(error))}"]
            width, height = shutil.get_terminal_size()
            text = _CLEAR_LINE.join(line[:width] for line in lines[: height - 1])
            print(f"{_HOME}{text}{_CLEAR_LINE}{_CLEAR_BELOW}", end="", flush=True)
            await asyncio.sleep(_EVERY_SECONDS)


@contextmanager
def _screen() -> Iterator[None]:
    """Leave the terminal as it was."""
    enter, leave = _SCREEN
    print(enter, end="")
    try:
        yield
    finally:
        print(leave, end="", flush=True)


def lines_of(seen: Overview, now: datetime) -> list[str]:
    """Return the tables as lines."""
    tables = (_kinds(seen), _workers(seen, now), _set_aside(seen), _failures(seen))
    return [line for table in tables for line in ("", *table)][1:]


def _kinds(seen: Overview) -> list[str]:
    rows = [
        (
            TYPES.get(kind.name, kind.name),
            str(kind.waiting),
            _span(kind.age_seconds) if kind.waiting else "-",
            str(kind.running),
            str(kind.set_aside),
            "paused" if kind.is_paused else "",
        )
        for kind in seen.kinds
    ]
    return _table(("TYPE", "WAITING", "OLDEST", "RUNNING", "SET ASIDE", ""), rows)


def _workers(seen: Overview, now: datetime) -> list[str]:
    rows = [
        (
            str(process.id)[:8],
            f"{process.host}/{process.pid}",
            ",".join(process.queues),
            f"{sum(job.worker_id == process.id for job in seen.running)}/{process.concurrency}",
            _span((now - process.started_at).total_seconds()),
            f"{_span((now - process.heartbeat_at).total_seconds())} ago",
        )
        for process in seen.processes
    ]
    return _table(("WORKER", "HOST/PID", "QUEUES", "BUSY", "UP", "HEARTBEAT"), rows)


def _set_aside(seen: Overview) -> list[str]:
    rows = [(_moment(job.set_aside_at), job.id, _printable(job.error)) for job in seen.set_aside]
    return _table(("SET ASIDE (UTC)", "JOB", "ERROR"), rows)


def _failures(seen: Overview) -> list[str]:
    rows = [(_moment(run.ended_at), run.outcome, run.job_id, _printable(run.error)) for run in seen.failures]
    return _table(("FAILED (UTC)", "HOW", "JOB", "ERROR"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]


def _printable(text: str) -> str:
    """Return the begin of what somebody else wrote, without anything that a terminal would obey."""
    first = (text.splitlines() or [""])[0][:_ERROR_CHARACTERS]
    return "".join(character if character.isprintable() else "?" for character in first)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%m-%d %H:%M:%S}"


def _span(seconds: float) -> str:
    """Say how long that is, in its largest unit."""
    for unit, length in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(int(seconds), 0)} s"
