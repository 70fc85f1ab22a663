"""When a schedule is due."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.orders.times import check_cron, first_after, newest_until, spread, zone_named

BERLIN = "Europe/Berlin"
NIGHTLY = "30 2 * * *"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def times(cron: str, zone: str, since: datetime, count: int) -> list[datetime]:
    found = [since]
    for _ in range(count):
        found.append(first_after(cron, zone, found[-1]))
    return found[1:]


def test_times_are_those_of_the_zone() -> None:
    assert times(NIGHTLY, BERLIN, at(2026, 1, 1), 2) == [at(2026, 1, 1, 1, 30), at(2026, 1, 2, 1, 30)]
    assert first_after(NIGHTLY, "UTC", at(2026, 1, 1)) == at(2026, 1, 1, 2, 30)
    assert first_after(NIGHTLY, "UTC", at(2026, 1, 1, 2, 30)) == at(2026, 1, 2, 2, 30)


def test_a_time_that_summer_time_leaves_out_comes_once_a_little_later() -> None:
    """On 2026-03-29 two o'clock is three o'clock in Berlin: 01:00 UTC."""
    assert times(NIGHTLY, BERLIN, at(2026, 3, 28, 12), 2) == [at(2026, 3, 29, 1), at(2026, 3, 30, 0, 30)]


def test_a_time_that_comes_twice_counts_once() -> None:
    """On 2026-10-25 the hour from two to three comes twice in Berlin: from 00:00 and from 01:00 UTC."""
    assert times(NIGHTLY, BERLIN, at(2026, 10, 24, 12), 2) == [at(2026, 10, 25, 0, 30), at(2026, 10, 26, 1, 30)]


def test_the_newest_of_the_times_that_were_missed() -> None:
    since = at(2026, 1, 1, 2, 30)
    assert newest_until(NIGHTLY, "UTC", since, at(2026, 1, 4, 12)) == at(2026, 1, 4, 2, 30)
    assert newest_until(NIGHTLY, "UTC", since, at(2026, 1, 4, 2, 30)) == at(2026, 1, 4, 2, 30)
    assert newest_until(NIGHTLY, "UTC", since, since + timedelta(hours=1)) == since


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("0 2 * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("0 99 * * *", "Bad hour"),
        ("0 0 30 2 *", "no cron expression"),
        ("*/5 * * * *", "more often"),
        ("0,10 3 1 * *", "more often"),
        ("0 2 * * rm", "Bad day-of-week"),
    ],
)
def test_what_is_no_time_is_told(cron: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_cron(cron, zone_named("UTC"), at(2026, 1, 1))


@pytest.mark.parametrize("cron", ["0 2 * * *", "*/15 * * * *", "0 0 29 2 *", "0 3 * * MON#1", "0 4 L * *"])
def test_what_is_a_time_is_taken(cron: str) -> None:
    check_cron(cron, zone_named(BERLIN), at(2026, 1, 1))


@pytest.mark.parametrize("name", ["Mars/Olympus", "../UTC", "Europe", "/etc/passwd", "x" * 64])
def test_what_is_no_zone_is_told(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone_named(name)


def test_schedules_of_one_time_are_spread_evenly_over_their_window() -> None:
    delays = [spread(f"schedule {number}", 60) for number in range(6_000)]
    a_minute = [sum(each // timedelta(minutes=1) == minute for each in delays) for minute in range(60)]

    assert max(delays) < timedelta(hours=1)
    assert min(a_minute) > 50
    assert max(a_minute) < 150
    assert spread("schedule 1", 60) == delays[1]
    assert spread("schedule 1", 0) == timedelta(0)
