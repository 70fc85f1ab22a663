"""Backups: ordered of an instance, deleted with what adds to them, and chosen to restore."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from chalicelib.datastores import manager_of
from chalicelib.errors import BadRequest, NotFound, Unprocessable
from chalicelib.jobs.backing_up import TAKE, hold
from chalicelib.jobs.beginnings import check, draft, not_now, take_lock
from chalicelib.jobs.quota import add_backup, give_back_backup
from chalicelib.jobs.workflows import WORKFLOWS
from chalicelib.models.backup import (
    LONGEST_CHAIN,
    Backup,
    BackupStatus,
    chain_of,
    descendants_of,
    newest_completed,
    newest_of_schedule,
)
from chalicelib.models.cluster import Cluster
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.page import sort_key_of
from chalicelib.models.record import Stale, now, transaction
from chalicelib.models.status import BACKUP, Status
from chalicelib.orders import secrets
from chalicelib.orders.fields import Fields
from chalicelib.orders.members import id_from
from chalicelib.orders.placing import Placed, job_before, tried
from chalicelib.orders.requester import Requester
from chalicelib.stores import store

KNOWN = (
    *("name", "instance", "description", "parent_id", "incremental"),
    *("swift_container", "storage_driver", "restore_from"),
)
DRIVERS = ("swift", "s3")  # stock clients say the first, wherever backups are


@dataclass(frozen=True)
class BackupOrder:
    name: str
    instance_id: str
    description: str | None = None
    parent_id: str | None = None  # what it shall add to
    is_incremental: bool = False  # to the newest that there is; whole if there is none
    schedule_id: str | None = None  # that asks for it: to the newest of its own
    most_in_chain: int = LONGEST_CHAIN


def parse_backup(body: object) -> BackupOrder:
    """Read Trove's `{"backup": {…}}`. Raises BadRequest, NotOffered."""
    fields = Fields.of_body(body, "backup")
    fields.only(*KNOWN, why="is not known of a backup")
    fields.refuse("swift_container", "restore_from")
    if "storage_driver" in fields and fields.text("storage_driver") not in DRIVERS:
        raise fields.wrong("storage_driver", "is not offered yet: backups are in the deployment's own store")
    return BackupOrder(
        name=fields.name("name"),
        instance_id=fields.reference("instance"),
        description=fields.text("description") if "description" in fields else None,
        parent_id=fields.reference("parent_id") if "parent_id" in fields else None,
        is_incremental=fields.is_true("incremental"),
    )


def place_backup(order: BackupOrder, instance: Instance, by: Requester) -> tuple[Backup, Placed]:
    """Record a backup of the instance and the job that takes it.

    Raises BadRequest, NotFound, NotOffered, Unprocessable.
    """
    if (before := job_before(by.attempt)) is not None:
        cluster = Cluster.of_project(by.project_id, before.cluster_id)
        return Backup.of_project(by.project_id, str(before.backup_id)), Placed(cluster, cluster.instances(), before)
    job_id = by.attempt.job_id or str(uuid4())
    backup_id = id_from(job_id, "backup")
    recipient, identity = secrets.draw_identity()
    sealed = secrets.sealed(backup_id, {"identity": identity})

    def place() -> tuple[Backup, Placed]:
        cluster = Cluster.of_project(by.project_id, instance.cluster_id)
        check(WORKFLOWS[TAKE], cluster)
        instances = cluster.instances()
        asked = next((each for each in instances if each.instance_id == instance.instance_id), None)
        if asked is None:
            raise NotFound(f"Resource {instance.instance_id} cannot be found.")
        _check_at_rest(asked)
        serving = [each for each in instances if each.status == Status.ACTIVE and each.joined_at]
        chain = _chain(order, asked, serving)
        source = _source(serving, chain)
        job = draft(TAKE, cluster, [source.instance_id], by.user, job_id)
        job.backup_id, job.backup_ids = backup_id, [each.backup_id for each in chain] or None
        backup = _new_backup(order, cluster, asked, job)
        backup.parent_id = chain[-1].backup_id if chain else None
        backup.taken_on, backup.recipient, backup.identity = source.instance_id, recipient, sealed
        asked.backed_up_by = job_id
        with transaction() as batch:
            take_lock(batch, job, cluster, [])
            batch.save(asked)
            batch.save(backup)
            add_backup(batch, by.project_id)
            hold(batch, job, job.backup_ids or ())
        return backup, Placed(cluster, instances, job)

    return tried(place)


def _check_at_rest(asked: Instance) -> None:
    if asked.backed_up_by:
        raise not_now(f"Instance {asked.instance_id}", BACKUP)
    if asked.status != Status.ACTIVE:
        raise not_now(f"Instance {asked.instance_id}", asked.status)


def _chain(order: BackupOrder, asked: Instance, serving: Sequence[Instance]) -> list[Backup]:
    """Return the backups that the new one adds to, the whole one first; none if it shall be whole."""
    manager = manager_of(Datastore.of_version(asked.datastore_version_id))
    manager.check_backups()
    if not order.parent_id and not order.is_incremental:
        return []
    if not manager.supports_incremental_backups:
        raise BadRequest(f"Validation error: backup: every backup of {asked.datastore} is whole: none adds to another")
    if order.parent_id:
        parent = Backup.of_project(asked.project_id, order.parent_id)
        return _chain_to(parent, asked, serving)
    newest = newest_of_schedule(order.schedule_id) if order.schedule_id else _newest_of(asked)
    if newest is None or not _server_of(newest, serving):
        return []
    with suppress(Unprocessable):  # what it adds to is being deleted
        return chain if len(chain := chain_of(newest)) < order.most_in_chain else []
    return []


def _newest_of(asked: Instance) -> Backup | None:
    return newest_completed(asked.project_id, asked.instance_id)


def _chain_to(parent: Backup, asked: Instance, serving: Sequence[Instance]) -> list[Backup]:
    """Return the chain that ends with it. Raises BadRequest, Unprocessable if nothing of the instance can add to it."""
    if parent.status != BackupStatus.COMPLETED:
        raise Unprocessable(f"Backup {parent.backup_id} is {parent.status}: nothing can be added to it.")
    if parent.cluster_id != asked.cluster_id:
        raise BadRequest(f"Validation error: backup['parent_id']: {parent.backup_id} is of another instance")
    if not _server_of(parent, serving):
        raise Unprocessable(f"Instance {parent.taken_on}, which {parent.backup_id} was taken on, does not serve.")
    if len(chain := chain_of(parent)) >= LONGEST_CHAIN:
        raise BadRequest(f"Validation error: backup['parent_id']: a chain has at most {LONGEST_CHAIN} backups")
    return chain


def _server_of(backup: Backup, serving: Sequence[Instance]) -> Instance | None:
    """Return the instance that it was taken on: what a position says, it says of that server's log alone."""
    return next((each for each in serving if each.instance_id == backup.taken_on), None)


def _source(serving: Sequence[Instance], chain: Sequence[Backup]) -> Instance:
    """Return whose server shall give the data: the parent's, or a replica that serves, or the primary."""
    if chain and (same := _server_of(chain[-1], serving)):
        return same
    replicas = [each for each in serving if not each.is_primary]
    if not serving:
        raise Unprocessable("None of its instances serves.")
    return replicas[0] if replicas else serving[0]


def _new_backup(order: BackupOrder, cluster: Cluster, asked: Instance, job: Job) -> Backup:
    backup_id, created_at = str(job.backup_id), now()
    return Backup(
        backup_id=backup_id,
        project_id=cluster.project_id,
        sort_key=sort_key_of(created_at, backup_id),
        name=order.name,
        description=order.description,
        instance_id=asked.instance_id,
        cluster_id=cluster.cluster_id,
        schedule_id=order.schedule_id,
        datastore=cluster.datastore,
        datastore_version=cluster.datastore_version,
        datastore_version_id=cluster.datastore_version_id,
        volume_gib=asked.volume_gib,
        job_id=job.job_id,
        store_key=f"backups/{cluster.project_id}/{backup_id}",
        created_at=created_at,
        updated_at=created_at,
    )


def delete_backup(backup: Backup) -> None:
    """Take it away, and first all that adds to it; data first, or nobody would know of it. Raises Unprocessable."""
    doomed = [*descendants_of(backup), backup]
    for each in doomed:
        if each.is_running:
            raise Unprocessable(f"Backup {each.backup_id} is being taken.")
        if each.used_by:
            raise Unprocessable(f"Backup {each.backup_id} is in use by job {min(each.used_by)}.")
    _delete(doomed)


def delete_if_alone(backup_id: str) -> bool:
    """Take away one that nothing adds to and no job needs; tell whether it is so. Whatever else there is stays."""
    backup = Backup.find(backup_id)
    if backup is None or backup.is_running or backup.used_by or descendants_of(backup):
        return False
    with suppress(Stale):  # a job needs it since
        _delete([backup])
        return True
    return False


def _delete(doomed: Sequence[Backup]) -> None:
    for each in reversed(doomed):  # what it is for others, it is no more: nobody begins to read it
        each.status = BackupStatus.DELETING
        each.save_if(Backup.used_by.does_not_exist())
    for each in doomed:
        if each.upload_id:
            store().abort(each.data_key, each.upload_id)
        store().delete(each.store_key)
        with suppress(Stale), transaction() as batch:  # of two that delete it one gives it back
            batch.delete(each, condition=Backup.backup_id.exists(), add_version_condition=False)
            give_back_backup(batch, each.project_id)
