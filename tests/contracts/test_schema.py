"""app/db/schema.sql says what the migrations make, so that a reader need not replay them."""

from app.db.migrate import migrate, migrations
from tests.support.schema import SCHEMA_FILE, dump


def test_the_kept_schema_is_what_the_migrations_make(empty_database_url: str) -> None:
    migrate(empty_database_url)
    assert SCHEMA_FILE.read_text(encoding="utf-8") == dump(empty_database_url), "run `make schema`"


def test_migrating_twice_changes_nothing(empty_database_url: str) -> None:
    names = [name for name, _ in migrations()]
    assert migrate(empty_database_url) == names
    before = dump(empty_database_url)
    assert migrate(empty_database_url) == []
    assert dump(empty_database_url) == before


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [int(name.partition("_")[0]) for name, _ in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
