"""`roadstead user` and `roadstead project`: the first administration, straight on the database."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from app.access import Role
from app.db import Transaction
from app.members.assign import NoSuchProject, NoSuchUser, assign_role
from app.oci.errors import NameInvalid
from app.projects.change import set_visibility
from app.projects.create import ProjectNameTaken, create_project
from app.settings import Settings, load
from app.users.create import UsernameTaken, create_user, set_password
from app.users.passwords import PasswordTooWeak
from cli.programs import StartError
from cli.servers import cause, use_database

Act: TypeAlias = Callable[[Transaction, argparse.Namespace], Awaitable[str]]

_USER = """\
Users of the registry. The password is asked for, or read from standard input; it has 8 to 128
characters, among them an upper-case letter, a lower-case letter and a digit:

  roadstead user create alice
  echo "$SECRET" | roadstead user password alice --password-stdin
"""

_PROJECT = """\
Projects own repositories: the first component of a repository's name is its project.

  roadstead project create team                    only members see it
  roadstead project create images --public         everybody may pull
  roadstead project member team alice developer    alice may push to team/...
"""


def user(arguments: list[str]) -> None:
    """Run `roadstead user`."""
    parser, verbs = _parser("user", _USER)
    for name, act, summary in (
        ("create", _create_user, "make a user"),
        ("password", _set_password, "change a user's password"),
    ):
        verb = verbs.add_parser(name, help=summary, description=summary)
        verb.set_defaults(act=act)
        verb.add_argument("username")
        verb.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
        if name == "create":
            verb.add_argument("--sysadmin", action="store_true", help="who may do everything")
    _run(parser.parse_args(arguments))


def project(arguments: list[str]) -> None:
    """Run `roadstead project`."""
    parser, verbs = _parser("project", _PROJECT)
    for name, act, summary in (
        ("create", _create_project, "make a project"),
        ("visibility", _set_visibility, "make a project private, or public"),
        ("member", _assign_role, "give a user a role in a project, instead of any other"),
    ):
        verb = verbs.add_parser(name, help=summary, description=summary)
        verb.set_defaults(act=act)
        verb.add_argument("project")
        if name == "member":
            verb.add_argument("username")
            verb.add_argument("role", type=Role, choices=list(Role))
        else:
            verb.add_argument("--public", action="store_true", help="everybody may pull, without a login")
    _run(parser.parse_args(arguments))


async def _create_user(tx: Transaction, chosen: argparse.Namespace) -> str:
    try:
        await create_user(tx, chosen.username, _password(chosen), is_sysadmin=chosen.sysadmin)
    except UsernameTaken:
        raise StartError(f"There is a user {chosen.username} already.") from None
    return f"Made the user {chosen.username}."


async def _set_password(tx: Transaction, chosen: argparse.Namespace) -> str:
    if not await set_password(tx, chosen.username, _password(chosen)):
        raise StartError(f"There is no user {chosen.username}.")
    return f"Changed the password of {chosen.username}."


async def _create_project(tx: Transaction, chosen: argparse.Namespace) -> str:
    try:
        await create_project(tx, chosen.project, cause(), is_public=chosen.public)
    except ProjectNameTaken:
        raise StartError(f"There is a project {chosen.project} already.") from None
    except NameInvalid:
        raise StartError(
            f"{chosen.project!r} cannot be a project: lower-case letters, digits, . _ -"
        ) from None
    return f"Made the {'public' if chosen.public else 'private'} project {chosen.project}."


async def _set_visibility(tx: Transaction, chosen: argparse.Namespace) -> str:
    if not await set_visibility(tx, chosen.project, cause(), is_public=chosen.public):
        raise StartError(f"There is no project {chosen.project}.")
    return f"The project {chosen.project} is {'public' if chosen.public else 'private'}."


async def _assign_role(tx: Transaction, chosen: argparse.Namespace) -> str:
    try:
        await assign_role(tx, chosen.project, chosen.username, role=chosen.role)
    except NoSuchProject:
        raise StartError(f"There is no project {chosen.project}.") from None
    except NoSuchUser:
        raise StartError(f"There is no user {chosen.username}.") from None
    return f"{chosen.username} is {chosen.role} of {chosen.project}."


def _parser(
    noun: str, description: str
) -> tuple[argparse.ArgumentParser, "argparse._SubParsersAction[argparse.ArgumentParser]"]:
    parser = argparse.ArgumentParser(
        prog=f"roadstead {noun}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser, parser.add_subparsers(metavar="VERB", required=True)


def _run(chosen: argparse.Namespace) -> None:
    settings = load()
    try:
        print(asyncio.run(_act(settings, chosen)))
    except PasswordTooWeak as error:
        raise StartError(str(error)) from None


async def _act(settings: Settings, chosen: argparse.Namespace) -> str:
    async with use_database(settings) as database, database.transaction() as tx:
        act: Act = chosen.act
        return await act(tx, chosen)


def _password(chosen: argparse.Namespace) -> str:
    if chosen.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass(f"Password for {chosen.username}: ")
