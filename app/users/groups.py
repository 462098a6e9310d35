"""Groups of users that come from a directory: known by name, so that projects can give them roles."""

from typing import Final

from app.access import ProjectCall
from app.db import Page, UniqueViolation
from app.events import UserGroupCreated, UserGroupDeleted, UserGroupUpdated, outbox
from app.harbor.errors import BadRequest, Conflict, NotFound
from app.harbor.query import ListQuery
from app.resources import Resources
from app.users import group_store
from app.users.model import Group, GroupKind
from app.users.schemas import UserGroupReq

_TAKEN: Final = "there is a group of that name, or of that place in the directory, already"


async def list_groups(r: Resources, query: ListQuery) -> Page[Group]:
    """Return a page of the groups."""
    async with r.database.autocommit() as statements:
        return await group_store.GROUPS.page(statements, query)


async def get_group(r: Resources, group_id: int) -> Group:
    """Return a group; raise NotFound."""
    async with r.database.autocommit() as statements:
        return _found(await group_store.find_group(statements, group_id))


async def create_group(r: Resources, call: ProjectCall, wanted: UserGroupReq) -> int:
    """Make a group known and return its id; raise BadRequest or Conflict."""
    name, kind = _named(wanted.group_name), GroupKind.numbered(wanted.group_type)
    if kind is None:
        raise BadRequest("group_type: 1 is LDAP, 2 is HTTP, 3 is OIDC")
    ldap_dn = wanted.ldap_group_dn.strip() if kind is GroupKind.LDAP else ""
    if kind is GroupKind.LDAP and "=" not in ldap_dn:
        raise BadRequest(
            "ldap_group_dn: say where in the directory it is, such as `cn=dev,dc=example,dc=org`"
        )
    async with r.database.transaction() as tx:
        group_id = await group_store.insert_group(tx, name, kind=kind, ldap_dn=ldap_dn)
        if group_id is None:
            raise Conflict(_TAKEN)
        await outbox.record(tx, call.cause, UserGroupCreated(name=name))
    return group_id


async def rename_group(r: Resources, call: ProjectCall, group_id: int, *, name: str) -> None:
    """Give a group another name; raise BadRequest, NotFound or Conflict."""
    wanted = _named(name)
    async with r.database.transaction() as tx:
        _found(await group_store.lock_group(tx, group_id))
        try:
            await group_store.update_group(tx, group_id, wanted)
        except UniqueViolation:
            raise Conflict(_TAKEN) from None
        await outbox.record(tx, call.cause, UserGroupUpdated(name=wanted))


async def remove_group(r: Resources, call: ProjectCall, group_id: int) -> None:
    """Remove a group and the roles that projects gave it; raise NotFound."""
    async with r.database.transaction() as tx:
        group = _found(await group_store.lock_group(tx, group_id))
        await group_store.delete_group(tx, group_id)
        await outbox.record(tx, call.cause, UserGroupDeleted(name=group.name))


def _named(name: str) -> str:
    if not name.strip() or not name.strip().isprintable():
        raise BadRequest("group_name: a group has a name, of characters that can be seen")
    return name.strip()


def _found(group: Group | None) -> Group:
    if group is None:
        raise NotFound("there is no such group")
    return group
