"""Statements on policies and their targets."""

from datetime import datetime
from typing import Any, Final

import msgspec

from app.db import SQL, Column, Listing, Statements, Transaction
from app.webhooks.model import Policy, Target, Terms


def _policy(**columns: Any) -> Policy:  # noqa: ANN401 - columns by their names
    return msgspec.convert(columns, Policy, strict=False)


_POLICY: Final = """
    SELECT p.id, p.project_id, p.name, p.description, p.event_types, p.filters, p.is_enabled, p.creator,
        p.created_at, p.updated_at, coalesce((
            SELECT json_agg(json_build_object(
                'id', t.id, 'kind', t.kind, 'address', t.address, 'payload_format', t.payload_format,
                'verifies_certificate', t.verifies_certificate, 'ca_certificate', t.ca_certificate,
                'timeout', extract(epoch FROM t.timeout), 'is_ordered', t.is_ordered,
                'secret_id', t.secret_id
            ) ORDER BY t.id)
            FROM webhook_targets t WHERE t.policy_id = p.id
        ), '[]') AS targets
    FROM webhook_policies p WHERE p.project_id = %(project_id)s AND """

POLICIES = Listing(
    _policy,
    rows=_POLICY + "{conditions} ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s",
    count="SELECT count(*) FROM webhook_policies p WHERE p.project_id = %(project_id)s AND {conditions}",
    columns={
        "id": Column("p.id", int),
        "name": Column("p.name"),
        "description": Column("p.description"),
        "creator": Column("p.creator"),
        "enabled": Column("p.is_enabled", bool),
        "creation_time": Column("p.created_at", datetime),
        "update_time": Column("p.updated_at", datetime),
    },
    order="p.id DESC",
)

FIND_POLICY = SQL(_POLICY + "p.id = %(policy_id)s")


async def find_policy(statements: Statements, project_id: int, policy_id: int) -> Policy | None:
    """Return a policy of the project."""
    return await statements.maybe(_policy, FIND_POLICY, project_id=project_id, policy_id=policy_id)


LOCK_POLICY = SQL("""
    SELECT id FROM webhook_policies WHERE project_id = %(project_id)s AND id = %(policy_id)s FOR NO KEY UPDATE
""")


async def lock_policy(tx: Transaction, project_id: int, policy_id: int) -> Policy | None:
    """Return a policy that nobody else changes until `tx` ends, nor its targets."""
    if await tx.value(LOCK_POLICY, project_id=project_id, policy_id=policy_id) is None:
        return None
    await lock_targets(tx, policy_id)
    # Read after the wait: what a statement that locks shows beside the row is from before.
    return await find_policy(tx, project_id, policy_id)


LOCK_TARGETS = SQL("""
    SELECT id FROM webhook_targets WHERE policy_id = %(policy_id)s ORDER BY id FOR NO KEY UPDATE
""")


async def lock_targets(tx: Transaction, policy_id: int) -> list[int]:
    """Return the targets of a policy; no worker takes or settles anything of theirs until `tx` ends."""
    return await tx.values(LOCK_TARGETS, policy_id=policy_id)


LOCK_POLICIES = SQL("""
    SELECT pg_advisory_xact_lock('webhook_policies'::regclass::oid::integer, hashint8(%(project_id)s::bigint))
""")


async def lock_policies(tx: Transaction, project_id: int) -> None:
    """Keep others from adding a policy to the project until `tx` ends."""
    await tx.run(LOCK_POLICIES, project_id=project_id)


COUNT_POLICIES = SQL("SELECT count(*) FROM webhook_policies WHERE project_id = %(project_id)s")


async def count_policies(tx: Transaction, project_id: int) -> int:
    """Return how many policies the project has."""
    return int(await tx.value(COUNT_POLICIES, project_id=project_id))


INSERT_POLICY = SQL("""
    INSERT INTO webhook_policies (project_id, creator, name, description, event_types, filters, is_enabled)
    VALUES (%(project_id)s, %(creator)s, %(name)s, %(description)s, %(event_types)s, %(filters)s::json,
        %(is_enabled)s)
    RETURNING id
""")


async def insert_policy(tx: Transaction, project_id: int, creator: str, *, terms: Terms) -> int:
    """Add a policy without targets and return its id; raise UniqueViolation or ForeignKeyViolation."""
    return int(await tx.value(INSERT_POLICY, project_id=project_id, creator=creator, **_columns(terms)))


UPDATE_POLICY = SQL("""
    UPDATE webhook_policies
    SET name = %(name)s, description = %(description)s, event_types = %(event_types)s,
        filters = %(filters)s::json, is_enabled = %(is_enabled)s, updated_at = now()
    WHERE id = %(policy_id)s
""")


async def update_policy(tx: Transaction, policy_id: int, terms: Terms) -> None:
    """Change a policy, but not its targets; raise UniqueViolation."""
    await tx.run(UPDATE_POLICY, policy_id=policy_id, **_columns(terms))


DELETE_POLICY = SQL("DELETE FROM webhook_policies WHERE id = %(policy_id)s")


async def delete_policy(tx: Transaction, policy_id: int) -> None:
    """Remove a policy with all that is owed by it."""
    await tx.run(DELETE_POLICY, policy_id=policy_id)


INSERT_TARGET = SQL("""
    INSERT INTO webhook_targets (policy_id, kind, address, payload_format, verifies_certificate,
        ca_certificate, timeout, is_ordered, secret_id)
    VALUES (%(policy_id)s, %(kind)s, %(address)s, %(payload_format)s, %(verifies_certificate)s,
        %(ca_certificate)s, %(timeout)s, %(is_ordered)s, %(secret_id)s)
""")
UPDATE_TARGET = SQL("""
    UPDATE webhook_targets
    SET payload_format = %(payload_format)s, verifies_certificate = %(verifies_certificate)s,
        ca_certificate = %(ca_certificate)s, timeout = %(timeout)s, is_ordered = %(is_ordered)s,
        secret_id = %(secret_id)s
    WHERE id = %(id)s AND policy_id = %(policy_id)s
""")


async def upsert_target(tx: Transaction, policy_id: int, target: Target) -> None:
    """Add a target without an id to a policy, or change how is posted to one that is there."""
    statement = UPDATE_TARGET if target.id else INSERT_TARGET
    await tx.run(statement, policy_id=policy_id, **msgspec.structs.asdict(target))


DELETE_TARGETS = SQL("DELETE FROM webhook_targets WHERE id = ANY(%(ids)s)")


async def delete_targets(tx: Transaction, ids: list[int]) -> None:
    """Remove targets with all that is owed to them."""
    await tx.run(DELETE_TARGETS, ids=ids)


def _columns(terms: Terms) -> dict[str, object]:
    return {
        "name": terms.name,
        "description": terms.description,
        "event_types": list(terms.event_types),
        "filters": msgspec.json.encode(terms.filters).decode(),
        "is_enabled": terms.is_enabled,
    }
