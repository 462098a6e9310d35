"""Statements on labels."""

from datetime import datetime

from app.db import SQL, Column, Listing, Statements, Transaction
from app.labels.model import Label

LABELS = Listing(
    Label,
    rows="""
        SELECT l.id, l.project_id, l.name, l.description, l.color, l.created_at, l.updated_at
        FROM labels l
        WHERE coalesce(l.project_id, 0) = coalesce(%(project_id)s::bigint, 0) AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="""
        SELECT count(*) FROM labels l
        WHERE coalesce(l.project_id, 0) = coalesce(%(project_id)s::bigint, 0) AND {conditions}
    """,
    columns={
        "id": Column("l.id", int),
        "name": Column("l.name"),
        "description": Column("l.description"),
        "color": Column("l.color"),
        "creation_time": Column("l.created_at", datetime),
        "update_time": Column("l.updated_at", datetime),
    },
    order="l.id",
)

FIND_LABEL = SQL("""
    SELECT id, project_id, name, description, color, created_at, updated_at
    FROM labels WHERE id = %(label_id)s
""")


async def find_label(statements: Statements, label_id: int) -> Label | None:
    """Return a label."""
    return await statements.maybe(Label, FIND_LABEL, label_id=label_id)


INSERT_LABEL = SQL("""
    INSERT INTO labels (project_id, name, description, color)
    VALUES (%(project_id)s::bigint, %(name)s, %(description)s, %(color)s)
    ON CONFLICT DO NOTHING RETURNING id
""")


async def insert_label(
    tx: Transaction, project_id: int | None, *, name: str, description: str, color: str
) -> int | None:
    """Add a label and return the id, or None when the name is taken."""
    found = await tx.value(
        INSERT_LABEL, project_id=project_id, name=name, description=description, color=color
    )
    return None if found is None else int(found)


UPDATE_LABEL = SQL("""
    UPDATE labels
    SET name = %(name)s, description = %(description)s, color = %(color)s, updated_at = now()
    WHERE id = %(label_id)s
""")


async def update_label(tx: Transaction, label_id: int, *, name: str, description: str, color: str) -> bool:
    """Change a label and return whether it is there; raise UniqueViolation when the name is taken."""
    return await tx.run(UPDATE_LABEL, label_id=label_id, name=name, description=description, color=color) == 1


DELETE_LABEL = SQL("DELETE FROM labels WHERE id = %(label_id)s")


async def delete_label(tx: Transaction, label_id: int) -> bool:
    """Remove a label, from all artifacts too; False when there is none."""
    return await tx.run(DELETE_LABEL, label_id=label_id) == 1
