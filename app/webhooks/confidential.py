"""What must not be seen of a target: keeping it and reading it, and new secrets to sign with."""

import base64
import hashlib
import secrets
from collections.abc import Iterable
from typing import Final

import msgspec

from app.db import Statements, Transaction
from app.vault import Sealer, keep, replace, reveal_all
from app.webhooks.model import SigningSecret, Target, TargetSecrets

_FINGERPRINT_LENGTH: Final = 16
_SECRET_BYTES: Final = 32


def new_secret() -> SigningSecret:
    """Return a secret that nobody has, as Standard Webhooks writes them."""
    return SigningSecret("whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode())


def fingerprint(signing: SigningSecret) -> str:
    """Return by what a secret is known to those who must not see it."""
    return hashlib.sha256(signing.secret.encode()).hexdigest()[:_FINGERPRINT_LENGTH]


async def secrets_of(
    statements: Statements, sealer: Sealer, targets: Iterable[Target]
) -> dict[int, TargetSecrets]:
    """Return the secrets by target; one is missing whose key is not set any more."""
    owners = {target.secret_id: target.id for target in targets if target.secret_id is not None}
    found = await reveal_all(statements, sealer, list(owners))
    return {
        owners[secret_id]: msgspec.json.decode(document, type=TargetSecrets)
        for secret_id, document in found.items()
    }


async def keep_secrets(tx: Transaction, sealer: Sealer, secret_id: int | None, *, held: TargetSecrets) -> int:
    """Store the secrets of a target, in place of those under this id, and return the id."""
    document = msgspec.json.encode(held).decode()
    if secret_id is None:
        return await keep(tx, sealer, document)
    await replace(tx, sealer, secret_id, secret=document)
    return secret_id
