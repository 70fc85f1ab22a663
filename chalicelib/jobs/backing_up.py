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
        batch.update(Backup(backup_id=each), actions=[note], condition=is_there, add_version_condition=False)


def let_backups_go(batch: TransactWrite, job: Job) -> None:
    """Put into the batch that the job, which ends, needs its backups no more, and that its own failed if it did."""
    for each in job.backup_ids or ():
        note = Backup.used_by.delete({job.job_id})
        there = Backup.backup_id.exists()
        batch.update(Backup(backup_id=each), actions=[note], condition=there, add_version_condition=False)
    backup = Backup.find(job.backup_id) if job.workflow == TAKE and job.backup_id else None
    if backup is not None and backup.is_running and job.status != JobStatus.SUCCEEDED:
        backup.status, backup.message, backup.updated_at = BackupStatus.FAILED, job.message, now()
        batch.save(backup)


def note_end(batch: TransactWrite, job: Job, instances: Sequence[Instance]) -> None:
    """Put into the batch that none of these is being backed up by the job any more."""
    for each in instances:
        if each.backed_up_by == job.job_id:
            each.backed_up_by = None
            batch.save(each)
