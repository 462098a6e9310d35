"""Who is a member of a project, with which role."""

from app.access import ProjectCall, Role
from app.db import ForeignKeyViolation, Page, Transaction
from app.events import MemberCreated, MemberDeleted, MemberUpdated, outbox
from app.harbor.errors import BadRequest, Conflict, NotFound
from app.harbor.query import ListQuery
from app.members import store
from app.members.model import Member
from app.members.schemas import GroupEntity, ProjectMember, UserEntity
from app.resources import Resources
from app.users.find import find_group_id, find_user_id

NO_MEMBER = "the project has no such member"


async def list_members(r: Resources, project_id: int, query: ListQuery) -> Page[Member]:
    """Return a page of the project's members."""
    async with r.database.autocommit() as statements:
        return await store.MEMBERS.page(statements, query, project_id=project_id)


async def get_member(r: Resources, project_id: int, member_id: int) -> Member:
    """Return a member; raise NotFound."""
    async with r.database.autocommit() as statements:
        return _found(await store.find_member(statements, project_id, member_id))


async def add_member(r: Resources, call: ProjectCall, wanted: ProjectMember) -> int:
    """Give a user or a group a role in the project and return the membership's id.

    Raises:
        BadRequest: there is no such role, or it names neither a user nor a group.
        NotFound: there is no such user or group, or any of them goes at this moment.
        Conflict: it is a member already.
    """
    role = role_of(wanted.role_id)
    async with r.database.transaction() as tx:
        user_id, group_id = await _entity(tx, wanted)
        try:
            member_id = await store.insert_member(
                tx, call.project_id, user_id=user_id, group_id=group_id, role=role
            )
        except ForeignKeyViolation:
            raise NotFound("the project, the user or the group was removed meanwhile") from None
        if member_id is None:
            raise Conflict("it is a member of the project already")
        member = _found(await store.find_member(tx, call.project_id, member_id))
        event = MemberCreated(name=member.entity_name, project_name=call.project_name, role=role.value)
        await outbox.record(tx, call.cause, event)
    return member_id


async def change_role(r: Resources, call: ProjectCall, member_id: int, *, role: Role) -> None:
    """Give a member another role; raise NotFound."""
    async with r.database.transaction() as tx:
        member = _found(await store.lock_member(tx, call.project_id, member_id))
        await store.update_role(tx, member_id, role=role)
        event = MemberUpdated(name=member.entity_name, project_name=call.project_name, role=role.value)
        await outbox.record(tx, call.cause, event)


async def remove_member(r: Resources, call: ProjectCall, member_id: int) -> None:
    """Take a member out of the project; raise NotFound."""
    async with r.database.transaction() as tx:
        member = _found(await store.lock_member(tx, call.project_id, member_id))
        await store.delete_member(tx, member_id)
        event = MemberDeleted(name=member.entity_name, project_name=call.project_name)
        await outbox.record(tx, call.cause, event)


def role_of(number: int) -> Role:
    """Return the role of an id; raise BadRequest."""
    role = Role.numbered(number)
    if role is None:
        raise BadRequest(f"role_id: there is no role {number}; 1 to 5 are projectAdmin to limitedGuest")
    return role


async def _entity(tx: Transaction, wanted: ProjectMember) -> tuple[int | None, int | None]:
    user_id = group_id = None
    # Clients send an empty one for what they leave out.
    match wanted.member_user or UserEntity(), wanted.member_group or GroupEntity():
        case UserEntity(user_id=0, username=""), GroupEntity(id=0, group_name="", ldap_group_dn=""):
            raise BadRequest("name a member_user or a member_group")
        case user, GroupEntity(id=0, group_name="", ldap_group_dn=""):
            user_id = await find_user_id(tx, user.user_id, user.username)
        case UserEntity(user_id=0, username=""), group:
            group_id = await find_group_id(tx, group.id, group.group_name, ldap_dn=group.ldap_group_dn)
        case _:
            raise BadRequest("name either member_user or member_group")
    if user_id is None and group_id is None:
        raise NotFound("there is no such user or group")
    return user_id, group_id


def _found(member: Member | None) -> Member:
    if member is None:
        raise NotFound(NO_MEMBER)
    return member
