"""Users as administrators manage them, and as they look after themselves."""

from typing import Final

from app.access import ProjectCall
from app.db import Page, UniqueViolation
from app.events import UserCreated, UserDeleted, UserUpdated, outbox
from app.harbor.errors import BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed
from app.harbor.query import ListQuery
from app.resources import Resources
from app.users import store
from app.users.create import ADMIN
from app.users.model import Profile
from app.users.passwords import hash_password, is_password
from app.users.rules import checked_description, checked_password, checked_username
from app.users.schemas import UserCreationReq, UserProfile

_TAKEN: Final = "there is a user of that name or e-mail address already"


async def list_users(r: Resources, query: ListQuery) -> Page[Profile]:
    """Return a page of the users."""
    async with r.database.autocommit() as statements:
        return await store.PROFILES.page(statements, query)


async def get_user(r: Resources, user_id: int) -> Profile:
    """Return a user; raise NotFound."""
    async with r.database.autocommit() as statements:
        return _found(await store.find_profile(statements, user_id))


async def get_current_user(r: Resources, call: ProjectCall) -> Profile:
    """Return the caller; raise PreconditionFailed for one who is no user."""
    if call.actor.user_id is None:
        raise PreconditionFailed("a robot account is no user: only users can ask who they are")
    return await get_user(r, call.actor.user_id)


async def register(r: Resources, call: ProjectCall, wanted: UserCreationReq) -> int:
    """Make a user and return the id; raise BadRequest or Conflict."""
    username = checked_username(wanted.username, r.settings.auth.robot_prefix)
    description = checked_description(wanted.email, wanted.realname, wanted.comment)
    password_hash = await hash_password(checked_password(wanted.password))
    async with r.database.transaction() as tx:
        user_id = await store.insert_profile(tx, username, description, password_hash=password_hash)
        if user_id is None:
            raise Conflict(_TAKEN)
        await outbox.record(tx, call.cause, UserCreated(name=username))
    return user_id


async def change_profile(r: Resources, call: ProjectCall, user_id: int, *, wanted: UserProfile) -> None:
    """Replace what is said about a user; raise BadRequest, Forbidden, NotFound or Conflict."""
    description = checked_description(wanted.email, wanted.realname, wanted.comment)
    async with r.database.transaction() as tx:
        user = _changeable(call, await store.lock_profile(tx, user_id))
        try:
            await store.update_profile(tx, user_id, description)
        except UniqueViolation:
            raise Conflict(_TAKEN) from None
        await outbox.record(tx, call.cause, UserUpdated(name=user.username, changed="profile"))


async def change_password(r: Resources, call: ProjectCall, user_id: int, *, new_password: str) -> None:
    """Give a user another password, which ends all of the user's sessions and tokens.

    Raises:
        Forbidden: an administrator's is not the caller's to change.
        BadRequest: the new one is weak, or the one that the user has.
        Conflict: it was changed since the caller showed the old one.
        NotFound: there is no such user.
    """
    async with r.database.autocommit() as statements:
        # First of all: whether a guess is right is for nobody who may not change it.
        _changeable(call, await store.find_profile(statements, user_id))
        password_hash = await store.find_password_hash(statements, user_id)
    if password_hash is None:
        raise _missing()
    new_hash = await hash_password(checked_password(new_password))
    if await is_password(new_password, password_hash):
        raise BadRequest("new_password: this is the password already")
    async with r.database.transaction() as tx:
        user = _changeable(call, await store.lock_profile(tx, user_id))
        is_own = call.actor.user_id == user_id
        if is_own and await store.find_password_hash(tx, user_id) != password_hash:
            raise Conflict("the password was changed meanwhile")
        await store.update_password(tx, user_id, new_hash)
        await outbox.record(tx, call.cause, UserUpdated(name=user.username, changed="password"))


async def set_sysadmin(r: Resources, call: ProjectCall, user_id: int, *, is_sysadmin: bool) -> None:
    """Make a user an administrator or not; raise Forbidden or NotFound."""
    async with r.database.transaction() as tx:
        user = _changeable(call, await store.lock_profile(tx, user_id))
        if not call.standing.is_sysadmin:
            raise Forbidden("only an administrator makes administrators")
        if user.username == ADMIN and not is_sysadmin:
            raise Forbidden(f"{ADMIN} stays an administrator, so that there is one")
        await store.update_sysadmin(tx, user_id, is_sysadmin=is_sysadmin)
        await outbox.record(tx, call.cause, UserUpdated(name=user.username, changed="sysadmin"))


async def remove_user(r: Resources, call: ProjectCall, user_id: int) -> None:
    """Remove a user; raise Forbidden or NotFound."""
    async with r.database.transaction() as tx:
        user = _changeable(call, await store.lock_profile(tx, user_id))
        if user.username == ADMIN or user_id == call.actor.user_id:
            raise Forbidden(f"nobody deletes {ADMIN}, and nobody deletes himself")
        await store.delete_user(tx, user_id)
        await outbox.record(tx, call.cause, UserDeleted(name=user.username))


def _changeable(call: ProjectCall, user: Profile | None) -> Profile:
    """Return a user whom the caller may change: a robot that manages users does not rise above them."""
    user = _found(user)
    if user.is_sysadmin and not call.standing.is_sysadmin:
        raise Forbidden("only an administrator changes an administrator")
    return user


def _found(user: Profile | None) -> Profile:
    if user is None:
        raise _missing()
    return user


def _missing() -> NotFound:
    return NotFound("there is no such user")
