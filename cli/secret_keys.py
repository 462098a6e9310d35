"""`roadstead secrets`: the key that stored secrets are encrypted with, and how to change it."""

import argparse
import asyncio
import sys

from app.settings import Settings, load
from app.vault import Sealer
from app.vault.model import Standing
from app.vault.renew import renew, standing
from cli.programs import StartError
from cli.servers import use_database, with_keys

_DESCRIPTION = """\
Secrets that are sent to other systems, or sign what is sent, are stored encrypted, with a key that comes
from ROADSTEAD_AUTH_SECRET_KEY: those of webhooks. To change that key:

  1. Set ROADSTEAD_AUTH_PREVIOUS_SECRET_KEYS to the present key and ROADSTEAD_AUTH_SECRET_KEY to a new
     one, such as `openssl rand -hex 32` prints, for all processes, and start them anew.
  2. roadstead secrets renew      what is stored is encrypted anew; workers do the same every hour
  3. roadstead secrets            says whether the previous key is still needed
"""


def command(arguments: list[str]) -> None:
    """Run `roadstead secrets`."""
    parser = argparse.ArgumentParser(
        prog="roadstead secrets",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "act", nargs="?", choices=("status", "renew"), default="status", metavar="status|renew"
    )
    chosen = parser.parse_args(arguments)
    settings = with_keys(load())
    found = asyncio.run(_act(settings, is_to_renew=chosen.act == "renew"))
    print(_sentence(found))
    if found.unreadable:
        raise StartError(
            f"{found.unreadable} stored secrets cannot be read: the key that encrypted them is not set. "
            "Add it to ROADSTEAD_AUTH_PREVIOUS_SECRET_KEYS, or store these secrets anew."
        )


async def _act(settings: Settings, *, is_to_renew: bool) -> Standing:
    sealer = Sealer(settings.auth)
    async with use_database(settings) as database:
        if is_to_renew:
            await renew(database, sealer, _progress if sys.stderr.isatty() else None)
        return await standing(database, sealer)


def _progress(done: int) -> None:
    print(f"\r{done} encrypted anew", end="", file=sys.stderr, flush=True)


def _sentence(found: Standing) -> str:
    if found.older:
        return (
            f"{found.older} of {found.current + found.older} stored secrets still need a previous key. "
            "Run `roadstead secrets renew`."
        )
    return f"The key in force encrypts {found.current} stored secrets. No previous key is needed."
