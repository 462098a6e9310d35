"""What happens after each event: the only place that says so."""

from typing import Final, get_args

from app.events import ArtifactPulled, Event
from app.jobs import COUNT_PULLS, WRITE_AUDIT_LOG, Job

_FURTHER: Final[dict[type[Event], tuple[Job, ...]]] = {
    ArtifactPulled: (COUNT_PULLS,),
}

SUBSCRIPTIONS: Final[dict[type[Event], tuple[Job, ...]]] = {
    kind: (WRITE_AUDIT_LOG, *_FURTHER.get(kind, ())) for kind in get_args(Event)
}
