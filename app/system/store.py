"""Statements on the system as a whole."""

from datetime import timedelta

from app.db import SQL, Statements

FIND_OLDEST_EVENT = SQL("SELECT now() - recorded_at FROM outbox ORDER BY id LIMIT 1")


async def find_oldest_event(statements: Statements) -> timedelta | None:
    """Return for how long the oldest event has waited for a worker, or None where none waits."""
    found: timedelta | None = await statements.value(FIND_OLDEST_EVENT)
    return found


FIND_ADMINISTERED = SQL("""
    SELECT m.project_id FROM project_members m
    WHERE m.role = 'projectAdmin' AND (
        m.user_id = %(user_id)s
        OR m.group_id IN (SELECT g.group_id FROM user_group_members g WHERE g.user_id = %(user_id)s)
    ) LIMIT 1
""")


async def find_administered(statements: Statements, user_id: int) -> int | None:
    """Return the id of some project that the user administers."""
    found: int | None = await statements.value(FIND_ADMINISTERED, user_id=user_id)
    return found
