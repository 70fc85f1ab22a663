"""Which backups of a schedule are kept: what any of its rules keeps, what those add to, and the newest that is good."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from chalicelib.models.backup import Backup, BackupStatus

RULES = {  # what each counts, and how many there may be
    "count": 1_000,  # the newest
    "days": 3_650,  # all that are not older
    "daily": 366,  # of each of so many days that have any, the newest; so the next two
    "weekly": 520,
    "monthly": 120,
}
PERIODS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "daily": lambda moment: (moment.year, moment.month, moment.day),
    "weekly": lambda moment: tuple(moment.isocalendar())[:2],  # from Monday on
    "monthly": lambda moment: (moment.year, moment.month),
}


def expired(backups: Sequence[Backup], rules: Mapping[str, int], zone: tzinfo, moment: datetime) -> list[Backup]:
    """Return those of a schedule's backups that shall go: the oldest chain first, of each what adds to others first.

    What failed goes with the next that has ended, and a deletion that was cut is gone on with.
    """
    backups = sorted(backups, key=lambda each: each.created_at)
    by_id = {each.backup_id: each for each in backups}
    stay = {link.backup_id for each in _wanted(backups, rules, zone, moment) for link in _chain(each, by_id)}
    ended = [each for each in backups if not each.is_running]
    gone = [each for each in ended if each.backup_id not in stay and _may_go(each, ended, by_id)]
    roots = {each.backup_id: list(_chain(each, by_id))[-1].created_at for each in gone}
    return sorted(gone, key=lambda each: (roots[each.backup_id], -each.created_at.timestamp()))


def _wanted(backups: Sequence[Backup], rules: Mapping[str, int], zone: tzinfo, moment: datetime) -> Iterator[Backup]:
    """Yield what is kept for itself: what is being taken, the newest good one, and what a rule keeps."""
    by_id = {each.backup_id: each for each in backups}
    newest_first = [each for each in reversed(backups) if is_good(each, by_id)]
    yield from (each for each in backups if each.is_running)
    yield from newest_first[: max(1, rules.get("count", 0))]
    since = moment - timedelta(days=rules.get("days", 0))
    yield from (each for each in newest_first if each.created_at > since)
    for rule, period in PERIODS.items():
        of_each: dict[tuple[int, ...], Backup] = {}
        for each in newest_first:
            of_each.setdefault(period(each.created_at.astimezone(zone)), each)
        yield from list(of_each.values())[: rules.get(rule, 0)]


def is_good(backup: Backup, by_id: Mapping[str, Backup]) -> bool:
    """Tell whether all that a restore of it reads is there."""
    chain = list(_chain(backup, by_id))
    return chain[-1].parent_id is None and all(each.status == BackupStatus.COMPLETED for each in chain)


def _chain(backup: Backup, by_id: Mapping[str, Backup]) -> Iterator[Backup]:
    """Yield it, what it adds to, and so on: as far as it is known."""
    link: Backup | None = backup
    while link is not None:
        yield link
        link = by_id.get(str(link.parent_id)) if link.parent_id else None


def _may_go(backup: Backup, ended: Sequence[Backup], by_id: Mapping[str, Backup]) -> bool:
    if backup.status == BackupStatus.FAILED:
        return backup is not ended[-1]  # so long it tells why
    return backup.status == BackupStatus.DELETING or is_good(backup, by_id)
