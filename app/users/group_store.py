"""Statements on groups of users."""

from app.db import SQL, Column, Listing, Statements, Transaction
from app.users.model import Group, GroupKind


def _group(*, kind: str, **columns: object) -> Group:
    return Group(kind=GroupKind(kind), **columns)  # type: ignore[arg-type]  # columns by their names


GROUPS = Listing(
    _group,
    rows="""
        SELECT id, name, kind, ldap_dn FROM user_groups
        WHERE {conditions} ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="SELECT count(*) FROM user_groups WHERE {conditions}",
    columns={
        "id": Column("id", int),
        "group_name": Column("name"),
        "ldap_group_dn": Column("ldap_dn"),
    },
    order="name",
)

FIND_GROUP = SQL("SELECT id, name, kind, ldap_dn FROM user_groups WHERE id = %(group_id)s")


async def find_group(statements: Statements, group_id: int) -> Group | None:
    """Return a group."""
    return await statements.maybe(_group, FIND_GROUP, group_id=group_id)


LOCK_GROUP = SQL("SELECT id, name, kind, ldap_dn FROM user_groups WHERE id = %(group_id)s FOR UPDATE")


async def lock_group(tx: Transaction, group_id: int) -> Group | None:
    """Return a group that nobody else changes until `tx` ends."""
    return await tx.maybe(_group, LOCK_GROUP, group_id=group_id)


FIND_GROUP_ID = SQL("""
    SELECT id FROM user_groups
    WHERE CASE
        WHEN %(group_id)s > 0 THEN id = %(group_id)s
        WHEN %(ldap_dn)s <> '' THEN lower(ldap_dn) = lower(%(ldap_dn)s)
        ELSE name = %(name)s
    END
""")


async def find_group_id(statements: Statements, group_id: int, name: str, *, ldap_dn: str) -> int | None:
    """Return the id of the group of this id, else of this place in the directory, else of this name."""
    found = await statements.value(FIND_GROUP_ID, group_id=group_id, name=name, ldap_dn=ldap_dn)
    return None if found is None else int(found)


INSERT_GROUP = SQL("""
    INSERT INTO user_groups (name, kind, ldap_dn) VALUES (%(name)s, %(kind)s, %(ldap_dn)s)
    ON CONFLICT DO NOTHING RETURNING id
""")


async def insert_group(tx: Transaction, name: str, *, kind: GroupKind, ldap_dn: str) -> int | None:
    """Add a group and return the id, or None when its name or its place in the directory is taken."""
    found = await tx.value(INSERT_GROUP, name=name, kind=kind.value, ldap_dn=ldap_dn)
    return None if found is None else int(found)


UPDATE_GROUP = SQL("UPDATE user_groups SET name = %(name)s, updated_at = now() WHERE id = %(group_id)s")


async def update_group(tx: Transaction, group_id: int, name: str) -> None:
    """Give a group another name; raise UniqueViolation when it is taken."""
    await tx.run(UPDATE_GROUP, group_id=group_id, name=name)


DELETE_GROUP = SQL("DELETE FROM user_groups WHERE id = %(group_id)s")


async def delete_group(tx: Transaction, group_id: int) -> None:
    """Remove a group, and its memberships with it."""
    await tx.run(DELETE_GROUP, group_id=group_id)
