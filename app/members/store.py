"""Statements on members."""

from app.access import Role
from app.db import SQL, Transaction

UPSERT_MEMBER = SQL("""
    INSERT INTO project_members (project_id, user_id, role) VALUES (%(project_id)s, %(user_id)s, %(role)s)
    ON CONFLICT (project_id, user_id) DO UPDATE SET role = EXCLUDED.role
""")


async def upsert_member(tx: Transaction, project_id: int, user_id: int, *, role: Role) -> None:
    """Give a user a role in a project, instead of any other."""
    await tx.run(UPSERT_MEMBER, project_id=project_id, user_id=user_id, role=role.value)
