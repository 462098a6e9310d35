"""The outbox: events written in the transaction of the change they tell of, read by `workers.relay`."""

from datetime import datetime
from operator import attrgetter
from typing import Any, Final, get_args
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import SQL, Prepared, Transaction
from app.events.types import Cause, Event, Recorded, wire_name

CHANNEL: Final = "outbox"
_TYPES: Final = [wire_name(kind) for kind in get_args(Event)]

RECORD = Prepared(
    "record_events",
    ("text[]", "text[]", "text[]"),
    """
    WITH recorded AS (
        INSERT INTO outbox (type, payload, cause)
        SELECT type, payload::json, cause::json FROM unnest($1, $2, $3) AS event (type, payload, cause)
        RETURNING id
    )
    SELECT pg_notify('outbox', '') FROM recorded LIMIT 1
    """,
)


async def record(tx: Transaction, cause: Cause, *events: Event) -> None:
    """Add events that exist if and only if `tx` commits; they are written with the COMMIT."""
    await record_all(tx, [(cause, event) for event in events])


async def record_all(tx: Transaction, events: list[tuple[Cause, Event]]) -> None:
    """Add events of several causes."""
    if not events:
        return
    tx.finally_run(
        RECORD,
        [wire_name(type(event)) for _, event in events],
        [msgspec.json.encode(event, enc_hook=str).decode() for _, event in events],
        [msgspec.json.encode(cause, enc_hook=str).decode() for cause, _ in events],
    )


NEXT_NUMBER = SQL("SELECT nextval(pg_get_serial_sequence('outbox', 'id'))")


async def next_number(tx: Transaction) -> int:
    """Return a place in the outbox for what is no event, and goes with those of this moment."""
    return int(await tx.value(NEXT_NUMBER))


WAKE = SQL("SELECT pg_notify('outbox', '')")


async def wake(tx: Transaction) -> None:
    """Wake the relay when `tx` commits, for what is due without an event."""
    await tx.run(WAKE)


class _Row(Struct):
    id: int
    event_id: UUID
    recorded_at: datetime
    payload: dict[str, Any]
    cause: dict[str, Any]


CLAIM = SQL("""
    DELETE FROM outbox
    WHERE id IN (
        SELECT id FROM outbox WHERE type = ANY(%(types)s) ORDER BY id FOR UPDATE SKIP LOCKED LIMIT %(limit)s
    )
    RETURNING id, event_id, recorded_at, payload, cause
""")


async def claim(tx: Transaction, limit: int) -> list[Recorded]:
    """Take up to `limit` of the oldest events, in their order; they stay in the outbox if `tx` rolls back.

    An event that only a newer version knows is left to a relay of that version.
    """
    rows = await tx.all(_Row, CLAIM, types=_TYPES, limit=limit)
    return [
        Recorded(
            event_id=row.event_id,
            recorded_at=row.recorded_at,
            event=msgspec.convert(row.payload, Event),
            cause=msgspec.convert(row.cause, Cause),
            number=row.id,
        )
        for row in sorted(rows, key=attrgetter("id"))
    ]
