"""`roadstead settings`: which settings there are, and which are in force."""

import argparse
from itertools import groupby

from app.settings import Secret, Settings, describe, effective, load, show

_DESCRIPTION = """\
Print every setting as NAME=value, the way it is in force here; secrets as asterisks.

A setting comes from the environment (ROADSTEAD_DATABASE_URL), else from the TOML file that
ROADSTEAD_CONFIG names (url in [database]), else from its default.
"""

_PAGE = """\
# Settings

A setting comes from the environment, else from the TOML file that `ROADSTEAD_CONFIG` names, else from its
default. In the file, `ROADSTEAD_DATABASE_URL` is `url` in `[database]`, and `ROADSTEAD_LISTEN` is `listen`
above all tables. Durations are in seconds, sizes in bytes. An unknown or wrong setting stops the program
at its start. `roadstead settings` prints those in force.

This page is written by `make docs` from `app/settings/table.py`.
"""


def command(arguments: list[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="roadstead settings",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--markdown", action="store_true", help="print docs/configuration.md instead")
    if parser.parse_args(arguments).markdown:
        print(markdown(), end="")
        return
    for name, value in effective(load()):
        print(f"{name}={value}")


def markdown() -> str:
    """Return the text of docs/configuration.md."""
    return "\n".join(
        [_PAGE, *(_section(group) for group, _ in groupby(describe(), lambda setting: setting.group))]
    )


def _section(group: str) -> str:
    kind = Settings.__annotations__[group] if group else Settings
    rows = [
        f"| `{setting.env}` | {setting.type} | {_default(setting.default)} | {setting.description} |"
        for setting in describe()
        if setting.group == group
    ]
    title = f"[{group}]" if group else "General"
    return "\n".join(
        [
            f"## {title}",
            "",
            kind.__doc__ or "",
            "",
            "| setting | type | default | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _default(value: object) -> str:
    text = show(value)
    return f"`{text}`" if text and not isinstance(value, Secret) else ""
