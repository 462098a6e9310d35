"""Whose signature it is: credentials that end are renewed, and no URL is said to live longer than they do."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Never

import pytest
from aiobotocore.credentials import AioRefreshableCredentials
from aiobotocore.session import get_session
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    SSLError,
)
from structlog.testing import capture_logs

from app.storage import CredentialsMissing, StorageBusy
from app.storage.s3_errors import remedy_of, storage_errors
from app.storage.s3_identity import Identity, find_identity

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)

Issued = dict[str, str]


def issued(lifetime: timedelta) -> Issued:
    end = (datetime.now(UTC) + lifetime).isoformat()
    return {"access_key": "key", "secret_key": "secret", "token": "token", "expiry_time": end}


def identity(first: timedelta, renew: Callable[[], Awaitable[Issued]]) -> Identity:
    return Identity(
        AioRefreshableCredentials.create_from_metadata(issued(first), refresh_using=renew, method="test")
    )


async def for_an_hour() -> Issued:
    return issued(HOUR)


async def never() -> Never:
    raise AssertionError("nothing has to be renewed yet")


async def without_its_file() -> Never:
    raise FileNotFoundError("the token of the pod")


async def ended() -> Issued:
    return issued(-HOUR)


async def failing() -> Never:
    raise CredentialRetrievalError(provider="test", error_msg="it is away")


async def test_a_url_ends_with_the_credentials() -> None:
    left = await identity(HOUR, never).lasting(WEEK)
    assert HOUR - timedelta(seconds=3) < left < HOUR
    assert left.microseconds == 0
    assert await identity(HOUR, never).lasting(timedelta(minutes=1)) == timedelta(minutes=1)


async def test_keys_without_an_end_sign_for_any_time() -> None:
    assert await Identity().lasting(WEEK) == WEEK


async def test_what_ends_soon_is_renewed_first() -> None:
    assert await identity(timedelta(minutes=1), for_an_hour).lasting(WEEK) > timedelta(minutes=59)


async def test_what_cannot_be_renewed_is_used_as_long_as_it_may() -> None:
    assert await identity(timedelta(minutes=14), failing).lasting(WEEK) > timedelta(minutes=13)


@pytest.mark.parametrize("renew", [without_its_file, ended, failing])
async def test_what_has_ended_and_cannot_be_renewed_is_for_later(
    renew: Callable[[], Awaitable[Issued]],
) -> None:
    with pytest.raises(CredentialsMissing, match="no credentials are to be had"):
        await identity(-HOUR, renew).renew()


@pytest.mark.parametrize(("token", "is_warned"), [("a token", True), (None, False)])
async def test_a_token_without_an_end_is_warned_of(token: str | None, *, is_warned: bool) -> None:
    session = get_session()
    session.set_credentials("key", "secret", token)
    with capture_logs() as logs:
        assert await (await find_identity(session)).lasting(WEEK) == WEEK
    assert ["AWS_CREDENTIAL_EXPIRATION" in line["remedy"] for line in logs] == [True] * is_warned


async def test_of_credentials_that_say_their_end_nobody_is_warned() -> None:
    with capture_logs() as logs:
        await identity(HOUR, never).warn()
    assert logs == []


def test_a_file_of_this_machine_that_is_missing_is_no_missing_blob() -> None:
    with pytest.raises(StorageBusy), storage_errors():
        raise FileNotFoundError("the token of the pod")


def refused(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "Said."}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "GetObject",
    )


def test_what_the_storage_has_not_stays_missing_through_all_layers() -> None:
    with pytest.raises(FileNotFoundError), storage_errors(), storage_errors():
        raise refused("NoSuchKey", 404)


SETTING = "ROADSTEAD_STORAGE_"
NOT_TRUSTED = SSLError(endpoint_url="https://s3", error="CERTIFICATE_VERIFY_FAILED: unable to get the issuer")
NO_TLS = SSLError(endpoint_url="https://s3", error="WRONG_VERSION_NUMBER")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused("AccessDenied", 403), "s3:ListBucket"),
        (refused("AuthorizationHeaderMalformed", 400), f"{SETTING}REGION"),
        (refused("ExpiredToken", 400), "have ended"),
        (refused("SignatureDoesNotMatch", 403), f"{SETTING}SECRET_KEY"),
        (refused("400", 400), f"http:// or https:// in {SETTING}ENDPOINT"),
        (refused("Surprise", 403), ""),
        (NoCredentialsError(), f"{SETTING}ACCESS_KEY"),
        (NOT_TRUSTED, f"{SETTING}CA_FILE"),
        (NO_TLS, f"http:// or https:// in {SETTING}ENDPOINT"),
        (EndpointConnectionError(endpoint_url="http://s3"), f"{SETTING}ENDPOINT"),
        (None, ""),
    ],
)
def test_what_keeps_a_bucket_from_being_used_has_a_remedy(error: Exception | None, words: str) -> None:
    remedy = remedy_of(error)
    assert words in remedy
    assert bool(words) == bool(remedy)
