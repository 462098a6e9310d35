"""Statements on members."""

from typing import Final

from app.access import Role
from app.db import SQL, Column, Listing, Statements, Transaction
from app.members.model import Member

UPSERT_MEMBER = SQL("""
    INSERT INTO project_members (project_id, user_id, role) VALUES (%(project_id)s, %(user_id)s, %(role)s)
    ON CONFLICT (project_id, user_id) DO UPDATE SET role = EXCLUDED.role
""")


async def upsert_member(tx: Transaction, project_id: int, user_id: int, *, role: Role) -> None:
    """Give a user a role in a project, instead of any other."""
    await tx.run(UPSERT_MEMBER, project_id=project_id, user_id=user_id, role=role.value)


INSERT_MEMBER = SQL("""
    INSERT INTO project_members (project_id, user_id, group_id, role)
    VALUES (%(project_id)s, %(user_id)s::bigint, %(group_id)s::bigint, %(role)s)
    ON CONFLICT DO NOTHING RETURNING id
""")


async def insert_member(
    tx: Transaction, project_id: int, *, user_id: int | None, group_id: int | None, role: Role
) -> int | None:
    """Add a user or a group and return the membership's id, or None when it is a member already."""
    found = await tx.value(
        INSERT_MEMBER, project_id=project_id, user_id=user_id, group_id=group_id, role=role.value
    )
    return None if found is None else int(found)


def _member(*, role: str, **columns: object) -> Member:
    return Member(role=Role(role), **columns)  # type: ignore[arg-type]  # columns by their names


_ONE: Final = """
    SELECT m.id, m.project_id, coalesce(m.user_id, m.group_id) AS entity_id,
        coalesce(u.username, g.name) AS entity_name, m.group_id IS NOT NULL AS is_group, m.role
    FROM project_members m
    LEFT JOIN users u ON u.id = m.user_id
    LEFT JOIN user_groups g ON g.id = m.group_id
    WHERE m.project_id = %(project_id)s AND m.id = %(member_id)s
"""
FIND_MEMBER = SQL(_ONE)


async def find_member(statements: Statements, project_id: int, member_id: int) -> Member | None:
    """Return a membership."""
    return await statements.maybe(_member, FIND_MEMBER, project_id=project_id, member_id=member_id)


LOCK_MEMBER = SQL(_ONE + "FOR UPDATE OF m")


async def lock_member(tx: Transaction, project_id: int, member_id: int) -> Member | None:
    """Return a membership that nobody else changes until `tx` ends."""
    return await tx.maybe(_member, LOCK_MEMBER, project_id=project_id, member_id=member_id)


MEMBERS = Listing(
    _member,
    rows="""
        SELECT m.id, m.project_id, coalesce(m.user_id, m.group_id) AS entity_id,
            coalesce(u.username, g.name) AS entity_name, m.group_id IS NOT NULL AS is_group, m.role
        FROM project_members m
        LEFT JOIN users u ON u.id = m.user_id
        LEFT JOIN user_groups g ON g.id = m.group_id
        WHERE m.project_id = %(project_id)s AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="""
        SELECT count(*) FROM project_members m
        LEFT JOIN users u ON u.id = m.user_id
        LEFT JOIN user_groups g ON g.id = m.group_id
        WHERE m.project_id = %(project_id)s AND {conditions}
    """,
    columns={
        "entity_name": Column("coalesce(u.username, g.name)"),
        "role_name": Column("m.role"),
    },
    order="m.id",
)

UPDATE_ROLE = SQL("UPDATE project_members SET role = %(role)s WHERE id = %(member_id)s")


async def update_role(tx: Transaction, member_id: int, *, role: Role) -> None:
    """Give a member another role."""
    await tx.run(UPDATE_ROLE, member_id=member_id, role=role.value)


DELETE_MEMBER = SQL("DELETE FROM project_members WHERE id = %(member_id)s")


async def delete_member(tx: Transaction, member_id: int) -> None:
    """Take a member out of the project."""
    await tx.run(DELETE_MEMBER, member_id=member_id)
