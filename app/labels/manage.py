"""Making, changing and removing labels."""

import re
from typing import Final

from app.access import ProjectCall
from app.db import ForeignKeyViolation, Page, UniqueViolation
from app.events import LabelCreated, LabelDeleted, LabelUpdated, outbox
from app.harbor.errors import BadRequest, Conflict, NotFound
from app.harbor.query import ListQuery
from app.labels import store
from app.labels.model import Label
from app.labels.schemas import LabelReq
from app.resources import Resources

NO_LABEL: Final = "there is no such label"
# Harbor takes any text: its Terraform provider sends "false" for a label that was given no colour.
_COLOR: Final = re.compile(r"#?[0-9a-zA-Z]*")


async def list_labels(r: Resources, project_id: int | None, query: ListQuery) -> Page[Label]:
    """Return a page of the labels of a project, or of the global ones."""
    async with r.database.autocommit() as statements:
        return await store.LABELS.page(statements, query, project_id=project_id)


async def find_label(r: Resources, label_id: int) -> Label | None:
    """Return a label."""
    async with r.database.autocommit() as statements:
        return await store.find_label(statements, label_id)


async def create_label(r: Resources, call: ProjectCall, wanted: LabelReq) -> int:
    """Make a label of the project, or without one a global label, and return the id.

    Raises:
        BadRequest: it has no name, or the colour is none.
        Conflict: the name is taken.
        NotFound: the project is gone.
    """
    _check(wanted)
    try:
        async with r.database.transaction() as tx:
            label_id = await store.insert_label(
                tx,
                call.project_id or None,
                name=wanted.name,
                description=wanted.description,
                color=wanted.color,
            )
            if label_id is None:
                raise _taken(wanted)
            await outbox.record(
                tx, call.cause, LabelCreated(name=wanted.name, project_name=call.project_name)
            )
    except ForeignKeyViolation:
        raise NotFound("there is no such project") from None
    return label_id


async def update_label(r: Resources, call: ProjectCall, label_id: int, *, wanted: LabelReq) -> None:
    """Change name, description and colour of a label; raise BadRequest, Conflict or NotFound."""
    _check(wanted)
    try:
        async with r.database.transaction() as tx:
            if not await store.update_label(
                tx, label_id, name=wanted.name, description=wanted.description, color=wanted.color
            ):
                raise NotFound(NO_LABEL)
            await outbox.record(
                tx, call.cause, LabelUpdated(name=wanted.name, project_name=call.project_name)
            )
    except UniqueViolation:
        raise _taken(wanted) from None


async def delete_label(r: Resources, call: ProjectCall, label: Label) -> None:
    """Remove a label, from all artifacts too; raise NotFound."""
    async with r.database.transaction() as tx:
        if not await store.delete_label(tx, label.id):
            raise NotFound(NO_LABEL)
        await outbox.record(tx, call.cause, LabelDeleted(name=label.name, project_name=call.project_name))


def _check(wanted: LabelReq) -> None:
    if not wanted.name.strip() or not wanted.name.isprintable():
        raise BadRequest("name: a label has one, of up to 128 characters that can be seen")
    if _COLOR.fullmatch(wanted.color) is None:
        raise BadRequest("color: it is `#rrggbb`, a word, or empty")


def _taken(wanted: LabelReq) -> Conflict:
    return Conflict(f"there is a label {wanted.name} already")
