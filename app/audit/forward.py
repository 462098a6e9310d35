"""Forwarding the audit log as lines of JSON, to a file or to a collector."""

import asyncio
import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.audit.model import AuditEntry
from app.jobs import pending
from app.resources import Resources

_PATIENCE_SECONDS: Final = 10.0


class ForwardingFailed(Exception):
    """The destination took no lines; they are tried again."""


async def forward(r: Resources, ids: list[str]) -> int:
    """Send the entries that are owed under these ids, at least once, and return how many.

    Raises:
        ForwardingFailed: they stay owed.
    """
    async with r.database.autocommit() as statements:
        owed = await pending.list_owed(statements, ids)
    lines = b"".join(msgspec.json.encode(AuditEntry.of(event)) + b"\n" for event in owed)
    if lines:
        try:
            await _send(r.settings.audit.forward_to, lines)
        except (OSError, TimeoutError) as error:
            raise ForwardingFailed(f"{r.settings.audit.forward_to}: {error}") from error
    async with r.database.transaction() as tx:
        return len(await pending.settle(tx, ids))


async def _send(destination: str, lines: bytes) -> None:
    if not destination.startswith("tcp://"):
        await asyncio.to_thread(_append, Path(destination), lines)
        return
    address = urlsplit(destination)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(lines)
            await writer.drain()
        finally:
            writer.close()
            await writer.wait_closed()


def _append(path: Path, lines: bytes) -> None:
    with path.open("ab") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
