"""The tick: what is due by its schedule is ordered, and what came of it is heard of. It reads what is due alone.

A schedule is looked at when it is due (spread over its window), while it waits for its cluster, until its backup has
ended, and while it is overdue. All ids follow from the schedule and its time: whoever is cut, or comes twice, makes
the same backup.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from time import monotonic

from chalicelib import journal
from chalicelib.errors import OverLimit, ServiceError, Unprocessable
from chalicelib.jobs.beginnings import launch
from chalicelib.metrics import DEFECTS, OVERDUE, counted
from chalicelib.models.backup import Backup, BackupStatus
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import Stale, now
from chalicelib.models.schedule import WATCHED, DueSchedules, Schedule, patience
from chalicelib.models.status import JobStatus
from chalicelib.orders.backups import BackupOrder, place_backup
from chalicelib.orders.expiry import expired_of, place_expiry
from chalicelib.orders.members import id_from
from chalicelib.orders.requester import Attempt, Requester
from chalicelib.orders.schedules import delay_of, plan
from chalicelib.orders.times import first_after, newest_until

SCHEDULE = "schedule"  # who asks for what nobody asked for
MOST = 5_000  # that one tick looks at; the others are the next one's
LAST_BEGUN_SECONDS = 45  # into a tick
AT_ONCE = 8  # most of a look is waiting for AWS


def tick(at_once: int = AT_ONCE) -> int:
    """Look at all schedules that are due; return how many that were. One that fails stops none."""
    moment, until = now(), monotonic() + LAST_BEGUN_SECONDS

    def look(schedule_id: str) -> Schedule | None:
        return _tried(schedule_id, moment) if monotonic() < until else None

    due = DueSchedules.look_at <= moment
    ids = [each.schedule_id for each in Schedule.due.query(WATCHED, due, limit=MOST)]
    seen = [each for each in _each(look, ids, at_once) if each is not None]
    if overdue := [each for each in seen if each.is_overdue(moment)]:
        about = {"schedule_id": overdue[0].schedule_id, "cluster_id": overdue[0].cluster_id}
        journal.tell("overdue", logging.WARNING, **about, **counted({OVERDUE: len(overdue)}))
    return len(seen)


def _each(look: Callable[[str], Schedule | None], ids: Sequence[str], at_once: int) -> list[Schedule | None]:
    """Look at each, so many at once; what is known of this invocation is in the lines of all."""
    if at_once == 1 or len(ids) < 2:
        return [look(each) for each in ids]
    with ThreadPoolExecutor(min(at_once, len(ids))) as pool:
        return list(pool.map(lambda context, each: context.run(look, each), [copy_context() for _ in ids], ids))


def _tried(schedule_id: str, moment: datetime) -> Schedule | None:
    try:
        return _looked_at(schedule_id, moment)
    except Stale:  # another tick, or its owner, was first
        return None
    except Exception as error:  # the next tick looks again
        journal.tell_defect("schedule not looked at", error, schedule_id=schedule_id, **counted({DEFECTS: 1}))
        return None


def _looked_at(schedule_id: str, moment: datetime) -> Schedule | None:
    schedule = Schedule.find(schedule_id)
    if schedule is None or schedule.watch is None or schedule.look_at > moment:  # the index lags behind the table
        return None
    instance = Instance.find(schedule.instance_id)
    if instance is None:
        schedule.delete(condition=Schedule.schedule_id.exists(), add_version_condition=False)
        return None
    if schedule.awaits_end:
        _hear(schedule)
    if schedule.next_at + delay_of(schedule) <= moment:
        _order(schedule, instance, moment)
    plan(schedule, moment)
    schedule.save_if(Schedule.schedule_id.exists())
    return schedule


def _hear(schedule: Schedule) -> None:
    """Note how the newest backup ended, if it has; what is not kept any more goes then."""
    backup = Backup.find(str(schedule.last_backup_id))
    if backup is not None and backup.is_running:
        return
    schedule.awaits_end = False
    if backup is not None and backup.status == BackupStatus.COMPLETED:
        schedule.last_success_at, schedule.owed_since, schedule.message = backup.created_at, None, None
    else:
        why = (backup.message or backup.status) if backup else "it was deleted"
        schedule.message = f"Backup {schedule.last_backup_id} was not completed: {why}"
    if expired_of(schedule):
        job_id = id_from(schedule.schedule_id, f"expiry after {schedule.last_backup_id}")
        if Job.find(job_id) is None:
            launch(place_expiry(schedule, Requester(schedule.project_id, SCHEDULE, Attempt(job_id))).job)


def _order(schedule: Schedule, instance: Instance, moment: datetime) -> None:
    """Order the backup of the newest time that is due, or note why there is none; of those before it there is none."""
    due = newest_until(schedule.cron, schedule.time_zone, schedule.next_at, moment - delay_of(schedule))
    schedule.next_at, schedule.owed_since = due, schedule.owed_since or due
    try:
        schedule.last_backup_id = _placed(schedule, instance, due)
        schedule.last_due_at, schedule.awaits_end, schedule.message = due, True, None
    except (Unprocessable, OverLimit) as error:
        schedule.message = f"The backup of {_written(due)} waits: {error}"
        if moment < due + timedelta(minutes=int(schedule.window_minutes)) + patience():
            return
        schedule.message = f"There is no backup of {_written(due)}: {error}"
    except ServiceError as error:
        schedule.message = f"There is no backup of {_written(due)}: {error}"
    schedule.next_at = first_after(schedule.cron, schedule.time_zone, due)


def _placed(schedule: Schedule, instance: Instance, due: datetime) -> str:
    """Return the id of the backup of that time, which a tick that was cut may have ordered."""
    job_id = id_from(schedule.schedule_id, f"backup of {_written(due)}")
    job = Job.find(job_id)
    if job is None:
        order = BackupOrder(
            name=f"{schedule.name} {_written(due)}",
            instance_id=instance.instance_id,
            is_incremental=schedule.full_every > 1,
            schedule_id=schedule.schedule_id,
            most_in_chain=int(schedule.full_every),
        )
        job = place_backup(order, instance, Requester(schedule.project_id, SCHEDULE, Attempt(job_id)))[1].job
    if job.status == JobStatus.RUNNING:
        launch(job)
    return str(job.backup_id)


def _written(due: datetime) -> str:
    return f"{due:%Y-%m-%dT%H:%MZ}"
