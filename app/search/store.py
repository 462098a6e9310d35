"""Statements that count."""

from app.db import SQL, Statements
from app.search.model import Statistic

GET_STATISTIC = SQL("""
    WITH counted AS (
        SELECT p.id, p.is_public, q.used_bytes,
            (SELECT count(*) FROM repositories r WHERE r.project_id = p.id) AS repositories
        FROM projects p LEFT JOIN quotas q ON q.project_id = p.id
    ), own AS (
        SELECT m.project_id FROM project_members m WHERE m.user_id = %(user_id)s
        UNION
        SELECT m.project_id FROM user_group_members g JOIN project_members m ON m.group_id = g.group_id
        WHERE g.user_id = %(user_id)s
    )
    SELECT
        count(*) FILTER (WHERE NOT is_public AND is_seen) AS private_project_count,
        coalesce(sum(repositories) FILTER (WHERE NOT is_public AND is_seen), 0)::bigint AS private_repo_count,
        count(*) FILTER (WHERE is_public) AS public_project_count,
        coalesce(sum(repositories) FILTER (WHERE is_public), 0)::bigint AS public_repo_count,
        count(*) FILTER (WHERE %(sees_all)s) AS total_project_count,
        coalesce(sum(repositories) FILTER (WHERE %(sees_all)s), 0)::bigint AS total_repo_count,
        coalesce(sum(used_bytes) FILTER (WHERE %(sees_all)s), 0)::bigint AS total_storage_consumption
    FROM (SELECT c.*, %(sees_all)s OR c.id IN (SELECT project_id FROM own) AS is_seen FROM counted c) seen
""")


async def get_statistic(statements: Statements, *, user_id: int | None, sees_all: bool) -> Statistic:
    """Return how much there is of what, as a user may know it."""
    return await statements.one(Statistic, GET_STATISTIC, user_id=user_id, sees_all=sees_all)
