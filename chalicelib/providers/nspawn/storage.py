"""Volumes and snapshots of an instance, and what a call on them changes. All under the instance's lock."""

from uuid import uuid4

from chalicelib.errors import ProviderError
from chalicelib.providers.nspawn import host, runner, volumes
from chalicelib.providers.nspawn.cgroups import Cgroup
from chalicelib.providers.nspawn.records import SnapshotRecord, VolumeRecord, discard, load, save
from chalicelib.providers.nspawn.site import Site


def attach(site: Site, instance_id: str, cluster_id: str, size_gib: int, cgroup: Cgroup) -> str | None:
    """Return the volume's id once the guest sees it; None while its init is just starting."""
    folder = site.volume(instance_id)
    volume = load(VolumeRecord, folder) or VolumeRecord(
        kind="volume",
        resource_id=f"volume-{instance_id}",
        cluster_id=cluster_id,
        instance_id=instance_id,
        size_gib=size_gib,
    )
    volume.is_attached = True
    save(volume, folder)
    device = volumes.bind(site, volume)
    if device and runner.is_alive(site.guest(instance_id)):
        if (leader := runner.leader(cgroup)) is None:
            return None
        volumes.plug(leader, device)
    return volume.resource_id


def detach(site: Site, instance_id: str, cgroup: Cgroup) -> bool:
    """True once the device is free: while the guest has it mounted it is not."""
    folder = site.volume(instance_id)
    if (volume := load(VolumeRecord, folder)) is None:
        return True
    volume.is_attached = False
    save(volume, folder)
    (site.guest(instance_id) / "device").unlink(missing_ok=True)
    if (leader := runner.leader(cgroup)) is not None:
        volumes.unplug(leader)
    return volumes.release(folder / "disk")


def extend(site: Site, instance_id: str, size_gib: int) -> None:
    folder = site.volume(instance_id)
    if (volume := load(VolumeRecord, folder)) is None:
        raise ProviderError(f"{instance_id} has no volume.")
    if size_gib < volume.size_gib:
        raise ProviderError(f"A volume of {volume.size_gib} GiB cannot shrink to {size_gib}.")
    volume.size_gib = size_gib
    save(volume, folder)
    volumes.ensure_disk(site, volume)
    volumes.refresh(folder / "disk")


def snapshot(site: Site, instance_id: str) -> str:
    """Copy the volume's file: at once where the file system shares blocks, else as fast as its used part is copied."""
    if (volume := load(VolumeRecord, site.volume(instance_id))) is None:
        raise ProviderError(f"{instance_id} has no volume.")
    record = SnapshotRecord(
        kind="snapshot",
        resource_id=str(uuid4()),
        cluster_id=volume.cluster_id,
        instance_id=instance_id,
        size_gib=volume.size_gib,
    )
    folder = site.snapshot(record.resource_id)
    save(record, folder)
    host.run("cp", "--reflink=auto", "--sparse=always", str(site.volume(instance_id) / "disk"), str(folder / "disk"))
    return record.resource_id


def delete_snapshot(site: Site, snapshot_id: str) -> None:
    discard(site.snapshot(snapshot_id))


def remove(site: Site, instance_id: str) -> bool:
    """Remove the volume of a server that is gone. True once it is."""
    folder = site.volume(instance_id)
    if not volumes.release(folder / "disk"):
        return False
    discard(folder)
    return True
