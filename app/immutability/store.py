"""Statements on rules of immutability."""

import msgspec

from app.db import SQL, Column, Listing, Statements, Transaction
from app.immutability.model import Rule, Selectors


def _rule(*, tag_selectors: object, scope_selectors: object, **columns: object) -> Rule:
    selectors = msgspec.convert({"tags": tag_selectors, "scopes": scope_selectors}, Selectors)
    return Rule(selectors=selectors, **columns)  # type: ignore[arg-type]  # columns by their names


RULES = Listing(
    _rule,
    rows="""
        SELECT id, project_id, is_disabled, tag_selectors, scope_selectors FROM immutability_rules
        WHERE project_id = %(project_id)s AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="SELECT count(*) FROM immutability_rules WHERE project_id = %(project_id)s AND {conditions}",
    columns={"id": Column("id", int), "disabled": Column("is_disabled", bool)},
    order="id",
)

GET_IN_FORCE = SQL("""
    SELECT coalesce(json_agg(json_build_object('tags', tag_selectors, 'scopes', scope_selectors)), '[]')::text
    FROM immutability_rules WHERE project_id = %(project_id)s AND NOT is_disabled
""")


async def get_in_force(statements: Statements, project_id: int) -> str:
    """Return the selectors of the project's rules in force, as JSON."""
    return str(await statements.value(GET_IN_FORCE, project_id=project_id))


TAKE_RULES = SQL("SELECT take_immutability_rules(%(project_id)s)")


async def take_rules(tx: Transaction, project_id: int) -> None:
    """Wait until nobody acts on the rules as they are, and keep others waiting until `tx` ends."""
    await tx.run(TAKE_RULES, project_id=project_id)


COUNT_RULES = SQL("SELECT count(*) FROM immutability_rules WHERE project_id = %(project_id)s")


async def count_rules(tx: Transaction, project_id: int) -> int:
    """Return how many rules the project has."""
    return int(await tx.value(COUNT_RULES, project_id=project_id))


FIND_SAME = SQL("""
    SELECT id FROM immutability_rules
    WHERE project_id = %(project_id)s AND id <> %(rule_id)s
        AND tag_selectors = %(tags)s::jsonb AND scope_selectors = %(scopes)s::jsonb
""")


async def find_same(tx: Transaction, project_id: int, rule_id: int, *, selectors: Selectors) -> int | None:
    """Return the id of another rule that protects the same."""
    found = await tx.value(FIND_SAME, project_id=project_id, rule_id=rule_id, **_columns(selectors))
    return None if found is None else int(found)


INSERT_RULE = SQL("""
    INSERT INTO immutability_rules (project_id, is_disabled, tag_selectors, scope_selectors)
    VALUES (%(project_id)s, %(is_disabled)s, %(tags)s::jsonb, %(scopes)s::jsonb)
    RETURNING id
""")


async def insert_rule(tx: Transaction, project_id: int, selectors: Selectors, *, is_disabled: bool) -> int:
    """Add a rule and return its id."""
    return int(
        await tx.value(INSERT_RULE, project_id=project_id, is_disabled=is_disabled, **_columns(selectors))
    )


UPDATE_RULE = SQL("""
    UPDATE immutability_rules
    SET is_disabled = %(is_disabled)s, tag_selectors = %(tags)s::jsonb, scope_selectors = %(scopes)s::jsonb
    WHERE project_id = %(project_id)s AND id = %(rule_id)s
""")


async def update_rule(tx: Transaction, rule: Rule) -> bool:
    """Change a rule; False when the project has no such rule."""
    columns = _columns(rule.selectors)
    return (
        await tx.run(
            UPDATE_RULE,
            project_id=rule.project_id,
            rule_id=rule.id,
            is_disabled=rule.is_disabled,
            **columns,
        )
        == 1
    )


DELETE_RULE = SQL("DELETE FROM immutability_rules WHERE project_id = %(project_id)s AND id = %(rule_id)s")


async def delete_rule(tx: Transaction, project_id: int, rule_id: int) -> bool:
    """Remove a rule; False when the project has no such rule."""
    return await tx.run(DELETE_RULE, project_id=project_id, rule_id=rule_id) == 1


def _columns(selectors: Selectors) -> dict[str, str]:
    return {
        "tags": msgspec.json.encode(selectors.tags).decode(),
        "scopes": msgspec.json.encode(selectors.scopes).decode(),
    }
