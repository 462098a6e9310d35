"""`roadstead storage copy`: moving a registry from one storage to another."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable

from app.blobs.transfer import Tally, transfer
from app.settings import Settings, load
from app.storage import StorageError, open_storage
from cli.programs import StartError
from cli.servers import use_database
from cli.storage.files import settings_of

_SHOWN = 20
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
        tally = asyncio.run(_copy(settings, source, target, at_once=chosen.at_once))
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
        return await transfer(database, old, new, at_once=at_once, note=_progress())


def _progress() -> Callable[[Tally], None]:
    """Return what draws a line on a terminal, a few times a second."""
    began = drawn = time.monotonic()

    def draw(tally: Tally) -> None:
        nonlocal drawn
        now = time.monotonic()
        done = tally.there + tally.copied + len(tally.missing) + len(tally.wrong)
        if not sys.stderr.isatty() or (now - drawn < 0.2 and done < tally.total):  # noqa: PLR2004 - seconds
            return
        drawn = now
        rate = tally.copied_bytes / max(now - began, 0.001)
        left = tally.total_bytes - tally.there_bytes - tally.copied_bytes
        wait = f", {left / rate:.0f} s left" if rate else ""
        print(
            f"\r\033[K{done:,} of {tally.total:,} blobs, {_size(tally.there_bytes + tally.copied_bytes)} of "
            f"{_size(tally.total_bytes)}, {_size(rate)}/s{wait}",
            end="" if done < tally.total else "\n",
            file=sys.stderr,
            flush=True,
        )

    return draw


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
