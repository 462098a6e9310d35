"""`roadstead work`: one worker process."""

import argparse
import asyncio

from app.db import DatabaseError
from app.jobs import QUEUES
from app.logging import configure_logging
from app.settings import load, require
from app.storage import StorageError
from cli.files import allow_files
from cli.programs import StartError
from cli.watchdog import watched
from workers.main import work

_DESCRIPTION = """\
Work on what happens after the answers: webhooks, statistics, cleaning up.

Run as many of these as you like, on any machine, with the database, the Redis and the storage
that the settings name. SIGTERM lets running jobs end for ROADSTEAD_SHUTDOWN_GRACE seconds; a job
that is cut off is done again by another worker.
"""


def command(arguments: list[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="roadstead work", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--queue", action="append", choices=QUEUES, help="work on this queue only; may be given several times"
    )
    chosen = parser.parse_args(arguments)
    settings = load()
    require(settings, "database.url", "redis.url")
    configure_logging(settings.log)
    allow_files()
    try:
        # Not uvloop: it stops to watch a socket that had an error, and then a lost database is noticed late.
        asyncio.run(watched(work(settings, tuple(chosen.queue or QUEUES))))
    except (DatabaseError, StorageError) as error:
        raise StartError(f"Working is not possible: {error}") from error
