"""Statements on what was configured."""

from typing import Any

import msgspec

from app.db import SQL, Database, Prepared, Transaction

FIND_CONFIGURED = Prepared(
    "find_configured",
    ("text[]",),
    """
    SELECT (SELECT json_object_agg(name, value) FROM configurations)::text
    FROM unnest($1) WITH ORDINALITY AS asked (scope, place)
    ORDER BY asked.place
    """,
)


async def get_configured(database: Database) -> dict[str, Any]:
    """Return what was changed, by key; those who ask at the same time share a look-up."""
    (document,) = await database.look_up(FIND_CONFIGURED, "")
    return _decoded(document)


LOCK_CONFIGURED = SQL("SELECT pg_advisory_xact_lock(hashtext('configurations'))")
LIST_CONFIGURED = SQL("SELECT json_object_agg(name, value)::text FROM configurations")


async def lock_configured(tx: Transaction) -> dict[str, Any]:
    """Return what was changed, by key; nobody else changes it until `tx` ends."""
    await tx.run(LOCK_CONFIGURED)
    return _decoded(await tx.value(LIST_CONFIGURED))


UPSERT_CONFIGURED = SQL("""
    INSERT INTO configurations (name, value)
    SELECT key, value FROM jsonb_each(%(changed)s::jsonb)
    ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, updated_at = now()
""")


async def upsert_configured(tx: Transaction, changed: dict[str, Any]) -> None:
    """Keep these values instead of others."""
    await tx.run(UPSERT_CONFIGURED, changed=msgspec.json.encode(changed).decode())


def _decoded(document: str | None) -> dict[str, Any]:
    return msgspec.json.decode(document, type=dict[str, Any]) if document else {}
