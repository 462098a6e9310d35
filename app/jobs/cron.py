"""When a schedule comes next: cron with six fields, seconds first, as Harbor has it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError


class BadCron(ValueError):
    """No such moment can be: the message says what is wrong."""


def next_after(cron: str, time_zone: str, after: datetime) -> datetime | None:
    """Return the first moment after this one, or None where none comes in fifty years.

    What names hours comes once on every day that it is about: where clocks skip its hour it comes when they
    have, and where they repeat it, it comes the first time.

    Raises:
        BadCron: it is no cron expression of six fields, or there is no such time zone.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadCron(f"there is no time zone {time_zone[:100]!r}") from None
    fields = cron.split()
    if len(fields) != 6:  # noqa: PLR2004 - as many as the docstring says
        raise BadCron("it has six fields: second, minute, hour, day of month, month, day of week")
    second, *minutes = (*fields[:3], *("*" if field == "?" else field for field in fields[3:]))
    try:
        if second.isdecimal() and int(second) < 60:  # noqa: PLR2004 - seconds of a minute
            # Without seconds, what the clocks skip or repeat is seen to as cron does; with them, it is not.
            offset = timedelta(seconds=int(second))
            return _first(" ".join(minutes), (after - offset).astimezone(zone)) + offset
        return _first(" ".join((second, *minutes)), after.astimezone(zone))
    except CronSimError as error:
        raise BadCron(str(error)) from None
    except StopIteration:
        return None


def _first(expression: str, after: datetime) -> datetime:
    return next(CronSim(expression, after)).astimezone(UTC)
