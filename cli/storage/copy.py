"""`roadstead storage copy`: moving a registry from one storage to another."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.blobs.transfer import Tally, transfer
from app.settings import Settings, load
from app.storage import StorageError, open_storage
from cli.programs import StartError
from cli.servers import use_database
from cli.storage.files import settings_of
from cli.storage.stopping import Stopped, run_until_stopped

_SHOWN = 20
_LOGGED_SECONDS = 30.0
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_STEP = 1000


def run(chosen: argparse.Namespace) -> None:
    """Run `roadstead storage copy`."""
    settings = load()
    source = settings_of(chosen.source) if chosen.source else settings
    target = settings_of(chosen.to)
    if source.storage == target.storage and source.storage_root == target.storage_root:
        raise StartError("Both are the same storage.")
    try:
        tally = run_until_stopped(_copy(settings, source, target, at_once=chosen.at_once))
    except Stopped:
        raise StartError("The copy was stopped. Run the same again to go on.") from None
    except StorageError as error:
        raise StartError(f"The copy stopped: {error}. Run the same again to go on.") from error
    print(_sentence(tally))
    _refuse_damage(tally)


async def _copy(settings: Settings, source: Settings, target: Settings, *, at_once: int) -> Tally:
    async with (
        open_storage(source) as old,
        open_storage(target) as new,
        use_database(settings) as database,
    ):
        with _progress() as note:
            return await transfer(database, old, new, at_once=at_once, note=note)


@contextmanager
def _progress() -> Iterator[Callable[[Tally], None]]:
    """Lend what draws a line on a terminal, a few times a second, and into a log one now and then."""
    is_terminal = sys.stderr.isatty()
    period, start, end = (0.2, "\r\033[K", "") if is_terminal else (_LOGGED_SECONDS, "", "\n")
    began = drawn = time.monotonic()

    def draw(tally: Tally) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - drawn < period and not (is_terminal and _done(tally) == tally.total):
            return
        drawn = now
        print(f"{start}{_line(tally, now - began)}", end=end, file=sys.stderr, flush=True)

    try:
        yield draw
    finally:
        if drawn > began and not end:
            print(file=sys.stderr)


def _line(tally: Tally, seconds: float) -> str:
    rate = tally.copied_bytes / max(seconds, 0.001)
    there = tally.there_bytes + tally.copied_bytes
    wait = f", {(tally.total_bytes - there) / rate:.0f} s left" if rate else ""
    return (
        f"{_done(tally):,} of {tally.total:,} blobs, {_size(there)} of {_size(tally.total_bytes)}, "
        f"{_size(rate)}/s{wait}"
    )


def _done(tally: Tally) -> int:
    return tally.there + tally.copied + len(tally.missing) + len(tally.wrong)


def _sentence(tally: Tally) -> str:
    return f"Copied {tally.copied:,} blobs, {_size(tally.copied_bytes)}; {tally.there:,} were there already."


def _refuse_damage(tally: Tally) -> None:
    """Raise StartError where the old storage has not what it should have."""
    damage = [
        f"{len(digests)} blobs {what}: {', '.join(digests[:_SHOWN])}{', ...' * (len(digests) > _SHOWN)}."
        for digests, what in (
            (tally.missing, "are not in the old storage"),
            (tally.wrong, "have other bytes there than their digest says, and were not copied"),
        )
        if digests
    ]
    if damage:
        raise StartError("\n".join(damage))


def _size(count: float) -> str:
    for unit in _UNITS[:-1]:
        if count < _STEP:
            return f"{count:.3g} {unit}"
        count /= _STEP
    return f"{count:.3g} {_UNITS[-1]}"
