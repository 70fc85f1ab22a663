"""Backups and the jobs that take them or read them: while a job needs a backup, it stays."""

from collections.abc import Sequence

from pynamodb.transactions import TransactWrite

from chalicelib.models.backup import Backup, BackupStatus
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import now
from chalicelib.models.status import JobStatus

TAKE, RESTORE = "create_backup", "restore_backup"


def hold(batch: TransactWrite, job: Job, backup_ids: Sequence[str]) -> None:
    """Put into the batch that these backups stay until the job ends; it fails if one is not there any more."""
    is_there = Backup.status == BackupStatus.COMPLETED
    for each in backup_ids:
        note = Backup.used_by.add({job.job_id})
        batch.update(_known_by(each), actions=[note], condition=is_there, add_version_condition=False)


def _known_by(backup_id: str) -> Backup:
    """Return what an update needs that adds to the record's revision: without one it would be set to the first."""
    return Backup(backup_id=backup_id, revision=1)


def let_backups_go(batch: TransactWrite, job: Job) -> None:
    """Put into the batch that the job, which ends, needs its backups no more, and how its own has ended."""
    for each in job.backup_ids or ():
        note = Backup.used_by.delete({job.job_id})
        there = Backup.backup_id.exists()
        batch.update(_known_by(each), actions=[note], condition=there, add_version_condition=False)
    backup = Backup.find(job.backup_id) if job.workflow == TAKE and job.backup_id else None
    if backup is not None and backup.is_running:
        has_succeeded = job.status == JobStatus.SUCCEEDED
        backup.status = BackupStatus.COMPLETED if has_succeeded else BackupStatus.FAILED
        backup.message, backup.updated_at = job.message, now()
        batch.save(backup)


def note_end(job: Job, instances: Sequence[Instance]) -> list[Instance]:
    """Note on those that the job was backing up that it is not any more, and return them: the caller saves."""
    ended = [each for each in instances if each.backed_up_by == job.job_id]
    for each in ended:
        each.backed_up_by = None
    return ended
