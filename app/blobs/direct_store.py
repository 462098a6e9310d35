"""Statements on upload sessions whose bytes clients send to the storage by signed URLs."""

import json
from datetime import datetime, timedelta
from uuid import UUID

from app.blobs.model import UploadSession
from app.db import SQL, Database, Transaction
from app.oci.digest import Algorithm, Digest
from app.storage import UploadState

FIND_EXPIRY = SQL("""
    SELECT expires_at FROM upload_sessions
    WHERE id = %(upload_id)s AND repository_name = %(repository)s AND expires_at <= now()
""")


async def find_expiry(database: Database, repository: str, upload_id: UUID) -> datetime | None:
    """Return when a session expired that is not removed yet."""
    async with database.autocommit() as statements:
        found: datetime | None = await statements.value(
            FIND_EXPIRY, upload_id=upload_id, repository=repository
        )
    return found


OPEN = SQL("""
    UPDATE upload_sessions
    SET direct = 'open', storage_state = %(state)s::json, expires_at = now() + %(expiry)s
    WHERE id = %(upload_id)s AND direct IS NULL AND offset_bytes = 0 AND lease_token IS NULL
        AND expires_at > now()
""")


async def update_open(database: Database, upload_id: UUID, state: UploadState, *, expiry: timedelta) -> bool:
    """Give a session without bytes over to signed URLs; False when it is not one any more."""
    async with database.autocommit() as statements:
        return await statements.run(OPEN, upload_id=upload_id, state=json.dumps(state), expiry=expiry) == 1


KEEP = SQL("""
    UPDATE upload_sessions SET expires_at = now() + %(expiry)s
    WHERE id = %(upload_id)s AND direct = 'open' AND expires_at > now()
""")


async def update_expiry(database: Database, upload_id: UUID, *, expiry: timedelta) -> bool:
    """Let a session that takes bytes by signed URLs live on; False when it takes no more."""
    async with database.autocommit() as statements:
        return await statements.run(KEEP, upload_id=upload_id, expiry=expiry) == 1


RESERVE = SQL("""
    UPDATE upload_sessions SET reserved_project_id = %(project_id)s, reserved_bytes = %(size)s
    WHERE id = %(upload_id)s AND (direct = 'open' OR direct IS NULL AND offset_bytes = 0)
""")


async def update_reserved(tx: Transaction, upload_id: UUID, project_id: int, *, size_bytes: int) -> None:
    """Keep room for a session in the quota of a project, in place of what was kept before.

    Nothing is done where the session takes no bytes by signed URLs.
    """
    await tx.run(RESERVE, upload_id=upload_id, project_id=project_id, size=size_bytes)


FREEZE = SQL("""
    UPDATE upload_sessions
    SET direct = 'frozen', storage_state = %(state)s::json, offset_bytes = %(size)s,
        found_digest = %(found_digest)s
    WHERE id = %(upload_id)s AND lease_token = %(token)s
""")


async def update_frozen(database: Database, session: UploadSession) -> bool:
    """Note what was put together, and what is known of it; False when somebody else took the session over."""
    async with database.autocommit() as statements:
        return (
            await statements.run(
                FREEZE,
                upload_id=session.id,
                token=session.lease_token,
                state=json.dumps(session.storage_state),
                size=session.offset_bytes,
                found_digest=session.found_digest,
            )
            == 1
        )


NOTE_DIGEST = SQL("""
    UPDATE upload_sessions SET direct = 'frozen', found_digest = %(digest)s
    WHERE id = %(upload_id)s AND lease_token = %(token)s
""")


async def update_found_digest(database: Database, session: UploadSession, digest: Digest) -> bool:
    """Note what the bytes are; False when somebody else took the session over."""
    async with database.autocommit() as statements:
        return (
            await statements.run(NOTE_DIGEST, upload_id=session.id, token=session.lease_token, digest=digest)
            == 1
        )


HAND_OVER = SQL("""
    UPDATE upload_sessions
    SET direct = 'hashing', algorithm = %(algorithm)s, lease_token = NULL, leased_until = NULL,
        expires_at = now() + %(expiry)s
    WHERE id = %(upload_id)s AND lease_token = %(token)s
""")


async def update_hashing(
    tx: Transaction, session: UploadSession, algorithm: Algorithm, *, expiry: timedelta
) -> bool:
    """Leave the session to a worker; False when somebody else took it over."""
    return (
        await tx.run(
            HAND_OVER,
            upload_id=session.id,
            token=session.lease_token,
            algorithm=algorithm,
            expiry=expiry,
        )
        == 1
    )
