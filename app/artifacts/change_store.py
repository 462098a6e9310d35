"""Statements that change what belongs to artifacts: their labels."""

from app.db import SQL, Transaction

LOCK_LABEL = SQL("""
    SELECT name FROM labels
    WHERE id = %(label_id)s AND (project_id IS NULL OR project_id = %(project_id)s) FOR KEY SHARE
""")


async def lock_label(tx: Transaction, label_id: int, *, project_id: int) -> str | None:
    """Return the name of a label that artifacts of the project can have, and keep it until `tx` ends."""
    found = await tx.value(LOCK_LABEL, label_id=label_id, project_id=project_id)
    return None if found is None else str(found)


INSERT_LABEL = SQL("""
    INSERT INTO manifest_labels (manifest_id, label_id) VALUES (%(manifest_id)s, %(label_id)s)
    ON CONFLICT DO NOTHING
""")


async def insert_label(tx: Transaction, manifest_id: int, label_id: int) -> bool:
    """Attach a label; False when the artifact has it. Raises ForeignKeyViolation where that is gone."""
    return await tx.run(INSERT_LABEL, manifest_id=manifest_id, label_id=label_id) == 1


DELETE_LABEL = SQL("""
    DELETE FROM manifest_labels l USING labels
    WHERE l.manifest_id = %(manifest_id)s AND l.label_id = %(label_id)s AND labels.id = l.label_id
    RETURNING labels.name
""")


async def delete_label(tx: Transaction, manifest_id: int, label_id: int) -> str | None:
    """Take a label from an artifact and return its name, or None when the artifact does not have it."""
    found = await tx.value(DELETE_LABEL, manifest_id=manifest_id, label_id=label_id)
    return None if found is None else str(found)
