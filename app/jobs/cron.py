"""When a schedule comes next: cron with six fields, seconds first, as Harbor has it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_FIELDS: Final = 6
_LONGEST: Final = 255
_SECOND: Final = re.compile(r"[0-5]?[0-9]")


class BadCron(ValueError):
    """No such moment can be: the message says what is wrong."""


def next_after(cron: str, time_zone: str, after: datetime) -> datetime | None:
    """Return the first moment after this one, or None where none comes in fifty years.

    What names hour, minute and second comes once on each of its days: where clocks skip its hour it comes
    when they have, and where they repeat it, it comes the first time.

    Raises:
        BadCron: it is no cron expression of six fields, or there is no such time zone.
    """
    zone = _zone(time_zone)
    fields = cron.split()
    if len(fields) != _FIELDS or len(cron) > _LONGEST:
        raise BadCron("it has six fields: second, minute, hour, day of month, month, day of week")
    second, *rest = (*fields[:3], *("*" if field == "?" else field for field in fields[3:]))
    if _SECOND.fullmatch(second):
        # Only without seconds the library sees to what clocks skip and repeat, as cron does.
        offset = timedelta(seconds=int(second))
        found = _first(" ".join(rest), (after - offset).astimezone(zone))
        return found and found + offset
    return _first(" ".join((second, *rest)), after.astimezone(zone))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadCron(f"there is no time zone {name[:100]!r}") from None


def _first(expression: str, after: datetime) -> datetime | None:
    try:
        found = next(CronSim(expression, after), None)
    except (CronSimError, ValueError, AssertionError) as error:
        raise BadCron(str(error) or "it cannot be read") from None
    return found and found.astimezone(UTC)
