"""When a schedule is due: cron's five fields in a time zone, as Debian's cron reads them, and its place in the window.

A time that a change to summer time leaves out is the first after it; one that comes twice is the first of both.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import sha256
from itertools import islice, pairwise

FIELDS = 5
LEAST_MINUTES = 15  # between two backups of a schedule
LOOKED_AT = 100  # times, to find out how near each other they are


def zone_named(name: str) -> tzinfo:
    """Return the zone of that IANA name. Raises ValueError."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few requests are about times

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is no time zone of the IANA's") from error


def check_cron(cron: str, zone: tzinfo, moment: datetime) -> None:
    """Raise ValueError with what is wrong with it, if anything is."""
    if len(cron.split()) != FIELDS:
        raise ValueError("must have five fields: minute, hour, day of the month, month, day of the week")
    times = list(islice(times_after(cron, zone, moment), LOOKED_AT))
    if not times:
        raise ValueError("is never due")
    if any(later - earlier < timedelta(minutes=LEAST_MINUTES) for earlier, later in pairwise(times)):
        raise ValueError(f"is due more often than each {LEAST_MINUTES} minutes")


def times_after(cron: str, zone: tzinfo, moment: datetime) -> Iterator[datetime]:
    """Yield the times after the moment, in UTC. Raises ValueError if that is no cron expression."""
    from cronsim import CronSim, CronSimError  # noqa: PLC0415

    try:
        times = CronSim(cron, moment.astimezone(zone))
    except CronSimError as error:
        raise ValueError(f"is no cron expression: {error}") from error
    return (each.astimezone(UTC) for each in times)


def first_after(cron: str, time_zone: str, moment: datetime) -> datetime:
    return next(times_after(cron, zone_named(time_zone), moment))


def newest_until(cron: str, time_zone: str, since: datetime, moment: datetime) -> datetime:
    """Return the newest time until the moment, of those from `since`, which is one, on."""
    newest = since
    for each in times_after(cron, zone_named(time_zone), since):
        if each > moment:
            break
        newest = each
    return newest


def spread(schedule_id: str, window_minutes: int) -> timedelta:
    """Return how much later than its time a schedule begins: always the same, and another for each."""
    seconds = window_minutes * 60
    number = int.from_bytes(sha256(schedule_id.encode()).digest()[:8])
    return timedelta(seconds=number % seconds if seconds else 0)
