"""When a schedule comes next, also on the days on which clocks change."""

from datetime import UTC, datetime

import pytest

from app.jobs.cron import BadCron, next_after

NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def coming(cron: str, zone: str, after: datetime, count: int) -> list[str]:
    """The next moments, in UTC."""
    found = []
    for _ in range(count):
        moment = next_after(cron, zone, after)
        assert moment is not None
        found.append(f"{moment:%m-%d %H:%M:%S}")
        after = moment
    return found


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 0 * * * *", ["10-24 13:00:00", "10-24 14:00:00"]),
        ("*/10 * * * * *", ["10-24 12:00:10", "10-24 12:00:20"]),
        ("5 7/20 * * * *", ["10-24 12:07:05", "10-24 12:27:05"]),
        ("0 0 0 ? * mon,WED", ["10-26 00:00:00", "10-28 00:00:00"]),
        ("0 0 0 1 * ?", ["11-01 00:00:00", "12-01 00:00:00"]),
        ("0 0 0 13 * 5", ["10-30 00:00:00", "11-06 00:00:00"]),
        ("30 15 10 * 11-12 *", ["11-01 10:15:30", "11-02 10:15:30"]),
    ],
)
def test_moments_come_as_cron_has_them(cron: str, expected: list[str]) -> None:
    assert coming(cron, "UTC", NOON, 2) == expected


def test_moment_itself_is_not_the_next_one() -> None:
    assert next_after("0 0 12 * * *", "UTC", NOON) == NOON.replace(day=25)


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        # Clocks go from 2 to 3: what names 2:30 comes when they have.
        ("0 30 2 * * *", datetime(2026, 3, 28, 12, tzinfo=UTC), ["03-29 01:00:00", "03-30 00:30:00"]),
        ("15 30 2 * * *", datetime(2026, 3, 28, 12, tzinfo=UTC), ["03-29 01:00:15", "03-30 00:30:15"]),
        # Clocks go from 3 to 2: what names 2:30 comes the first time.
        ("0 30 2 * * *", NOON, ["10-25 00:30:00", "10-26 01:30:00"]),
        # What comes every hour does so, whatever it is called.
        ("0 0 * * * *", datetime(2026, 3, 28, 23, 30, tzinfo=UTC), ["03-29 00:00:00", "03-29 01:00:00"]),
        ("0 0 * * * *", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), ["10-25 00:00:00", "10-25 01:00:00"]),
        ("0 0 9 * * *", NOON, ["10-25 08:00:00", "10-26 08:00:00"]),
    ],
)
def test_every_day_has_each_hour_once_where_clocks_change(
    cron: str, after: datetime, expected: list[str]
) -> None:
    assert coming(cron, BERLIN, after, 2) == expected


@pytest.mark.parametrize(
    "cron",
    [
        *(
            "",
            "* * * * *",
            "* * * * * * *",
            "@daily",
            "60 * * * * *",
            "0 60 * * * *",
            "0 0 0 30 2 *",
            "? * * * * *",
        ),
        *("0 0 0 1 1 8", "0 0/0 * * * *", "a b c d e f", "0 0 5-1 * * *", "1,,2 * * * * *", "0 0 0 * * L#"),
        "9" * 5_000 + " * * * * *",
    ],
)
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises(BadCron):
        next_after(cron, "UTC", NOON)


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "/etc/localtime", "\0"])
def test_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(BadCron, match="time zone"):
        next_after("0 0 * * * *", zone, NOON)


def test_what_never_comes_has_no_next_moment() -> None:
    assert next_after("0 0 0 */31 2 1#5", "UTC", NOON) is None
