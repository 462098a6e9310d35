"""Policies, events and deliveries of tests, without the API and without worker processes."""

from dataclasses import dataclass
from typing import Any

import msgspec

from app.db import SQL
from app.events import ArtifactPushed, Cause, Event, outbox
from app.resources import Resources
from app.vault import keep
from app.webhooks.deliver import Deliveries
from app.webhooks.fan_out import fan_out
from app.webhooks.model import SigningSecret, TargetSecrets

INSERT_POLICY = SQL("""
    INSERT INTO webhook_policies (project_id, name, event_types, filters, creator)
    SELECT id, %(name)s, %(types)s::text[], %(filters)s::json, 'admin' FROM projects WHERE name = %(project)s
    RETURNING id
""")
INSERT_TARGET = SQL("""
    INSERT INTO webhook_targets (policy_id, kind, address, payload_format, verifies_certificate,
        ca_certificate, timeout, is_ordered, secret_id)
    VALUES (%(policy_id)s, %(kind)s, %(address)s, %(payload_format)s, %(verifies_certificate)s,
        %(ca_certificate)s, make_interval(secs => %(timeout)s), %(is_ordered)s, %(secret_id)s)
    RETURNING id
""")
STATUSES = SQL("SELECT status FROM webhook_deliveries WHERE target_id = %(target_id)s ORDER BY id")
MAKE_DUE = SQL("UPDATE webhook_deliveries SET due_at = now() - interval '1 s' WHERE status = 'pending'")
CLOSE = SQL("UPDATE webhook_targets SET open_until = now() - interval '1 s' WHERE open_until IS NOT NULL")
ATTEMPTS = SQL("""
    SELECT a.number, a.status, a.error, a.answer
    FROM webhook_attempts a JOIN webhook_deliveries d ON d.id = a.delivery_id
    WHERE target_id = %(target_id)s ORDER BY a.delivery_id, a.number
""")
DIGEST = "sha256:" + "5" * 64
SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


def pushed(repository: str = "library/app", *tags: str, digest: str = DIGEST) -> ArtifactPushed:
    return ArtifactPushed(
        repository_name=repository,
        digest=digest,
        media_type="application/vnd.oci.image.manifest.v1+json",
        size_bytes=527,
        tags=tags,
    )


@dataclass(frozen=True)
class Posting:
    resources: Resources

    async def policy(
        self, *types: str, filters: tuple[dict[str, str], ...] = (), name: str = "policy"
    ) -> int:
        async with self.resources.database.transaction() as tx:
            return int(
                await tx.value(
                    INSERT_POLICY,
                    name=name,
                    project="library",
                    types=list(types or ("PUSH_ARTIFACT",)),
                    filters=msgspec.json.encode(filters).decode(),
                )
            )

    async def target(self, policy_id: int, address: str, **changed: Any) -> int:
        secrets = changed.pop("secrets", TargetSecrets(signing=(SigningSecret(SECRET),)))
        target = {
            "kind": "http",
            "payload_format": "Default",
            "verifies_certificate": True,
            "ca_certificate": "",
            "timeout": 10.0,
            "is_ordered": False,
        } | changed
        async with self.resources.database.transaction() as tx:
            sealed = msgspec.json.encode(secrets).decode()
            secret_id = await keep(tx, self.resources.sealer, sealed)
            return int(
                await tx.value(
                    INSERT_TARGET, policy_id=policy_id, address=address, secret_id=secret_id, **target
                )
            )

    async def happen(self, *events: Event) -> list[int]:
        """Record events as the user admin and fan them out."""
        r = self.resources
        async with r.database.transaction() as tx:
            await outbox.record(tx, Cause(username="admin", request_id="request-1"), *events)
        async with r.database.transaction() as tx:
            return await fan_out(tx, r, await outbox.claim(tx, 1_000))

    async def deliver(self, *target_ids: int) -> None:
        await Deliveries(self.resources).deliver(target_ids)

    async def make_due(self) -> None:
        await self.run(MAKE_DUE)

    async def end_pause(self) -> None:
        """Let the time pass for which a target is left alone."""
        await self.run(CLOSE)

    async def run(self, statement: SQL, **params: object) -> int:
        async with self.resources.database.autocommit() as statements:
            return await statements.run(statement, **params)

    async def value(self, statement: SQL, **params: object) -> Any:
        async with self.resources.database.autocommit() as statements:
            return await statements.value(statement, **params)

    async def statuses(self, target_id: int) -> list[str]:
        async with self.resources.database.autocommit() as statements:
            return await statements.values(STATUSES, target_id=target_id)

    async def attempts(self, target_id: int) -> list[dict[str, Any]]:
        async with self.resources.database.autocommit() as statements:
            return await statements.all(dict, ATTEMPTS, target_id=target_id)
