"""Putting an event into Harbor's words, once, so that it is told later as it was."""

from typing import Final

from msgspec import Struct

from app.events import Event, QuotaExceeded, QuotaWarned, TagMoved
from app.webhooks.event_model import Content, EventData, Facts, RepositoryData, Resource

_MIB: Final = 1 << 20


class Subject(Struct, frozen=True):
    """Where an event happened: the words that policies filter by."""

    project_name: str
    repository_name: str
    digest: str
    tags: tuple[str, ...]

    @property
    def path(self) -> str:
        """The repository without its project."""
        return self.repository_name.partition("/")[2]


def subject_of(event: Event) -> Subject:
    """Return where it happened."""
    repository = getattr(event, "repository_name", "")
    tag = getattr(event, "tag", "")
    return Subject(
        project_name=repository.partition("/")[0] or getattr(event, "project_name", ""),
        repository_name=repository,
        digest=getattr(event, "digest", ""),
        tags=getattr(event, "tags", ()) or ((tag,) if tag and not tag.startswith("sha256:") else ()),
    )


def event_data(event: Event, facts: Facts, host: str) -> EventData:
    """Return what is told; `host` is where the registry is reached."""
    subject = subject_of(event)
    return EventData(
        resources=_resources(subject, host),
        repository=_repository(subject, facts),
        custom_attributes=_attributes(event),
        content=_content(event, facts),
    )


def _resources(subject: Subject, host: str) -> tuple[Resource, ...]:
    if not subject.digest:
        return ()
    base = f"{host}/{subject.repository_name}"
    if not subject.tags:
        return (Resource(subject.digest, subject.digest, f"{base}@{subject.digest}"),)
    return tuple(Resource(subject.digest, tag, f"{base}:{tag}") for tag in subject.tags)


def _repository(subject: Subject, facts: Facts) -> RepositoryData | None:
    if not subject.repository_name:
        return None
    return RepositoryData(
        name=subject.path,
        namespace=subject.project_name,
        repo_full_name=subject.repository_name,
        repo_type="public" if facts.is_public else "private",
        date_created=int(facts.created_at.timestamp()) if facts.created_at else 0,
    )


def _attributes(event: Event) -> dict[str, str]:
    match event:
        case TagMoved(previous_digest=previous):
            return {"previous_digest": previous}
        case QuotaExceeded():
            text = f"needs {_mib(event.needed_bytes)} more, uses {_mib(event.used_bytes)}"
            return {"Details": f"{event.project_name}: {text} of {_mib(event.hard_bytes)}"}
        case QuotaWarned():
            return {
                "Details": f"{event.project_name}: uses {_mib(event.used_bytes)} of {_mib(event.hard_bytes)}"
            }
        case _:
            return {}


def _content(event: Event, facts: Facts) -> Content | None:
    media_type = getattr(event, "media_type", "") or facts.media_type
    size_bytes = getattr(event, "size_bytes", None) or facts.size_bytes
    return Content(media_type, size_bytes or 0) if media_type else None


def _mib(size: int) -> str:
    return f"{size / _MIB:.1f} MiB"
