"""When a target is left alone, and how long a delivery waits."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from app.outgoing import Answer
from app.settings import WebhookSettings
from app.webhooks.health_model import Health, retry_delay
from app.webhooks.send import Attempt, wait_of
from app.webhooks.settle import after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FAILED = Attempt(id=1, number=1, tries=1, attempted_at=NOW, took=SECOND, status=500)
TAKEN = replace(FAILED, status=204)
SETTINGS = WebhookSettings()


def pauses_of(failures: int) -> list[float]:
    """How long a target is left alone after each failure, where the next one comes when that is over."""
    health, now, pauses = Health(), NOW, []
    for _ in range(failures):
        health = after(health, FAILED, now, settings=SETTINGS)
        pauses.append((health.open_until - now).total_seconds() if health.open_until else 0)
        now = health.open_until or now + SECOND
    return pauses


def test_the_pause_begins_with_the_fifth_failure_and_doubles_up_to_ten_minutes() -> None:
    assert pauses_of(13) == [0, 0, 0, 0, 10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_what_fails_during_a_pause_was_on_its_way_and_does_not_count() -> None:
    health = Health(failures=5, failing_since=NOW, open_until=NOW + SECOND)
    assert after(health, FAILED, NOW, settings=SETTINGS) == health


def test_one_success_makes_it_as_new() -> None:
    health = Health(failures=9, failing_since=NOW, open_until=NOW + SECOND)
    assert after(health, TAKEN, NOW, settings=SETTINGS) == Health()


def test_a_success_does_not_end_what_people_paused() -> None:
    health = Health(failures=9, failing_since=NOW, paused_at=NOW)
    assert after(health, TAKEN, NOW, settings=SETTINGS) == Health(paused_at=NOW)


def test_days_of_failure_pause_it_and_not_a_moment_less() -> None:
    since = NOW - SETTINGS.pause_after
    assert after(Health(failures=1, failing_since=since), FAILED, NOW, settings=SETTINGS).paused_at == NOW
    assert not after(
        Health(failures=1, failing_since=since + SECOND), FAILED, NOW, settings=SETTINGS
    ).paused_at


def test_gone_pauses_it_at_once() -> None:
    assert after(Health(), replace(FAILED, status=410), NOW, settings=SETTINGS).paused_at == NOW


def test_what_a_target_asks_for_is_its_pause_where_that_is_longer() -> None:
    asked = replace(FAILED, status=429, wait=30 * SECOND)
    assert after(Health(), asked, NOW, settings=SETTINGS).open_until == NOW + 30 * SECOND
    known = Health(failures=9, failing_since=NOW, open_until=NOW - SECOND)
    assert after(known, asked, NOW, settings=SETTINGS).open_until == NOW + 320 * SECOND


def test_retries_come_in_a_random_part_of_what_doubles_up_to_an_hour() -> None:
    for attempts, longest in [(1, 2), (2, 4), (3, 8), (12, 3600), (1_000, 3600)]:
        delays = [retry_delay(attempts).total_seconds() for _ in range(200)]
        assert 1 <= min(delays) <= max(delays) <= longest
        assert max(delays) - min(delays) > longest / 4


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (429, "30", 30),
        (503, "0", 0),
        (503, "999999", 3600),
        (503, "9" * 400, 3600),
        (503, "Sun, 01 Mar 2026 12:02:00 GMT", 120),
        (503, "Sun, 01 Mar 2026 11:00:00 GMT", 0),
        (503, "Sun, 01 Mar 2026 12:02:00 -0000", 120),
        (503, "-5", None),
        (503, "soon", None),
        (503, "½", None),
        (503, "", None),
        (500, "30", None),
    ],
)
def test_a_busy_target_says_in_seconds_or_by_a_date_how_long_it_wants_to_be_left_alone(
    status: int, said: str, seconds: int | None
) -> None:
    wait = wait_of(Answer(status, said, b""), NOW)
    assert wait == (None if seconds is None else seconds * SECOND)
