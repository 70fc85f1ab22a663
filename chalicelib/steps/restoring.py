"""A new cluster's primary is filled with what was backed up, by a unit of its own that reads the store."""

from collections.abc import Sequence

from chalicelib import sealing
from chalicelib.datastores.backups import Piece, Restoring
from chalicelib.datastores.base import BaseManager
from chalicelib.errors import NotReady, Permanent
from chalicelib.models.backup import Backup, chain_of
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.sizes import MIB
from chalicelib.ssh.guest import Guest, UnitState
from chalicelib.steps.manifest import Manifest
from chalicelib.steps.step import errand_step
from chalicelib.steps.world import manager_for, passwords_of
from chalicelib.stores import store


@errand_step
def restore_data(job: Job, cluster: Cluster, instance: Instance, guest: Guest) -> None:
    """Fill the new cluster's primary with the backup's data, and make its accounts those of this cluster."""
    manager, restore_id = manager_for(cluster), instance.instance_id
    if instance.restored_from != job.backup_id:
        chain = chain_of(Backup.get(job.backup_id, consistent_read=True))
        _fill(chain, manager, instance, guest)
        manager.adopt(instance, guest, passwords_of(cluster))
        instance.restored_from = job.backup_id
        instance.save_held()
    manager.end_restore(guest, restore_id)


def _fill(chain: Sequence[Backup], manager: BaseManager, instance: Instance, guest: Guest) -> None:
    restore_id = instance.instance_id
    urls = {each.backup_id: store().url(each.data_key) for each in chain}
    restored = manager.restore_progress(guest, restore_id)
    if restored.state is UnitState.NOT_STARTED:
        pieces = tuple(_piece(each) for each in chain)
        manager.begin_restore(instance, guest, Restoring(restore_id, pieces), urls)
        restored = manager.restore_progress(guest, restore_id)
    if restored.state is UnitState.FAILED:
        reason = manager.restore_failure(guest, restore_id)
        manager.end_restore(guest, restore_id)
        raise Permanent(reason)
    if restored.state is not UnitState.SUCCEEDED:
        manager.hand_over_reading(guest, restore_id, urls)
        done, whole = restored.done_bytes // MIB, restored.of_bytes // MIB
        raise NotReady(f"{done} of {whole} MiB are restored on {instance.name}.")


def _piece(backup: Backup) -> Piece:
    if (manifest := Manifest.get(backup)) is None:
        raise Permanent(f"Backup {backup.backup_id} has no manifest in the store: {backup.store_key}.")
    identity = sealing.unseal(backup.backup_id, backup.identity)["identity"]
    return Piece(backup.backup_id, manifest.parts, identity)
