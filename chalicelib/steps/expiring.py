"""Expiry: a schedule's backups that its retention does not keep are deleted, one after the other."""

from chalicelib.errors import NotReady
from chalicelib.models.job import Job
from chalicelib.models.schedule import Schedule
from chalicelib.orders.backups import delete_if_alone
from chalicelib.orders.expiry import expired_of
from chalicelib.steps.step import job_step
from chalicelib.steps.world import current

LAST_BEGUN_SECONDS = 15  # half of the function's life: a deletion that is cut is gone on with by the next try


@job_step
def expire_backups(job: Job) -> None:
    """Delete what may go. What is in use, or what others add to, stays until the next."""
    schedule = Schedule.find(str(job.schedule_id))
    if schedule is None:  # what it made is its owner's
        return
    until = current().monotonic() + LAST_BEGUN_SECONDS
    for each in expired_of(schedule):
        if current().monotonic() > until:
            raise NotReady("There are more backups to delete.")
        delete_if_alone(each.backup_id)
