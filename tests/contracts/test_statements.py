"""PostgreSQL accepts every statement of the product on the migrated schema."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2 names its class in lower case

from app.db import SQL, Prepared
from tests.contracts.statements import Statement, definition, numbered, statements


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with closing(psycopg2.connect(database_url)) as opened:
        yield opened


def complaint(connection: Connection, statement: Statement) -> str:
    """What PostgreSQL has against a statement; nothing that it does is kept."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement.definition)
    except psycopg2.Error as error:
        return f"{statement.name}: {error.diag.message_primary} {error.diag.message_hint or ''}".strip()
    finally:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")  # prepared statements outlive a rollback
    return ""


def test_every_statement_can_be_prepared(connection: Connection) -> None:
    every = statements()
    assert "app.events.outbox.RECORD" in {statement.name for statement in every}
    complaints = [text for statement in every if (text := complaint(connection, statement))]
    assert not complaints, (
        "\n".join(complaints)
        + "\n(a parameter whose type PostgreSQL cannot infer takes a cast: %(name)s::text)"
    )


@pytest.mark.parametrize(
    "value",
    [
        SQL("SELECT no_such_column FROM tags"),
        SQL("SELECT name FROM tags WHERE name = %(name)s AND repository_id = %(name)s"),
        SQL("LISTEN"),
    ],
)
def test_a_wrong_statement_is_found(connection: Connection, value: SQL) -> None:
    assert complaint(connection, Statement("wrong", definition(value)))


def test_parameters_are_numbered_by_name() -> None:
    text = "SELECT %(a)s, %(b)s, %(a)s WHERE x LIKE 'y%%' AND z = ANY(%(c)s)"
    assert numbered(text) == "SELECT $1, $2, $1 WHERE x LIKE 'y%' AND z = ANY($3)"
    assert numbered("SELECT 5 %% 2") == "SELECT 5 %% 2", "psycopg2 leaves a text without parameters alone"


def test_two_statements_in_one_are_refused() -> None:
    with pytest.raises(ValueError, match="one statement"):
        definition(SQL("SELECT 1; SELECT 2"))


@pytest.mark.parametrize("text", ["SELECT %s", "SELECT 1 WHERE x LIKE 'y%'", "SELECT %(a)d"])
def test_other_percent_signs_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no parameter"):
        numbered(text)


def test_two_statements_of_one_name_are_refused() -> None:
    """One of them would run in place of the other."""
    name = next(iter(Prepared.registry))
    with pytest.raises(ValueError, match=f"statement {name} already"):
        Prepared(name, (), "SELECT 1")
