"""Making, changing and removing robots."""

import re
from typing import Final

from msgspec import Struct

from app.access import ProjectCall
from app.configuration.current import current
from app.db import ForeignKeyViolation, Page
from app.events import RobotCreated, RobotDeleted, RobotUpdated, outbox
from app.harbor.errors import BadRequest, Conflict, NotFound
from app.harbor.query import Condition, ListQuery, Match
from app.resources import Resources
from app.robots import store
from app.robots.model import FOREVER, Robot, RobotWanted
from app.robots.permissions import held, project_of
from app.robots.schemas import RobotCreate, RobotUpdate
from app.users.passwords import PasswordTooWeak, check_password, generate_password, hash_password

_NAME: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_LONGEST_DAYS: Final = 36_500
_LARGEST_ID: Final = 2**63 - 1


class NewRobot(Struct, frozen=True):
    """A robot that was just made, and its secret."""

    robot: Robot
    secret: str


def project_asked_for(query: ListQuery) -> int:
    """Return the project whose robots are to be listed, 0 for those of the system; raise BadRequest."""
    asked = {condition.key: condition for condition in query.conditions}
    match asked.get("Level"), asked.get("ProjectID"):
        case None | Condition(match=Match.EXACT, values=("system",)), _:
            return 0
        case (
            Condition(match=Match.EXACT, values=("project",)),
            Condition(match=Match.EXACT, values=(text,)),
        ) if text.isascii() and text.isdigit() and 0 < int(text) <= _LARGEST_ID:
            return int(text)
        case _:
            raise BadRequest("q: `Level=system`, or `Level=project,ProjectID=` and the project's id")


async def list_robots(r: Resources, call: ProjectCall, query: ListQuery) -> Page[Robot]:
    """Return a page of the robots of a project, or of the system."""
    async with r.database.autocommit() as statements:
        return await store.ROBOTS.page(statements, query, project_id=call.project_id)


async def find_robot(r: Resources, robot_id: int) -> Robot | None:
    """Return a robot."""
    async with r.database.autocommit() as statements:
        return await store.find_robot(statements, robot_id)


async def create_robot(r: Resources, call: ProjectCall, wanted: RobotCreate) -> NewRobot:
    """Make a robot of the project, or of the system.

    Raises:
        BadRequest: its name, duration, secret or permissions can't be.
        NotFound: there is no such project.
        Denied: the caller is a robot and has less than is wanted.
        Conflict: the name is taken.
    """
    if not _NAME.fullmatch(wanted.name):
        raise BadRequest("name: lower case letters and digits, and `.`, `_` or `-` between them")
    days = (await current(r)).robot_token_duration if wanted.duration is None else _checked(wanted.duration)
    secret = _secret(wanted.secret)
    secret_hash = await hash_password(secret)
    is_of_project = wanted.level == "project"
    name = f"{call.project_name}+{wanted.name}" if is_of_project else wanted.name
    async with r.database.transaction() as tx:
        permissions = await held(tx, call, wanted.permissions)
        try:
            robot_id = await store.insert_robot(
                tx,
                name,
                RobotWanted(wanted.description, permissions, days, wanted.is_disabled),
                project_id=call.project_id if is_of_project else None,
                secret_hash=secret_hash,
                creator=call.actor,
            )
        except ForeignKeyViolation:
            raise NotFound("there is no such project") from None
        if robot_id is None:
            raise Conflict(f"there is a robot {name} already")
        event = RobotCreated(name=full_name(r, name), project_name=call.project_name)
        await outbox.record(tx, call.cause, event)
        return NewRobot(_found(await store.find_robot(tx, robot_id)), secret)


async def update_robot(r: Resources, call: ProjectCall, robot_id: int, *, wanted: RobotUpdate) -> None:
    """Change what a robot may, how long it lives, whether it works, and what is said of it.

    Raises:
        BadRequest: it is to have another level, name or project, or what it is to become can't be.
        NotFound: there is no such robot, or no such project.
        Denied: the caller is a robot and has less than is wanted.
    """
    async with r.database.transaction() as tx:
        robot = _found(await store.lock_robot(tx, robot_id))
        if (wanted.level, wanted.name) != (robot.level, full_name(r, robot.name)):
            raise BadRequest(f"level and name stay as they are: {robot.level} {full_name(r, robot.name)}")
        if project_of(wanted.level, wanted.permissions) != call.project_name:
            raise BadRequest("permissions: a robot stays one of its project")
        permissions = await held(tx, call, wanted.permissions)
        days = robot.duration_days if wanted.duration is None else _checked(wanted.duration)
        becomes = RobotWanted(wanted.description, permissions, days, wanted.is_disabled)
        if changed := _changed(robot, becomes):
            await store.update_robot(tx, robot_id, becomes)
            event = RobotUpdated(
                name=full_name(r, robot.name), project_name=call.project_name, changed=", ".join(changed)
            )
            await outbox.record(tx, call.cause, event)


async def refresh_secret(r: Resources, call: ProjectCall, robot_id: int, *, given: str) -> str:
    """Give a robot this secret, or a new one, and return it; raise BadRequest or NotFound."""
    secret = _secret(given)
    secret_hash = await hash_password(secret)
    async with r.database.transaction() as tx:
        robot = _found(await store.lock_robot(tx, robot_id))
        await store.update_secret(tx, robot_id, secret_hash)
        event = RobotUpdated(name=full_name(r, robot.name), project_name=call.project_name, changed="secret")
        await outbox.record(tx, call.cause, event)
    return secret


async def delete_robot(r: Resources, call: ProjectCall, robot_id: int) -> None:
    """Remove a robot; raise NotFound."""
    async with r.database.transaction() as tx:
        robot = _found(await store.lock_robot(tx, robot_id))
        await store.delete_robot(tx, robot_id)
        event = RobotDeleted(name=full_name(r, robot.name), project_name=call.project_name)
        await outbox.record(tx, call.cause, event)


def full_name(r: Resources, name: str) -> str:
    """Return the name that a robot logs in with."""
    return r.settings.auth.robot_prefix + name


def _changed(robot: Robot, wanted: RobotWanted) -> list[str]:
    return [name for name in wanted.__struct_fields__ if getattr(robot, name) != getattr(wanted, name)]


def _checked(days: int) -> int:
    if days != FOREVER and not 0 < days <= _LONGEST_DAYS:
        raise BadRequest(f"duration: -1 for ever, or 1 to {_LONGEST_DAYS} days")
    return days


def _secret(given: str) -> str:
    """Return the given secret, for which the rule of passwords holds, or a new one where none is given."""
    if not given:
        return generate_password()
    try:
        check_password(given)
    except PasswordTooWeak as error:
        raise BadRequest(f"secret: {error}") from None
    return given


def _found(robot: Robot | None) -> Robot:
    if robot is None:
        raise NotFound("there is no such robot")
    return robot
