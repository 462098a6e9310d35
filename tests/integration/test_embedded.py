"""The embedded servers, as `roadstead up` runs them."""

import psycopg2
import pytest
from redis import Redis

from cli.embedded.postgres import ADMIN
from tests.support.servers import Databases

PASSWORDS = "SELECT DISTINCT split_part(rolpassword, ':', 1) FROM pg_authid WHERE rolpassword IS NOT NULL"


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.mark.parametrize("_round", [1, 2])
def test_each_test_has_a_migrated_database_of_its_own(database_url: str, _round: int) -> None:
    assert rows(database_url, "SELECT to_regclass('schema_migrations') IS NOT NULL") == [(True,)]
    rows(database_url, "CREATE TABLE mine ()")


@pytest.mark.parametrize("_round", [1, 2])
def test_an_empty_database_is_empty(empty_database_url: str, _round: int) -> None:
    assert rows(empty_database_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    rows(empty_database_url, "CREATE TABLE mine ()")


@pytest.mark.parametrize("_round", [1, 2])
def test_each_test_has_an_empty_valkey(redis_url: str, _round: int) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("mine", "1")


def test_the_program_is_no_superuser(database_url: str) -> None:
    assert rows(database_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]


def test_random_passwords_are_hashed_once(databases: Databases) -> None:
    assert rows(databases._server.url("postgres", ADMIN), PASSWORDS) == [("SCRAM-SHA-256$1",)]
