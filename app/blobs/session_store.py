"""Statements on upload sessions. A lease names the one writer; without a lease nobody writes to storage."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

from app.blobs.model import INLINE_BYTES, Progress, Standing, UploadSession
from app.db import SQL, Database, Prepared, Transaction
from app.oci.digest import Algorithm, Digest
from app.storage import UploadState

INSERT_SESSION = Prepared(
    "insert_session",
    ("uuid", "text", "text", "text", "json", "interval"),
    """
    INSERT INTO upload_sessions (id, repository_name, owner, algorithm, storage_state, expires_at)
    VALUES ($1, $2, $3, $4, $5, now() + $6)
    """,
)


async def insert_session(
    database: Database,
    repository: str,
    *,
    owner: str,
    algorithm: Algorithm,
    storage_state: UploadState,
    expiry: timedelta,
) -> UUID:
    """Open a session and return its id. It has no bytes yet, so the disk is not waited for."""
    upload_id, state = uuid4(), json.dumps(storage_state)
    await database.note(INSERT_SESSION, upload_id, repository, owner, algorithm, state, expiry)
    return upload_id


FIND_SESSION = Prepared(
    "find_session",
    ("uuid", "text"),
    """
    SELECT id, repository_name, offset_bytes, algorithm, hash_state, tail, storage_state, lease_token,
        direct, found_digest
    FROM upload_sessions
    WHERE id = $1 AND repository_name = $2 AND expires_at > now()
    """,
)


async def find_session(database: Database, repository: str, upload_id: UUID) -> UploadSession | None:
    """Return a session that has not expired."""
    rows = await database.read(FIND_SESSION, upload_id, repository)
    if not rows:
        return None
    found, name, offset, algorithm, hash_state, tail, storage_state, lease_token, direct, digest = rows[0]
    return UploadSession(
        id=found,
        repository_name=name,
        offset_bytes=offset,
        algorithm=algorithm,
        hash_state=None if hash_state is None else bytes(hash_state),
        tail=bytes(tail),
        storage_state=storage_state,
        lease_token=lease_token,
        direct=direct,
        found_digest=digest and Digest(digest),
    )


LEASE_SESSION = SQL("""
    UPDATE upload_sessions s SET lease_token = gen_random_uuid(), leased_until = now() + %(lease)s
    FROM (
        SELECT id, lease_token IS NOT NULL AS is_contested FROM upload_sessions
        WHERE id = %(upload_id)s AND repository_name = %(repository)s AND expires_at > now()
            AND (lease_token IS NULL OR leased_until < now())
        FOR UPDATE
    ) free
    WHERE s.id = free.id
    RETURNING s.id, repository_name, offset_bytes, algorithm, hash_state, tail, storage_state, lease_token,
        direct, found_digest, is_contested
""")


async def lease_session(
    database: Database, repository: str, upload_id: UUID, *, lease: timedelta
) -> UploadSession | None:
    """Become the session's one writer; None when there is no such session or it has a live writer."""
    async with database.autocommit() as statements:
        return await statements.maybe(
            _session, LEASE_SESSION, repository=repository, upload_id=upload_id, lease=lease
        )


RENEW_LEASE = SQL("""
    UPDATE upload_sessions SET leased_until = now() + %(lease)s
    WHERE id = %(upload_id)s AND lease_token = %(token)s
""")


async def renew_lease(database: Database, upload_id: UUID, token: UUID, *, lease: timedelta) -> bool:
    """Show a sign of life; False when somebody else took the session over."""
    async with database.autocommit() as statements:
        return await statements.run(RENEW_LEASE, upload_id=upload_id, token=token, lease=lease) == 1


ADVANCE_SESSION = SQL("""
    UPDATE upload_sessions
    SET offset_bytes = %(offset)s, hash_state = %(hash_state)s, tail = '',
        storage_state = %(storage_state)s::json,
        lease_token = NULL, leased_until = NULL, expires_at = now() + %(expiry)s
    WHERE id = %(upload_id)s AND lease_token = %(token)s
""")


async def advance_session(
    database: Database,
    session: UploadSession,
    progress: Progress,
    *,
    expiry: timedelta,
) -> bool:
    """Note what is durable in storage and end the lease; False when somebody else took the session over."""
    async with database.autocommit() as statements:
        return (
            await statements.run(
                ADVANCE_SESSION,
                upload_id=session.id,
                token=session.lease_token,
                offset=progress.offset_bytes,
                hash_state=progress.hash_state,
                storage_state=json.dumps(progress.storage_state),
                expiry=expiry,
            )
            == 1
        )


MOVE_SESSION = SQL("""
    UPDATE upload_sessions SET storage_state = %(storage_state)s::json
    WHERE id = %(upload_id)s AND lease_token = %(token)s
""")


async def move_session(database: Database, session: UploadSession, storage_state: UploadState) -> bool:
    """Note that the session's bytes lie elsewhere now; False when somebody else took the session over."""
    async with database.autocommit() as statements:
        return (
            await statements.run(
                MOVE_SESSION,
                upload_id=session.id,
                token=session.lease_token,
                storage_state=json.dumps(storage_state),
            )
            == 1
        )


RELEASE_SESSION = SQL("""
    UPDATE upload_sessions
    SET lease_token = CASE WHEN %(is_contested)s THEN lease_token END,
        leased_until = CASE WHEN %(is_contested)s THEN now() END
    WHERE id = %(upload_id)s AND lease_token = %(token)s
""")


async def release_session(database: Database, session: UploadSession) -> None:
    """End the lease and leave the session as it was: also contested, for who never ended may still write."""
    async with database.autocommit() as statements:
        await statements.run(
            RELEASE_SESSION,
            upload_id=session.id,
            token=session.lease_token,
            is_contested=session.is_contested,
        )


EXTEND_TAIL = Prepared(
    "extend_tail",
    ("uuid", "text", "bytea", "bigint", "interval", "integer"),
    """
    UPDATE upload_sessions
    SET tail = tail || $3, offset_bytes = offset_bytes + length($3), expires_at = now() + $5
    WHERE id = $1 AND repository_name = $2 AND expires_at > now()
        AND lease_token IS NULL AND direct IS NULL
        AND offset_bytes = coalesce($4, offset_bytes)
        AND length(tail) + length($3) <= $6
    RETURNING offset_bytes
    """,
)


async def extend_tail(
    database: Database,
    repository: str,
    upload_id: UUID,
    *,
    body: bytes,
    start: int | None,
    expiry: timedelta,
) -> int | None:
    """Append a small body to the row itself and return the new offset; None where that cannot be done.

    It is sent again for less than the disk takes, so the disk is not waited for.
    """
    rows = await database.note(EXTEND_TAIL, upload_id, repository, body, start, expiry, INLINE_BYTES)
    return int(rows[0][0]) if rows else None


END_SESSION = SQL("""
    DELETE FROM upload_sessions
    WHERE id = %(upload_id)s AND offset_bytes = %(offset)s
        AND lease_token IS NOT DISTINCT FROM %(token)s::uuid
        AND repository_name = %(repository)s
        AND (lease_token IS NOT NULL OR direct IS NULL AND expires_at > now())
""")


async def end_session(tx: Transaction, repository: str, standing: Standing) -> bool:
    """Remove the session; False when it does not stand there any more.

    It does not expire under its writer, however long the last request takes.
    """
    upload_id, offset, token = standing
    return (
        await tx.run(END_SESSION, upload_id=upload_id, offset=offset, token=token, repository=repository) == 1
    )


DELETE_SESSION = SQL("""
    DELETE FROM upload_sessions WHERE id = %(upload_id)s AND repository_name = %(repository)s
    RETURNING storage_state
""")


async def delete_session(database: Database, repository: str, upload_id: UUID) -> UploadState | None:
    """Remove a session and return what is left of it in storage."""
    async with database.autocommit() as statements:
        return await statements.value(DELETE_SESSION, repository=repository, upload_id=upload_id)  # type: ignore[no-any-return]  # json column


DELETE_EXPIRED = SQL("""
    DELETE FROM upload_sessions WHERE id IN (
        SELECT id FROM upload_sessions
        WHERE expires_at < now() AND (leased_until IS NULL OR leased_until < now())
        ORDER BY expires_at FOR UPDATE SKIP LOCKED LIMIT %(limit)s
    )
    RETURNING storage_state
""")


async def delete_expired(database: Database, limit: int) -> list[UploadState]:
    """Remove sessions that expired and return what is left of them in storage."""
    async with database.autocommit() as statements:
        return await statements.values(DELETE_EXPIRED, limit=limit)


def _session(**columns: object) -> UploadSession:
    for name in ("hash_state", "tail"):
        if columns[name] is not None:
            columns[name] = bytes(columns[name])  # type: ignore[call-overload]  # psycopg2 returns memoryview
    if columns["found_digest"] is not None:
        columns["found_digest"] = Digest(str(columns["found_digest"]))
    return UploadSession(**columns)  # type: ignore[arg-type]  # the columns of the statements above


# A session is found by the longest value of a state, which is a name that hardly another has: to compare each
# state with each session takes a minute where there are 10,000 of both.
LIST_UNNAMED = SQL("""
    WITH found AS MATERIALIZED (
        SELECT state, name.key, name.value
        FROM unnest(%(states)s::jsonb[]) given (state), LATERAL (
            SELECT key, value FROM jsonb_each_text(state) ORDER BY length(value) DESC, key LIMIT 1
        ) name
    ), named AS (
        SELECT storage_state::jsonb AS state, asked.key, storage_state ->> asked.key AS value
        FROM upload_sessions, (SELECT DISTINCT key FROM found) asked
    )
    SELECT state FROM found
    WHERE NOT EXISTS (
        SELECT FROM named
        WHERE named.key = found.key AND named.value = found.value AND named.state @> found.state
    )
""")


async def list_unnamed(database: Database, states: list[UploadState]) -> list[UploadState]:
    """Return those states in storage that are no part of what a session names."""
    async with database.autocommit() as statements:
        return await statements.values(LIST_UNNAMED, states=[json.dumps(state) for state in states])
