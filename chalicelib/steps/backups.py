"""Backups: taken by a unit of a guest, part by part to the store.

No data passes through here: a guest is handed addresses that are signed for minutes, and asked how far it is.
"""

from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta

from chalicelib import config
from chalicelib.datastores.backups import Taken, Taking
from chalicelib.datastores.base import BaseManager
from chalicelib.errors import NotReady, Permanent, Transient
from chalicelib.models.backup import DATA, MANIFEST, Backup, BackupStatus
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import now
from chalicelib.sizes import GIB, MIB
from chalicelib.ssh.guest import Guest, UnitState
from chalicelib.steps.acting import patiently
from chalicelib.steps.manifest import Manifest, is_stored
from chalicelib.steps.step import instance_errand_step
from chalicelib.steps.world import guest_of, manager_for
from chalicelib.stores import store

ADDRESSES_AT_ONCE = 256  # of parts: what a guest sends until it is asked again
MOST_ADDRESSES = 2_048  # a megabyte of them
REPORT_EVERY = timedelta(seconds=5)
UNKNOWN_GIB = 100  # of data that is on a server's own disk


@instance_errand_step
def take_backup(job: Job, cluster: Cluster, instance: Instance) -> None:
    """Have the backup taken on the instance; on the primary, if the instance is a replica that is not what that is."""
    backup, manager = Backup.get(job.backup_id, consistent_read=True), manager_for(cluster)
    if backup.status == BackupStatus.NEW and not instance.is_primary and not _is_like_its_primary(instance, manager):
        if backup.parent_id:
            raise Permanent(
                f"{instance.name} does not follow its primary, and its former backup is its own: take a whole one."
            )
        backup.taken_on = str(cluster.primary_id)
        backup.save_if(Backup.backup_id.exists())
    source = instance if backup.taken_on == instance.instance_id else Instance.get(backup.taken_on)
    with closing(guest_of(source)) as guest:
        patiently(lambda: _advance(Backup.get(backup.backup_id, consistent_read=True), source, manager, guest))


def _is_like_its_primary(replica: Instance, manager: BaseManager) -> bool:
    try:
        with closing(guest_of(replica)) as guest:
            manager.await_replica(replica, guest)
    except (NotReady, Transient, Permanent):
        return False
    return True


def _advance(backup: Backup, source: Instance, manager: BaseManager, guest: Guest) -> None:
    if backup.status in {BackupStatus.SAVING, BackupStatus.COMPLETED}:
        manager.end_backup(guest, backup.backup_id)
        return
    if not backup.is_running:
        _clean(backup, manager, guest)
        raise Permanent(backup.message or f"Backup {backup.backup_id} is {backup.status}.")
    taken = manager.backup_progress(guest, backup.backup_id, int(backup.parts_sent))
    if taken.state is UnitState.NOT_STARTED and not _was_finished(backup):
        _begin(backup, source, manager, guest)
    elif taken.state is UnitState.RUNNING:
        _go_on(backup, taken, manager, guest)
    elif taken.state is UnitState.FAILED:
        _give_up(backup, manager, guest, manager.backup_failure(guest, backup.backup_id))
    elif taken.state is UnitState.SUCCEEDED:
        taken = manager.backup_progress(guest, backup.backup_id)
        if why_not := _why_not_kept(backup, source, taken):
            _give_up(backup, manager, guest, why_not)
    manager.end_backup(guest, backup.backup_id)


def _begin(backup: Backup, source: Instance, manager: BaseManager, guest: Guest) -> None:
    """Note first what it is sent under. A guest that was rebooted begins anew: its parts replace what it had sent."""
    parent = Backup.get(backup.parent_id) if backup.parent_id else None
    backup.upload_id = backup.upload_id or store().begin(backup.data_key)
    backup.status, backup.parts_sent = BackupStatus.BUILDING, 0
    urls = _next_urls(backup, ADDRESSES_AT_ONCE)
    backup.save_if(Backup.backup_id.exists())
    since = str(parent.position) if parent else None
    taking = Taking(backup.backup_id, str(backup.recipient), _part_bytes(source), since)
    manager.begin_backup(source, guest, taking, urls)
    raise NotReady(f"The backup of {source.name} begins.")


def _go_on(backup: Backup, taken: Taken, manager: BaseManager, guest: Guest) -> None:
    """Hand over addresses, and note how far it is, every few seconds or as soon as it may run out of them."""
    sent_before = int(backup.parts_sent)
    backup.parts_sent = sent_before + len(taken.parts)  # those above it, in their order
    backup.data_bytes, backup.data_bytes_expected = taken.read_bytes, taken.of_bytes
    few = backup.parts_addressed - backup.parts_sent < ADDRESSES_AT_ONCE // 2
    if few or now() - backup.updated_at >= REPORT_EVERY:
        count = max(ADDRESSES_AT_ONCE, 2 * (backup.parts_sent - sent_before))  # as many again, if it is that fast
        manager.hand_over(guest, backup.backup_id, _next_urls(backup, min(count, MOST_ADDRESSES)))
        backup.updated_at = now()
        backup.save_if(Backup.backup_id.exists())
    raise NotReady(f"{taken.read_bytes // MIB} of about {taken.of_bytes // MIB} MiB are read.")


def _next_urls(backup: Backup, count: int) -> Mapping[int, str]:
    first = int(backup.parts_sent) + 1
    numbers = range(first, min(first + count, store().most_parts + 1))
    backup.parts_addressed = numbers[-1] if numbers else backup.parts_sent
    return store().part_urls(backup.data_key, str(backup.upload_id), numbers)


def _give_up(backup: Backup, manager: BaseManager, guest: Guest, reason: str) -> None:
    """Say first that it failed, and why: whoever is cut behind that only cleans up."""
    backup.status, backup.message, backup.updated_at = BackupStatus.FAILED, reason, now()
    backup.save_if(Backup.backup_id.exists())
    _clean(backup, manager, guest)
    raise Permanent(reason)


def _clean(backup: Backup, manager: BaseManager, guest: Guest) -> None:
    if backup.upload_id:
        store().abort(backup.data_key, backup.upload_id)
    manager.end_backup(guest, backup.backup_id)


def _why_not_kept(backup: Backup, source: Instance, taken: Taken) -> str | None:
    """Make one object of the parts, or return what forbids it. The manifest first: a cut behind it is seen by that."""
    manifest, key, upload_id = Manifest.of(backup, source, taken), backup.data_key, str(backup.upload_id)
    sent = {each.number: each for each in store().sent(key, upload_id)}
    if not sent and not is_stored(backup, manifest):
        return "The store has forgotten what was sent of it."
    if sent:
        if lost := [
            each.number for each in taken.parts if each.number not in sent or sent[each.number].size != each.size
        ]:
            return f"The store has not got part {lost[0]} as it was sent."
        manifest.put(backup)
        store().finish(key, upload_id, [sent[each.number] for each in taken.parts])
    _complete(backup, manifest)
    return None


def _was_finished(backup: Backup) -> bool:
    """Tell whether it is whole in the store, though the guest knows nothing of it any more; then say so."""
    sizes = store().sizes(backup.store_key)
    manifest = Manifest.get(backup) if {DATA, MANIFEST} <= set(sizes) else None
    if manifest is None or sizes[DATA] != manifest.stored_bytes:
        return False
    _complete(backup, manifest)
    return True


def _complete(backup: Backup, manifest: Manifest) -> None:
    backup.status, backup.message, backup.updated_at = BackupStatus.SAVING, None, now()
    backup.upload_id = None
    backup.position, backup.server_version = manifest.position, manifest.server_version
    backup.data_bytes, backup.stored_bytes = manifest.data_bytes, manifest.stored_bytes
    backup.parts_sent = len(manifest.parts)
    backup.save_if(Backup.backup_id.exists())


def _part_bytes(source: Instance) -> int:
    """Return a size of which a volume that is full, and does not shrink at all, makes no more parts than may be."""
    most_bytes = 2 * int(source.volume_gib or UNKNOWN_GIB) * GIB
    return max(config.current().dtrove_backup_part_mib * MIB, -(-most_bytes // store().most_parts))
