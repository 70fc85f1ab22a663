"""Retention, as documented: what each rule keeps, and what nothing may take."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.models.backup import Backup, BackupStatus
from chalicelib.orders.retention import RULES, expired, is_good

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
GOOD = BackupStatus.COMPLETED


def backup(number: int, age: timedelta, parent: int | None = None, status: BackupStatus = GOOD) -> Backup:
    return Backup(
        backup_id=f"b{number}",
        parent_id=None if parent is None else f"b{parent}",
        created_at=NOON - age,
        status=status,
    )


def nightly(count: int, full_every: int = 1) -> list[Backup]:
    """Return one for each night, b0 the oldest."""
    return [
        backup(number, (count - number) * DAY, number - 1 if number % full_every else None) for number in range(count)
    ]


def gone(backups: Sequence[Backup], zone: str = "UTC", /, **rules: int) -> list[str]:
    return [each.backup_id for each in expired(backups, rules, ZoneInfo(zone), NOON)]


def left(backups: Sequence[Backup], zone: str = "UTC", /, **rules: int) -> list[str]:
    went = gone(backups, zone, **rules)
    return [each.backup_id for each in backups if each.backup_id not in went]


def test_the_newest_are_kept_and_the_oldest_go_first() -> None:
    assert gone(nightly(5), count=3) == ["b0", "b1"]
    assert gone(nightly(3), count=3) == []


def test_what_is_older_than_so_many_days_goes_but_not_the_newest() -> None:
    assert left(nightly(5), days=3) == ["b3", "b4"]
    assert left([backup(0, 90 * DAY), backup(1, 60 * DAY)], days=7) == ["b1"]


def test_of_days_weeks_and_months_the_newest_is_kept() -> None:
    """2026-06-29 was a Monday."""
    hourly = [backup(number, timedelta(hours=12 * (10 - number))) for number in range(10)]
    assert left(hourly, daily=2) == ["b8", "b9"]
    assert left(nightly(20), weekly=3) == ["b11", "b18", "b19"]  # of Sundays the 21st and 28th, and yesterday's
    months = [each.created_at.month for each in nightly(70) if each.backup_id in left(nightly(70), monthly=3)]
    assert months == [4, 5, 6]


def test_days_are_those_of_the_schedule_s_zone() -> None:
    """23:30 and 00:30 UTC are one day in New York."""
    late = [backup(0, timedelta(hours=36.5)), backup(1, timedelta(hours=35.5)), backup(2, timedelta(hours=1))]
    assert left(late, daily=3) == ["b0", "b1", "b2"]
    assert left(late, "America/New_York", daily=3) == ["b1", "b2"]


def test_rules_add_up() -> None:
    assert set(left(nightly(60), count=2, monthly=2)) == {"b59", "b58", *left(nightly(60), monthly=2)}


def test_what_others_add_to_stays_with_them_and_chains_go_from_their_end() -> None:
    assert gone(nightly(8, full_every=3), count=2) == ["b2", "b1", "b0", "b5", "b4", "b3"]
    assert gone(nightly(8, full_every=3), count=3) == ["b2", "b1", "b0"]


def test_what_failed_goes_with_the_next_that_ends_and_does_not_count() -> None:
    failed = backup(9, timedelta(hours=1), status=BackupStatus.FAILED)
    assert gone([*nightly(2), failed], count=2) == []
    assert gone([*nightly(2), failed, backup(10, timedelta(minutes=1))], count=2) == ["b0", "b9"]


def test_a_deletion_that_was_cut_is_gone_on_with() -> None:
    cut = backup(9, 9 * DAY, status=BackupStatus.DELETING)
    assert gone([cut, *nightly(2)], count=2) == ["b9"]


def test_a_chain_that_lost_a_part_is_nobody_s_last_good_one() -> None:
    broken = backup(8, timedelta(hours=2), parent=7)  # b7 is not there
    assert gone([*nightly(3), broken], count=1) == ["b0", "b1"]


STATES = [GOOD, GOOD, GOOD, BackupStatus.FAILED, BackupStatus.BUILDING, BackupStatus.DELETING]


@st.composite
def histories(draw: st.DrawFn) -> list[Backup]:
    """Chains as schedules make them, some of whose parts failed, are being taken, or were being deleted."""
    made: list[Backup] = []
    age = timedelta(days=400)
    for number in range(draw(st.integers(0, 25))):
        age -= timedelta(hours=draw(st.integers(1, 300)))
        parents = [each for each in made if each.status == GOOD]
        is_added = bool(parents) and draw(st.integers(0, 1)) == 1
        parent = parents[-1].backup_id[1:] if is_added else None
        status = draw(st.sampled_from(STATES))
        made.append(backup(number, max(age, timedelta()), int(parent) if parent else None, status))
    return made


@given(histories(), st.dictionaries(st.sampled_from(sorted(RULES)), st.integers(1, 12), min_size=1))
def test_whatever_happened_what_is_needed_stays(made: list[Backup], rules: dict[str, int]) -> None:
    by_id = {each.backup_id: each for each in made}
    good = sorted((each for each in made if is_good(each, by_id)), key=lambda each: each.created_at)
    doomed = gone(made, "UTC", **rules)
    stay = {each: by_id[each] for each in by_id if each not in doomed}

    if good:  # the last good one, with its chain
        assert good[-1].backup_id in stay
        assert is_good(good[-1], stay)
    for each in good:  # what is kept can be restored still
        assert each.backup_id in doomed or is_good(each, stay)
    for each in good[len(good) - rules.get("count", 0) :]:
        assert each.backup_id in stay
    for each in good:
        assert each.backup_id in stay or NOON - each.created_at >= timedelta(days=rules.get("days", 0))
    for each in made:
        assert not (each.is_running and each.backup_id in doomed)
    for place, each_id in enumerate(doomed):  # nothing goes before what adds to it
        assert by_id[each_id].parent_id not in doomed[:place]
    assert len(set(doomed)) == len(doomed)


@given(histories(), st.dictionaries(st.sampled_from(sorted(RULES)), st.integers(1, 12), min_size=1))
def test_what_was_pruned_needs_no_more_pruning(made: list[Backup], rules: dict[str, int]) -> None:
    doomed = set(gone(made, "UTC", **rules))
    assert gone([each for each in made if each.backup_id not in doomed], "UTC", **rules) == []
