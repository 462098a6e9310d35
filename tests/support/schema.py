"""The schema that the migrations make, as text; run as a program it writes app/db/schema.sql."""

import re
import subprocess
from pathlib import Path

from cli.embedded import postgres
from tests.support.scratch import short_directory
from tests.support.servers import databases_on, postgres_server

SCHEMA_FILE = Path(__file__).parents[2] / "app/db/schema.sql"

_HEADING = """\
-- What the migrations in this directory make of an empty database. Written by `make schema`: do not edit.
"""
_NO_SCHEMA = re.compile(r"--|SET |SELECT pg_catalog\.set_config|\\")


def dump(url: str) -> str:
    """Return the definitions of a database by the embedded pg_dump, less what is not about the schema."""
    program = postgres.find_prefix("") / "bin/pg_dump"
    options = ("--schema-only", "--no-owner", "--no-privileges")
    done = subprocess.run([program, *options, url], capture_output=True, text=True, check=True)
    statements = "\n".join(line for line in done.stdout.splitlines() if not _NO_SCHEMA.match(line))
    return _HEADING + re.sub(r"\n{2,}", "\n\n", statements).replace("public.", "").strip() + "\n"


def main() -> None:
    """Migrate a fresh database and keep what came of it."""
    with (
        short_directory() as directory,
        postgres_server(directory) as server,
        databases_on(server) as databases,
        databases.fresh(migrated=True) as url,
    ):
        SCHEMA_FILE.write_text(dump(url), encoding="utf-8")


if __name__ == "__main__":
    main()
