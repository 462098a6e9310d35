"""`roadstead VERB ...`: finds the verb, and turns what goes wrong into one sentence and an exit status."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from app.settings import SettingsError
from cli.loading import load_code
from cli.programs import StartError
from cli.supervisor import WRONG_SETTING


class Verb(NamedTuple):
    """A verb: the function that runs it, imported only when it is asked for, and what it is for."""

    function: str
    summary: str


VERBS: Final = {
    "up": Verb(
        "cli.up:command", "run the registry on this machine, with a PostgreSQL and a Valkey of its own"
    ),
    "serve": Verb("cli.serve:command", "run the web processes, on servers that the settings name"),
    "work": Verb("cli.work:command", "run one worker process, on servers that the settings name"),
    "jobs": Verb("cli.jobs:command", "show what the workers have to do; pause, resume and retry it"),
    "migrate": Verb("cli.migrate:command", "bring the database up to date and make the user `admin`"),
    "settings": Verb("cli.settings:command", "print the settings in force"),
    "user": Verb("cli.admin:user", "make users and change their passwords"),
    "storage": Verb(
        "cli.storage.command:command", "try whether a storage can be used; copy all blobs to another one"
    ),
    "secrets": Verb("cli.secret_keys:command", "say which keys stored secrets need, and change the key"),
    "project": Verb("cli.admin:project", "make projects, public or private, and give users roles in them"),
}

_DESCRIPTION = """\
Roadstead is an OCI registry. To try it:

  roadstead up                    everything it needs, in the foreground, data in ./data

In production, each of these may run many times, on any number of machines:

  roadstead migrate               first, and after every upgrade
  roadstead serve                 the web processes
  roadstead work                  the background work

All of them are set up by the environment (ROADSTEAD_...) or by the TOML file that ROADSTEAD_CONFIG
names; `roadstead settings` prints what is in force.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verb and return the exit status: 1 for a failure, 2 for what was asked for wrongly."""
    parser = argparse.ArgumentParser(
        prog="roadstead", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    for name, verb in VERBS.items():
        verbs.add_parser(name, help=verb.summary, add_help=False)  # `VERB --help` is the verb's own
    chosen, rest = parser.parse_known_args(arguments)
    module, _, function = VERBS[chosen.verb].function.partition(":")
    try:
        getattr(load_code(module), function)(rest)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return WRONG_SETTING
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
