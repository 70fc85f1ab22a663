"""Backups: what was taken of a cluster's data, where it lies, and what it needs to be read again."""

from enum import StrEnum
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute, UTCDateTimeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.errors import Unprocessable
from chalicelib.models.page import newest_first
from chalicelib.models.record import ProjectRecord, now, table_name
from chalicelib.models.sealed import Sealed

DATA, MANIFEST = "data", "manifest.json"  # in a backup's folder of the store
LONGEST_CHAIN = 30  # a full backup and what adds to it: more would be slow to restore


class BackupStatus(StrEnum):
    """Trove's words."""

    NEW = "NEW"  # ordered
    BUILDING = "BUILDING"  # on its way to the store
    SAVING = "SAVING"  # whole in the store; COMPLETED with the end of its job, so whoever sees that can order the next
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    DELETING = "DELETING"  # ours: a deletion that was cut is asked for again


RUNNING = (BackupStatus.NEW, BackupStatus.BUILDING, BackupStatus.SAVING)


class BackupsByProject(GlobalSecondaryIndex["Backup"]):
    class Meta:
        index_name = "by_project"
        projection = AllProjection()

    project_id = UnicodeAttribute(hash_key=True)
    sort_key = UnicodeAttribute(range_key=True)


class BackupsByInstance(GlobalSecondaryIndex["Backup"]):
    class Meta:
        index_name = "by_instance"
        projection = AllProjection()

    instance_id = UnicodeAttribute(hash_key=True)
    sort_key = UnicodeAttribute(range_key=True)


class BackupsByParent(GlobalSecondaryIndex["Backup"]):
    class Meta:
        index_name = "by_parent"
        projection = KeysOnlyProjection()

    parent_id = UnicodeAttribute(hash_key=True)
    backup_id = UnicodeAttribute(range_key=True)


class BackupsBySchedule(GlobalSecondaryIndex["Backup"]):
    """Sparse: those that nobody asked for one by one."""

    class Meta:
        index_name = "by_schedule"
        projection = KeysOnlyProjection()

    schedule_id = UnicodeAttribute(hash_key=True)
    sort_key = UnicodeAttribute(range_key=True)


class Backup(ProjectRecord):
    """It outlives its cluster: what a restore needs to know is here, and beside its data in the store."""

    class Meta:
        table_name = table_name("backups")

    backup_id = UnicodeAttribute(hash_key=True)
    sort_key = UnicodeAttribute()  # created_at and backup_id
    by_project = BackupsByProject()
    name = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    instance_id = UnicodeAttribute()  # that was asked for
    by_instance = BackupsByInstance()
    cluster_id = UnicodeAttribute()
    parent_id = UnicodeAttribute(null=True)  # what it adds to; None: it is whole
    by_parent = BackupsByParent()
    schedule_id = UnicodeAttribute(null=True)  # that ordered it, whose retention it is under
    by_schedule = BackupsBySchedule()
    datastore = UnicodeAttribute()
    datastore_version = UnicodeAttribute()
    datastore_version_id = UnicodeAttribute()
    volume_gib = NumberAttribute(null=True)  # of the instance then
    status = UnicodeAttribute(default=BackupStatus.NEW)
    message = UnicodeAttribute(null=True)  # why it failed
    job_id = UnicodeAttribute()
    used_by: UnicodeSetAttribute = UnicodeSetAttribute(null=True)  # jobs that need it: until they end it stays
    # --- its data
    taken_on = UnicodeAttribute()  # the instance whose server's data it is
    store_key = UnicodeAttribute()  # of the folder
    upload_id = UnicodeAttribute(null=True)  # what its parts are sent under, until all of it is there
    recipient = UnicodeAttribute()  # age's public key: what it is encrypted for
    identity = Sealed()  # {"identity": age's secret key}, for the backup's id
    parts_sent = NumberAttribute(default=0)  # so far
    parts_addressed = NumberAttribute(default=0)  # up to which number the guest has addresses
    data_bytes = NumberAttribute(default=0)  # of the engine's stream, so far
    data_bytes_expected = NumberAttribute(default=0)  # an estimate
    stored_bytes = NumberAttribute(default=0)
    position = UnicodeAttribute(null=True)  # where it ends, in its manager's own words
    server_version = UnicodeAttribute(null=True)
    created_at = UTCDateTimeAttribute(default=now)
    updated_at = UTCDateTimeAttribute(default=now)

    @property
    def data_key(self) -> str:
        return f"{self.store_key}/{DATA}"

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING


def chain_of(backup: Backup) -> list[Backup]:
    """Return the backups that a restore of it reads, the whole one first. Raises Unprocessable if one is not there."""
    chain = [backup]
    while (parent_id := chain[0].parent_id) is not None:
        parent = Backup.find(parent_id)
        if parent is None or parent.status != BackupStatus.COMPLETED:
            raise Unprocessable(f"Backup {backup.backup_id} adds to {parent_id}, which is not there.")
        chain.insert(0, parent)
    return chain


def descendants_of(backup: Backup) -> list[Backup]:
    """Return all that add to it, those that nothing adds to first."""
    found: list[Backup] = []
    for key in Backup.by_parent.query(backup.backup_id):
        if (child := Backup.find(key.backup_id)) is not None:
            found = [*descendants_of(child), child, *found]
    return found


def page_of_backups(
    project_id: str, limit: int, marker: str | None, instance_id: str | None = None
) -> tuple[list[Backup], str | None]:
    """Return backups, newest first, older than `marker` (a sort_key), and the marker of the next page if any."""
    index: Any = Backup.by_instance if instance_id else Backup.by_project
    return newest_first(index, instance_id or project_id, project_id, limit, marker)


def newest_completed(project_id: str, instance_id: str) -> Backup | None:
    """Return the newest one that is there of the instance's."""
    for each in Backup.by_instance.query(instance_id, scan_index_forward=False):
        if (each.status, each.project_id) == (BackupStatus.COMPLETED, project_id):
            return Backup.find(each.backup_id)
    return None


def newest_of_schedule(schedule_id: str) -> Backup | None:
    """Return the newest one that is there of the schedule's."""
    for key in Backup.by_schedule.query(schedule_id, scan_index_forward=False):
        backup = Backup.find(key.backup_id)
        if backup is not None and backup.status == BackupStatus.COMPLETED:
            return backup
    return None
