"""Changing the configuration."""

from typing import Any

import msgspec

from app.configuration import store
from app.configuration.absent import READ_ONLY
from app.configuration.current import fixed, merged
from app.configuration.model import Configuration
from app.events import Cause, ConfigurationUpdated, outbox
from app.harbor.errors import BadRequest
from app.resources import Resources
from app.settings import Settings


async def change(r: Resources, wanted: dict[str, Any], cause: Cause) -> None:
    """Set these keys, all of them or none; those that are None stay as they are.

    Raises:
        BadRequest: a key is unknown or can't be changed, or its value makes no sense; it names the key.
    """
    given = _changeable(r.settings, {key: value for key, value in wanted.items() if value is not None})
    async with r.database.transaction() as tx:
        configured = await store.lock_configured(tx)
        before = msgspec.structs.asdict(merged(r.settings, configured))
        try:
            merged(r.settings, configured | given)
        except msgspec.ValidationError as error:
            raise BadRequest(str(error).replace("$.", "")) from None
        changed = {key: value for key, value in given.items() if value != before[key]}
        if changed:
            await store.upsert_configured(tx, changed)
            await outbox.record(tx, cause, ConfigurationUpdated(name=", ".join(sorted(changed))))


def _changeable(settings: Settings, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what of the wanted is not fixed; what is fixed may be sent as it is, as clients do."""
    constant = fixed(settings)
    for key, value in wanted.items():
        if key in constant and key not in READ_ONLY and value != constant[key]:
            raise BadRequest(f"{key[:100]}: it is {constant[key]!r} here and can't be changed by the API")
        if key not in constant and key not in Configuration.__struct_fields__:
            raise BadRequest(f"{key[:100]}: there is nothing of this name to configure")
    return {key: value for key, value in wanted.items() if key not in constant}
