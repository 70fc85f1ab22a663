"""Backups as Trove shows them, and how far one is that is being taken."""

from chalicelib.api.views.links import View, when
from chalicelib.models.backup import Backup, BackupStatus
from chalicelib.sizes import GIB  # what Trove calls GB


def backup_view(backup: Backup) -> View:
    """Return a backup. `size` is of what is stored, in GiB; of a running one, what the engine has read so far."""
    is_whole = backup.status == BackupStatus.COMPLETED
    size_bytes = backup.stored_bytes if is_whole else backup.data_bytes
    view: View = {
        "id": backup.backup_id,
        "name": backup.name,
        "description": backup.description,
        "instance_id": backup.instance_id,
        "parent_id": backup.parent_id,
        "schedule_id": backup.schedule_id,
        "project_id": backup.project_id,
        "status": backup.status,
        "size": round(int(size_bytes) / GIB, 3),
        "locationRef": backup.store_key if is_whole else None,
        "storage_driver": "s3",
        "datastore": {
            "type": backup.datastore,
            "version": backup.datastore_version,
            "version_id": backup.datastore_version_id,
        },
        "created": when(backup.created_at),
        "updated": when(backup.updated_at),
        "job_id": backup.job_id,
        "progress": progress_of(backup),
        "data_bytes": int(backup.data_bytes),
        "stored_bytes": int(backup.stored_bytes),
        "server_version": backup.server_version,
    }
    if backup.message:
        view["message"] = backup.message
    if backup.is_running and (seconds := (backup.updated_at - backup.created_at).total_seconds()) > 0:
        view["mb_per_second"] = round(int(backup.data_bytes) / seconds / 1_000_000, 1)
    return view


def progress_of(backup: Backup) -> int:
    """Return the percent; what is expected is an estimate, so nothing is 100 before it is whole."""
    if backup.status == BackupStatus.COMPLETED:
        return 100
    return min(99, 100 * int(backup.data_bytes) // max(1, int(backup.data_bytes_expected)))
