"""Statements on quotas."""

from datetime import datetime

import msgspec

from app.db import SQL, Column, Database, Listing, Prepared, Statements, Transaction
from app.events import Cause, QuotaWarned, wire_name
from app.quotas.model import WARN_PERCENT, Growth, Incoming, ProjectQuota, Usage

CHARGE = Prepared(
    "charge_quota",
    ("bigint", "bigint", "integer", "text", "text", "text"),
    """
    WITH charged AS (
        UPDATE quotas SET used_bytes = used_bytes + $2
        WHERE project_id = $1 AND (hard_bytes < 0 OR used_bytes + $2 <= hard_bytes)
        RETURNING used_bytes, hard_bytes
    ), warned AS (
        INSERT INTO outbox (type, payload, cause)
        SELECT $4,
            ($5::jsonb || jsonb_build_object('used_bytes', used_bytes, 'hard_bytes', hard_bytes))::json,
            $6::json
        FROM charged
        WHERE used_bytes >= hard_bytes / 100.0 * $3 AND used_bytes - $2 < hard_bytes / 100.0 * $3
    )
    SELECT refuse_over_quota() FROM quotas WHERE project_id = $1 AND NOT EXISTS (SELECT FROM charged)
    """,
)


def charge_at_commit(tx: Transaction, growth: Growth, *, warning: QuotaWarned, cause: Cause) -> None:
    """Count bytes in addition, together with COMMIT, and record the warning where they cross the threshold.

    The commit raises CheckViolation where they do not fit.
    """
    tx.finally_run(
        CHARGE,
        *(growth.project_id, growth.added_bytes, WARN_PERCENT, wire_name(QuotaWarned)),
        *(msgspec.json.encode(warning).decode(), msgspec.json.encode(cause).decode()),
    )


RELEASE = Prepared(
    "release_quota",
    ("bigint", "bigint"),
    "UPDATE quotas SET used_bytes = used_bytes - $2 WHERE project_id = $1",
)


def release_at_commit(tx: Transaction, project_id: int, freed_bytes: int) -> None:
    """Count bytes no more, together with COMMIT."""
    tx.finally_run(RELEASE, project_id, freed_bytes)


FIND_USAGE = SQL("SELECT used_bytes, hard_bytes FROM quotas WHERE project_id = %(project_id)s")


async def find_usage(statements: Statements, project_id: int) -> Usage | None:
    """Return the figures of a project's quota."""
    return await statements.maybe(Usage, FIND_USAGE, project_id=project_id)


FIND_TOO_FULL = Prepared(
    "find_too_full",
    ("bigint", "text", "bigint", "uuid"),
    """
    SELECT q.used_bytes, q.hard_bytes, kept.size_bytes
    FROM quotas q, LATERAL (
        SELECT coalesce(sum(s.reserved_bytes), 0)::bigint AS size_bytes FROM upload_sessions s
        WHERE s.reserved_project_id = q.project_id AND s.reserved_bytes IS NOT NULL
            AND s.expires_at > now() AND s.id IS DISTINCT FROM $4
    ) kept
    WHERE q.project_id = $1 AND q.hard_bytes >= 0 AND q.used_bytes + kept.size_bytes + $3 > q.hard_bytes
        AND NOT EXISTS (
            SELECT FROM project_blobs b WHERE b.project_id = q.project_id
            AND CASE WHEN $2 IS NULL THEN b.size_bytes >= $3 ELSE b.digest = $2 END
        )
    """,
)


async def find_too_full(database: Database, project_id: int, blob: Incoming) -> Usage | None:
    """Return the figures where a blob of at least this size cannot fit; None where it can.

    It can where the project uses it already; without a digest, where it uses any that is not smaller. What
    other uploads have reserved is not free.
    """
    rows = await database.read(FIND_TOO_FULL, project_id, blob.digest, blob.size_bytes, blob.upload_id)
    return Usage(*rows[0]) if rows else None


async def lock_too_full(tx: Transaction, project_id: int, blob: Incoming) -> Usage | None:
    """Do the same; nobody else is told that anything fits in this way until `tx` ends."""
    await lock_used(tx, project_id)
    rows = await tx.tuples(FIND_TOO_FULL, project_id, blob.digest, blob.size_bytes, blob.upload_id)
    return Usage(*rows[0]) if rows else None


QUOTAS = Listing(
    ProjectQuota,
    rows="""
        SELECT q.project_id, p.name AS project_name, coalesce(u.username, '') AS owner_name, q.hard_bytes,
            q.used_bytes, q.created_at, q.updated_at
        FROM quotas q JOIN projects p ON p.id = q.project_id LEFT JOIN users u ON u.id = p.owner_id
        WHERE {conditions} ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="SELECT count(*) FROM quotas q WHERE {conditions}",
    columns={
        "reference_id": Column("q.project_id", int),
        "creation_time": Column("q.created_at", datetime),
        "update_time": Column("q.updated_at", datetime),
        "hard.storage": Column("q.hard_bytes", int),
        "used.storage": Column("q.used_bytes", int),
    },
    order="q.project_id",
)

FIND_QUOTA = SQL("""
    SELECT q.project_id, p.name AS project_name, coalesce(u.username, '') AS owner_name, q.hard_bytes,
        q.used_bytes, q.created_at, q.updated_at
    FROM quotas q JOIN projects p ON p.id = q.project_id LEFT JOIN users u ON u.id = p.owner_id
    WHERE q.project_id = %(project_id)s
""")


async def find_quota(statements: Statements, project_id: int) -> ProjectQuota | None:
    """Return the quota of a project."""
    return await statements.maybe(ProjectQuota, FIND_QUOTA, project_id=project_id)


UPDATE_HARD = SQL("""
    UPDATE quotas q SET hard_bytes = %(hard_bytes)s, updated_at = now() FROM projects p
    WHERE q.project_id = %(project_id)s AND p.id = q.project_id
    RETURNING p.name
""")


async def update_hard(tx: Transaction, project_id: int, *, hard_bytes: int) -> str | None:
    """Set a limit and return the project's name, or None when there is no such quota."""
    found = await tx.value(UPDATE_HARD, project_id=project_id, hard_bytes=hard_bytes)
    return None if found is None else str(found)


LOCK_USED = SQL("""
    INSERT INTO quotas AS q (project_id) SELECT id FROM projects WHERE id = %(project_id)s FOR KEY SHARE
    ON CONFLICT (project_id) DO UPDATE SET used_bytes = q.used_bytes
    RETURNING used_bytes
""")


async def lock_used(tx: Transaction, project_id: int) -> int | None:
    """Return what is counted, unchanged until `tx` ends; None when there is no such project."""
    found = await tx.value(LOCK_USED, project_id=project_id)
    return None if found is None else int(found)


UPDATE_USED = SQL("UPDATE quotas SET used_bytes = %(used_bytes)s WHERE project_id = %(project_id)s")


async def update_used(tx: Transaction, project_id: int, *, used_bytes: int) -> None:
    """Set what is counted."""
    await tx.run(UPDATE_USED, project_id=project_id, used_bytes=used_bytes)
