"""Expiry: what a schedule's retention keeps no longer is deleted, by a job of its own."""

from chalicelib.jobs.beginnings import draft, take_lock
from chalicelib.models.backup import Backup
from chalicelib.models.cluster import Cluster
from chalicelib.models.record import now, transaction
from chalicelib.models.schedule import Schedule
from chalicelib.orders.placing import Placed, once
from chalicelib.orders.requester import Requester
from chalicelib.orders.retention import expired
from chalicelib.orders.times import zone_named

EXPIRE = "expire_backups"


def expired_of(schedule: Schedule) -> list[Backup]:
    """Return those of its backups that shall go, in the order in which they may."""
    ids = [each.backup_id for each in Backup.by_schedule.query(schedule.schedule_id)]
    backups = list(Backup.batch_get(ids, consistent_read=True)) if ids else []  # the index lags behind the table
    return expired(backups, schedule.retention, zone_named(schedule.time_zone), now())


def place_expiry(schedule: Schedule, by: Requester) -> Placed:
    """Record the job that deletes them. It needs no lock: whatever is in use stays until the next."""

    def place() -> Placed:
        cluster = Cluster.of_project(by.project_id, schedule.cluster_id)
        job = draft(EXPIRE, cluster, [], by.user, by.attempt.job_id)
        job.schedule_id = schedule.schedule_id
        with transaction() as batch:
            take_lock(batch, job, cluster, [])
        return Placed(cluster, [], job)

    return once(by, place)
