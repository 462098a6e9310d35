"""`roadstead storage check`: a line for each thing that a storage has to do."""

import argparse
from contextlib import AsyncExitStack
from typing import Final

from app.settings import Settings, load
from app.storage import StorageError, open_storage
from cli.programs import StartError
from cli.storage.checks import CHECKS, Check, Result, result_of
from cli.storage.files import settings_of
from cli.storage.stopping import Stopped, run_until_stopped
from cli.storage.trial import Trial, trial_of

_REACHED: Final = "the storage is reached"
_TO_REACH_IT: Final = "Compare server, bucket and keys with what `roadstead settings` prints, and the clocks."


def run(chosen: argparse.Namespace) -> None:
    """Run `roadstead storage check`."""
    settings = settings_of(chosen.of) if chosen.of else load()
    try:
        is_fine = run_until_stopped(check_storage(settings))
    except Stopped:
        raise StartError("Stopped. Nothing of it stays in the storage.") from None
    except StorageError as error:
        raise StartError(f"Not all of what was tried could be removed again: {error}") from error
    if not is_fine:
        raise StartError("Not all that a registry needs works on this storage.")


async def check_storage(settings: Settings) -> bool:
    """Print what comes of each check, and return whether all are fine.

    Raises StorageError where something of it could not be removed again.
    """
    async with AsyncExitStack() as stack:
        try:
            driver = await stack.enter_async_context(open_storage(settings))
        except StorageError as error:
            return _shown(_REACHED, Result(str(error), _TO_REACH_IT))
        _shown(_REACHED, Result(""))
        trial = await stack.enter_async_context(trial_of(driver, settings.storage))
        first, *others = CHECKS
        # Whatever keeps it from writing would only be said again and again.
        return await _tried(first, trial) and all([await _tried(check, trial) for check in others])


async def _tried(check: Check, trial: Trial) -> bool:
    return _shown(check.says, await result_of(check, trial))


def _shown(says: str, result: Result) -> bool:
    """Print a result, and return whether it is fine."""
    note, remedy = result
    print(f"{'✗' if remedy else '✓'} {says}{note and f': {note}'}", flush=True)
    if remedy:
        print(f"  {remedy}", flush=True)
    return not remedy
