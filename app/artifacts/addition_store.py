"""Statements on the content that additions of artifacts come from."""

from app.db import SQL, Statements

HAS_BLOB = SQL("""
    SELECT EXISTS (SELECT FROM manifest_blobs WHERE manifest_id = %(manifest_id)s AND digest = %(digest)s)
""")


async def has_blob(statements: Statements, manifest_id: int, digest: str) -> bool:
    """Whether an artifact names this blob, and its repository had it when the artifact was stored."""
    return bool(await statements.value(HAS_BLOB, manifest_id=manifest_id, digest=digest))
