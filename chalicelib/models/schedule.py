"""Schedules: when backups of an instance are taken without being asked for, and which of them are kept."""

from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib import config
from chalicelib.models.page import one_page
from chalicelib.models.record import ProjectRecord, now, table_name

WATCHED = "watched"


class SchedulesByProject(GlobalSecondaryIndex["Schedule"]):
    class Meta:
        index_name = "by_project"
        projection = AllProjection()

    project_id = UnicodeAttribute(hash_key=True)
    schedule_id = UnicodeAttribute(range_key=True)


class SchedulesByCluster(GlobalSecondaryIndex["Schedule"]):
    """Those that go with their cluster."""

    class Meta:
        index_name = "by_cluster"
        projection = KeysOnlyProjection()

    cluster_id = UnicodeAttribute(hash_key=True)
    schedule_id = UnicodeAttribute(range_key=True)


class DueSchedules(GlobalSecondaryIndex["Schedule"]):
    """Those that are on, by when they are to be looked at: a tick reads what is due, however many there are."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    watch = UnicodeAttribute(hash_key=True)
    look_at = UTCDateTimeAttribute(range_key=True)


class Schedule(ProjectRecord):
    class Meta:
        table_name = table_name("schedules")

    schedule_id = UnicodeAttribute(hash_key=True)
    by_project = SchedulesByProject()
    name = UnicodeAttribute()
    instance_id = UnicodeAttribute()
    cluster_id = UnicodeAttribute()
    by_cluster = SchedulesByCluster()
    cron = UnicodeAttribute()  # five fields
    time_zone = UnicodeAttribute(default="UTC")  # an IANA name
    window_minutes = NumberAttribute()  # over which schedules of the same time are spread
    full_every = NumberAttribute(default=1)  # so many backups are one chain: 1 is, each is whole
    retention = JSONAttribute()  # {rule: how many}; see orders/retention.py
    is_paused = BooleanAttribute(default=False)
    # --- how it goes
    watch = UnicodeAttribute(null=True)  # WATCHED; absent while it is paused
    look_at = UTCDateTimeAttribute(null=True)  # when the tick looks at it next
    due = DueSchedules()
    next_at = UTCDateTimeAttribute(null=True)  # the next time by its cron: one that has passed is being tried
    owed_since = UTCDateTimeAttribute(null=True)  # the first time since which none was completed
    last_due_at = UTCDateTimeAttribute(null=True)  # the time by its cron that the newest backup is of
    last_backup_id = UnicodeAttribute(null=True)
    awaits_end = BooleanAttribute(default=False)  # of that backup, which is being taken
    last_success_at = UTCDateTimeAttribute(null=True)  # when the newest that was completed was ordered
    message = UnicodeAttribute(null=True)  # why there is none of the newest time
    created_at = UTCDateTimeAttribute(default=now)
    updated_at = UTCDateTimeAttribute(default=now)

    @property
    def overdue_at(self) -> datetime | None:
        """When somebody should be told that there is no backup of the time that is owed, or will be."""
        owed = self.owed_since or self.next_at
        return owed + timedelta(minutes=int(self.window_minutes)) + patience() if owed else None

    def is_overdue(self, moment: datetime) -> bool:
        return not self.is_paused and self.overdue_at is not None and self.overdue_at <= moment


def patience() -> timedelta:
    """Return how long a backup may take to begin, and to be there, after its window."""
    return timedelta(minutes=config.current().dtrove_schedule_patience_minutes)


def page_of_schedules(project_id: str, limit: int, marker: str | None) -> tuple[list[Schedule], str | None]:
    """Return schedules by ascending id after `marker`, and the marker of the next page if there is one."""
    after: Any = SchedulesByProject.schedule_id > marker if marker else None
    found = Schedule.by_project.query(project_id, after, limit=limit + 1, page_size=limit + 1)
    schedules, more = one_page(found, limit)
    return schedules, schedules[-1].schedule_id if more else None
