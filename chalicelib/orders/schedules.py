"""Schedules: made, changed and deleted. What they bring about is in orders/due.py."""

from datetime import datetime, timedelta
from uuid import uuid4

from chalicelib import config
from chalicelib.datastores import manager_of
from chalicelib.errors import OverLimit
from chalicelib.models.backup import LONGEST_CHAIN
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.models.record import now
from chalicelib.models.schedule import WATCHED, Schedule, page_of_schedules
from chalicelib.orders.fields import Fields
from chalicelib.orders.members import id_from
from chalicelib.orders.requester import Requester
from chalicelib.orders.retention import RULES
from chalicelib.orders.times import check_cron, first_after, spread, zone_named

LONGEST_NAME = 200  # a backup's is it with the time behind
LONGEST_CRON = 100
LONGEST_ZONE = 64
LONGEST_WINDOW_MINUTES = 720
DEFAULT_RETENTION = {"count": 7}
CHANGEABLE = ("name", "cron", "time_zone", "window_minutes", "full_every", "retention", "is_paused")
TRY_AGAIN = timedelta(minutes=2)  # while its cluster is busy
LOOK_AGAIN = timedelta(minutes=10)  # while its backup is taken, and while it is overdue
WHEN = ("cron", "time_zone", "window_minutes", "is_paused")  # what says when it is due


def read_schedule(body: object) -> Fields:
    """Return the one object of the body `{"schedule": {…}}`. Raises BadRequest."""
    return Fields.of_body(body, "schedule")


def new_schedule(fields: Fields, instance: Instance, by: Requester) -> Schedule:
    """Record a schedule of the instance's. Raises BadRequest, NotOffered, OverLimit."""
    fields.only("instance", *CHANGEABLE, why="is not known of a schedule")
    schedule_id = id_from(by.attempt.job_id, "schedule") if by.attempt.job_id else str(uuid4())
    if by.attempt.is_repeated and (there := Schedule.find(schedule_id)):
        return there
    fields.value("name"), fields.value("cron")
    manager_of(Datastore.of_version(instance.datastore_version_id)).check_backups()
    _check_room(by.project_id)
    schedule = Schedule(
        schedule_id=schedule_id,
        project_id=by.project_id,
        instance_id=instance.instance_id,
        cluster_id=instance.cluster_id,
        window_minutes=config.current().dtrove_schedule_window_minutes,
        retention=dict(DEFAULT_RETENTION),
        created_at=(moment := now()),
    )
    _set(schedule, fields, instance)
    _time(schedule, fields, moment)
    schedule.add()
    return schedule


def change_schedule(schedule: Schedule, fields: Fields) -> None:
    """Change what is given; a new time counts from now on. Raises BadRequest, Stale."""
    fields.only(*CHANGEABLE)
    _set(schedule, fields, Instance.find(schedule.instance_id))
    if any(each in fields for each in WHEN):
        _time(schedule, fields, now())
    schedule.save_if(Schedule.schedule_id.exists())


def delete_schedule(schedule: Schedule) -> None:
    """Forget it: its backups stay, and are deleted by hand from now on."""
    Schedule(schedule_id=schedule.schedule_id).delete(add_version_condition=False)


def forget_schedules_of(cluster_id: str, instance_ids: list[str] | None = None) -> None:
    """Forget those of a cluster that goes, or of these of its instances."""
    for key in Schedule.by_cluster.query(cluster_id):
        schedule = Schedule.find(key.schedule_id)
        if schedule is not None and (instance_ids is None or schedule.instance_id in instance_ids):
            delete_schedule(schedule)


def plan(schedule: Schedule, moment: datetime) -> None:
    """Set when it is to be looked at next."""
    if schedule.is_paused:
        schedule.watch = schedule.look_at = None
        return
    begins_at, overdue_at = schedule.next_at + delay_of(schedule), schedule.overdue_at
    looks = [begins_at if begins_at > moment else moment + TRY_AGAIN]
    if schedule.awaits_end:
        looks.append(moment + LOOK_AGAIN)
    if schedule.owed_since and overdue_at:
        looks.append(max(overdue_at, moment + LOOK_AGAIN))
    schedule.watch, schedule.look_at = WATCHED, min(looks)


def delay_of(schedule: Schedule) -> timedelta:
    """Return how much later than its times it begins."""
    return spread(schedule.schedule_id, int(schedule.window_minutes))


def _check_room(project_id: str) -> None:
    """Raise OverLimit if the project has as many as it may; those that are made at the same moment are not counted."""
    most = config.current().dtrove_max_schedules
    if 0 <= most <= len(page_of_schedules(project_id, max(most, 1), None)[0]) or most == 0:
        raise OverLimit(f"Quota exceeded for resources: ['schedules'] (limit {most}).")


def _set(schedule: Schedule, fields: Fields, instance: Instance | None) -> None:
    if "name" in fields:
        fields.text("name", longest=LONGEST_NAME)
        schedule.name = fields.name("name")
    if "window_minutes" in fields:
        schedule.window_minutes = fields.whole("window_minutes", least=0, most=LONGEST_WINDOW_MINUTES)
    if "full_every" in fields:
        schedule.full_every = fields.whole("full_every", least=1, most=LONGEST_CHAIN)
        if schedule.full_every > 1 and instance is not None:
            manager = manager_of(Datastore.of_version(instance.datastore_version_id))
            if not manager.supports_incremental_backups:
                raise fields.wrong("full_every", f"must be 1: every backup of {instance.datastore} is whole")
    if "retention" in fields:
        rules = fields.object("retention")
        rules.only(*RULES, why="is no rule of a retention")
        schedule.retention = {each: rules.whole(each, least=1, most=RULES[each]) for each in RULES if each in rules}
        if not schedule.retention:
            raise fields.wrong("retention", f"must have at least one of {', '.join(RULES)}")
    if "is_paused" in fields:
        schedule.is_paused = fields.is_true("is_paused")
    schedule.updated_at = now()


def _time(schedule: Schedule, fields: Fields, moment: datetime) -> None:
    """Set when it is due: times that passed before count no more."""
    if "time_zone" in fields:
        schedule.time_zone = fields.text("time_zone", longest=LONGEST_ZONE)
    if "cron" in fields:
        schedule.cron = " ".join(fields.text("cron", longest=LONGEST_CRON).split())
    try:
        zone = zone_named(schedule.time_zone)
    except ValueError as error:
        raise fields.wrong("time_zone", str(error)) from error
    try:
        check_cron(schedule.cron, zone, moment)
    except ValueError as error:
        raise fields.wrong("cron", str(error)) from error
    schedule.next_at = None if schedule.is_paused else first_after(schedule.cron, schedule.time_zone, moment)
    schedule.owed_since = None
    plan(schedule, moment)
