"""`roadstead storage VERB ...`."""

import argparse
from pathlib import Path
from typing import Final

from cli.storage import check, copy

_DESCRIPTION: Final = """\
Before a registry goes live, have its storage do once all that it is going to be asked for:

  roadstead storage check

Copy all blobs from the storage of the settings to another one, while the registry works:

  roadstead storage copy --to new-storage.toml

new-storage.toml is a settings file of which [storage] counts:

  [storage]
  driver = "s3"
  bucket = "registry"

Every blob is verified on its way. A copy that was cut short goes on where it was, and a second one
copies what was pushed meanwhile. To move for good:

  1. roadstead storage copy --to new-storage.toml     as often as you like
  2. Make the system read only (`read_only` of PUT /api/v2.0/configurations), and copy once more.
  3. Give all processes the new settings, start them anew, and end read only.

Uploads that are under way at step 3 begin anew. Nothing is removed from the old storage.
"""


def command(arguments: list[str]) -> None:
    """Run `roadstead storage`."""
    parser = argparse.ArgumentParser(
        prog="roadstead storage",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    checking = verbs.add_parser(
        "check",
        help="try whether the storage does all that is needed",
        description="Have the storage do once all that it is going to be asked for. Nothing of it stays.",
    )
    checking.set_defaults(run=check.run)
    checking.add_argument(
        "--of", type=Path, metavar="FILE", help="settings of another storage; default: those in force"
    )
    copying = verbs.add_parser(
        "copy", help="copy all blobs", description="Copy all blobs to another storage."
    )
    copying.set_defaults(run=copy.run)
    copying.add_argument("--to", required=True, type=Path, metavar="FILE", help="settings of the new storage")
    copying.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="and of the old one; default: those in force"
    )
    copying.add_argument(
        "--at-once", type=_number, default=8, metavar="N", help="blobs at a time; default: 8"
    )
    chosen = parser.parse_args(arguments)
    chosen.run(chosen)


def _number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 256:  # noqa: PLR2004 - as the help would say it
        raise argparse.ArgumentTypeError("1 to 256")
    return number
