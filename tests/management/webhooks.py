"""Bodies and paths of webhook policies, for tests of the management API."""

from dataclasses import dataclass
from typing import Any

from app.db import SQL
from tests.management.client import Caller
from tests.management.conftest import Project
from tests.support.registry import Registry

INSERT_EXECUTION = SQL("""
    INSERT INTO webhook_executions (policy_id, event_id, event_type, occurred_at, operator, data)
    VALUES (%(policy_id)s, gen_random_uuid(), %(event_type)s, %(occurred_at)s, 'somebody', '{"a": 1}')
    RETURNING id
""")
INSERT_DELIVERY = SQL("""
    INSERT INTO webhook_deliveries (execution_id, target_id, event_number, repository_name, status, attempts,
        due_at, give_up_at, leased_until, finished_at)
    VALUES (%(execution_id)s, %(target_id)s, 1, 'p/app', %(status)s, %(attempts)s, now() + interval '1 hour',
        now() - interval '1 hour', now() + CASE WHEN %(is_leased)s THEN interval '1 minute' END,
        CASE WHEN %(status)s <> 'pending' THEN now() END)
    RETURNING id
""")
INSERT_ATTEMPT = SQL("""
    INSERT INTO webhook_attempts (delivery_id, number, attempted_at, took, status, error, answer)
    VALUES (%(delivery_id)s, %(number)s, '2026-01-01T00:00:00Z', '12 ms', %(status)s, %(error)s, %(answer)s)
""")
INSERT_MANY = SQL("""
    WITH execution AS (
        INSERT INTO webhook_executions (policy_id, event_id, event_type, occurred_at, operator, data)
        SELECT %(policy_id)s, gen_random_uuid(), 'PUSH_ARTIFACT', '2026-01-01T00:00:00Z', 'somebody', '{}'
        FROM generate_series(1, %(count)s)
        RETURNING id
    )
    INSERT INTO webhook_deliveries (execution_id, target_id, event_number, status, give_up_at)
    SELECT id, %(target_id)s, 1, 'dead', now() FROM execution
""")
FIND_DELIVERY = SQL("""
    SELECT json_build_object(
        'status', status, 'attempts', attempts, 'webhook_id', delivery_id, 'is_due', due_at <= now(),
        'is_given_up', give_up_at <= now() + interval '23 hours', 'is_leased', leased_until IS NOT NULL,
        'is_over', finished_at IS NOT NULL
    ) FROM webhook_deliveries WHERE id = %(delivery_id)s
""")
SET_TARGET = SQL("""
    UPDATE webhook_targets
    SET failures = %(failures)s, failing_since = now(), open_until = now() + %(open_for)s::interval
    WHERE id = %(target_id)s
""")

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBEDCBt6ADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB2V4YW1wbGUw
HhcNMjYwMTAxMDAwMDAwWhcNNDYwMTAxMDAwMDAwWjASMRAwDgYDVQQDDAdleGFt
cGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGoWZXQed+RueAMpdyEr0ZNPQ
SixIubtze37U0DlSqXqucLQprlXNjdR0cJm8oOeZhaS9P7C56jYdmLnddMfV0DAK
BggqhkjOPQQDAgNIADBFAiBz0QPHYgkzKllWMNlOgkkd5PnXug4CzcpSQRTFDDIX
HQIhANimB9JBSBn+OJEcn6nppeO0JZrqp6TqdQ8lVY/HZgSM
-----END CERTIFICATE-----
"""
"""Of nobody: it is only looked at."""


def target(**fields: Any) -> dict[str, Any]:
    """A target as Harbor's clients send it."""
    return {
        "type": "http",
        "address": "https://hooks.example.com/build",
        "auth_header": "",
        "skip_cert_verify": False,
        "payload_format": "Default",
        **fields,
    }


def policy(**fields: Any) -> dict[str, Any]:
    """A policy as Harbor's clients send it."""
    return {
        "name": "build",
        "description": "",
        "event_types": ["PUSH_ARTIFACT"],
        "targets": [target()],
        "enabled": True,
        **fields,
    }


def path_of(project: Project) -> str:
    return f"{project.path}/webhook/policies"


@dataclass(frozen=True)
class Watched:
    """A policy with one target, and what is written down about it."""

    registry: Registry
    path: str
    policy_id: int
    target_id: int

    @property
    def target_path(self) -> str:
        return f"{self.path}/targets/{self.target_id}"

    async def execution(
        self, event_type: str = "PUSH_ARTIFACT", occurred_at: str = "2026-01-01T00:00:00Z"
    ) -> int:
        """An event that the policy took."""
        return await self._insert(
            INSERT_EXECUTION, policy_id=self.policy_id, event_type=event_type, occurred_at=occurred_at
        )

    async def delivery(
        self,
        status: str = "pending",
        *,
        attempts: int = 0,
        is_leased: bool = False,
        execution: int = 0,
        target_id: int = 0,
    ) -> int:
        """What is owed to the target, or another one, of an event of its own unless one is named."""
        return await self._insert(
            INSERT_DELIVERY,
            execution_id=execution or await self.execution(),
            target_id=target_id or self.target_id,
            status=status,
            attempts=attempts,
            is_leased=is_leased,
        )

    async def run(self, sql: SQL, **params: object) -> None:
        async with self.registry.resources.database.autocommit() as statements:
            await statements.run(sql, **params)

    async def found(self, delivery: int) -> dict[str, Any]:
        """What has become of a delivery."""
        async with self.registry.resources.database.autocommit() as statements:
            return dict(await statements.value(FIND_DELIVERY, delivery_id=delivery))

    async def _insert(self, sql: SQL, **params: object) -> int:
        async with self.registry.resources.database.autocommit() as statements:
            return int(await statements.value(sql, **params))


async def watched(admin: Caller, project: Project, **fields: Any) -> Watched:
    """Make a policy."""
    policy_id = (await admin.post(path_of(project), policy(**fields))).new_id
    path = f"{path_of(project)}/{policy_id}"
    return Watched(admin.registry, path, policy_id, (await admin.get(path)).json["targets"][0]["id"])
