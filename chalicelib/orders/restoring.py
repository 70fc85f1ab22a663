"""What a new cluster is restored from, and all that can be refused before anything is made."""

from collections.abc import Sequence

from chalicelib.errors import BadRequest, Unprocessable
from chalicelib.models.backup import DATA, MANIFEST, Backup, BackupStatus, chain_of
from chalicelib.models.datastore import Datastore
from chalicelib.orders.catalog import find_datastore
from chalicelib.orders.order import ClusterOrder
from chalicelib.sizes import GIB
from chalicelib.stores import store

ROOM_SHARE = 0.95  # of a volume that data may fill; its file system wants the rest


def find_chain(order: ClusterOrder, project_id: str) -> list[Backup]:
    """Return the backups that the order is restored from, the whole one first; none for an order of nothing.

    Raises NotFound, BadRequest, Unprocessable.
    """
    if order.backup_id is None:
        return []
    backup = Backup.of_project(project_id, order.backup_id)
    if backup.status != BackupStatus.COMPLETED:
        raise Unprocessable(f"Backup {backup.backup_id} is {backup.status}: nothing can be restored from it.")
    chain = chain_of(backup)
    _check_room(chain, order)
    for each in chain:
        _check_stored(each)
    return chain


def version_of(order: ClusterOrder, chain: Sequence[Backup]) -> Datastore:
    """Return the datastore's version that the order is for: unless it names one, its backup's."""
    if not chain:
        return find_datastore(order.datastore, order.version)
    backup = chain[-1]
    if not order.datastore:
        return find_datastore(backup.datastore, backup.datastore_version)
    version = find_datastore(order.datastore, order.version)
    if version.version_id != backup.datastore_version_id:
        what = f"{backup.datastore} {backup.datastore_version}"
        raise BadRequest(f"Validation error: restorePoint: backup {backup.backup_id} is of {what}: restore it to that")
    return version


def _check_room(chain: Sequence[Backup], order: ClusterOrder) -> None:
    needed_bytes = sum(int(each.data_bytes) for each in chain)
    for each in order.instances:
        if each.volume_gib and needed_bytes > each.volume_gib * GIB * ROOM_SHARE:
            what = f"backup {chain[-1].backup_id} has {needed_bytes / GIB:.1f} GiB of data"
            raise BadRequest(f"Validation error: volume: {what}: {each.volume_gib} GiB are not enough")


def _check_stored(backup: Backup) -> None:
    sizes = store().sizes(backup.store_key)
    if MANIFEST not in sizes or sizes.get(DATA) != backup.stored_bytes:
        raise Unprocessable(f"Backup {backup.backup_id} is no longer whole in the store: {backup.store_key}.")
