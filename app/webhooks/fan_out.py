"""Fanning out: an event becomes a delivery to each target of each policy that takes it.

It happens in the transaction that takes the event out of the outbox, so that a policy that was there
before the event never misses it.
"""

from collections import defaultdict
from typing import NamedTuple
from urllib.parse import urlsplit

from app.db import Transaction
from app.events.types import Recorded
from app.resources import Resources
from app.settings import Settings
from app.webhooks import fan_out_store as store
from app.webhooks.event_data import Subject, event_data, subject_of
from app.webhooks.event_model import Facts
from app.webhooks.event_types import event_type_of
from app.webhooks.fan_out_store import NewExecution, Taker


class _Posted(NamedTuple):
    """An event of a type that policies can name."""

    recorded: Recorded
    event_type: str
    subject: Subject


async def fan_out(tx: Transaction, r: Resources, events: list[Recorded]) -> list[int]:
    """Write down what is to be delivered and return the targets; a second time nothing is new."""
    posted = [
        _Posted(recorded, event_type, subject_of(recorded.event))
        for recorded in events
        if (event_type := event_type_of(recorded.event))
    ]
    takers = await _takers(tx, posted)
    taken = [
        (each, taker) for each in posted for taker in takers[each.subject.project_name] if _takes(taker, each)
    ]
    if not taken:
        return []
    keys = sorted({(each.subject.repository_name, each.subject.digest) for each, _ in taken})
    facts = await store.list_facts(tx, keys)
    host = host_of(r.settings)
    executions = [_execution(each, taker, facts, host=host) for each, taker in taken]
    return await store.insert_deliveries(tx, executions, give_up_after=r.settings.webhooks.give_up_after)


async def may_be_posted(r: Resources) -> bool:
    """Whether there was a policy a moment ago, so that somebody may be waiting for events."""
    return await store.has_policies(r.database)


async def list_waited_for(r: Resources) -> list[int]:
    """Return the targets that something is due for and nobody sends it: retries, and what a worker left."""
    return await store.list_waited_for(r.database)


async def _takers(tx: Transaction, posted: list[_Posted]) -> dict[str, list[Taker]]:
    """Return the policies that may take some of the events, by project."""
    takers: dict[str, list[Taker]] = defaultdict(list)
    if posted:
        projects = sorted({each.subject.project_name for each in posted})
        types = sorted({each.event_type for each in posted})
        for taker in await store.list_takers(tx, projects, types):
            takers[taker.project_name].append(taker)
    return takers


def _takes(taker: Taker, posted: _Posted) -> bool:
    return posted.event_type in taker.event_types and all(
        each.takes(posted.subject.path, posted.subject.tags) for each in taker.filters
    )


def _execution(
    posted: _Posted, taker: Taker, facts: dict[tuple[str, str], Facts], *, host: str
) -> NewExecution:
    recorded, subject = posted.recorded, posted.subject
    known = facts.get((subject.repository_name, subject.digest), Facts(is_public=taker.is_public))
    return NewExecution(
        policy_id=taker.policy_id,
        event_id=recorded.event_id,
        event_type=posted.event_type,
        occurred_at=recorded.recorded_at,
        operator=recorded.cause.username,
        request_id=recorded.cause.request_id,
        event_number=recorded.number,
        repository_name=subject.repository_name,
        data=event_data(recorded.event, known, host),
    )


def host_of(settings: Settings) -> str:
    """Return where the registry is reached, as it stands in front of names."""
    return urlsplit(settings.external_url).netloc or settings.listen
