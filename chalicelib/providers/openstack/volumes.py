"""Volumes: one for an instance, found by name, attached to its server, grown while it is used."""

from contextlib import suppress
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import BadRequestException, ConflictException, NotFoundException

from chalicelib.errors import ProviderError, Transient
from chalicelib.models.instance import Instance
from chalicelib.providers.openstack.choice import Found, forget
from chalicelib.providers.openstack.labels import CHOSEN, Label, name_of

KEPT = "dtrove_kept"  # in metadata: its instance is gone, and it stays for its snapshots
DELETING = {"deleting"}
BROKEN = {"error", "error_extending", "error_deleting", "error_restoring", "error_managing"}
SERIAL_LENGTH = 20  # of a virtio disk: as much of the volume's id as it takes


class Volumes:
    """The family of one instance's volumes."""

    can_be_marked = True

    def __init__(self, connection: Connection, instance: Instance) -> None:
        self._connection, self._instance = connection, instance
        self._display_name = name_of(str(instance.instance_id))
        self.name, self.label = f"{self._display_name}-volume", Label.of(instance)

    def all(self) -> list[Any]:
        found = self._connection.block_storage.volumes(name=self._display_name)
        return [each for each in found if Label.in_metadata(each.metadata) and KEPT not in each.metadata]

    def known(self) -> Any | None:
        """Return the one that the instance's record names, if it is there and was chosen: no list is asked for."""
        if not self._instance.volume_id:
            return None
        try:
            volume = self._connection.block_storage.get_volume(self._instance.volume_id)
        except NotFoundException:
            return None
        return volume if CHOSEN in volume.metadata and volume.status not in DELETING else None

    def one(self) -> Any | None:
        """Return the one that was chosen; None if there is none."""
        living = [each for each in self.all() if each.status not in DELETING]
        return next((each for each in living if CHOSEN in each.metadata), None)

    def found(self) -> list[Found]:
        return [Found(str(each.id), CHOSEN in each.metadata) for each in self.all() if each.status not in DELETING]

    def exists(self, resource_id: str) -> bool:
        try:
            return self._connection.block_storage.get_volume(resource_id).status not in DELETING
        except NotFoundException:
            return False

    def make(self) -> str:
        instance = self._instance
        volume = self._connection.block_storage.create_volume(
            name=self._display_name,
            size=int(instance.volume_gib or 0),
            metadata=Label.of(instance).metadata,
            **({"volume_type": instance.volume_type} if instance.volume_type else {}),
            **({"availability_zone": instance.availability_zone} if instance.availability_zone else {}),
        )
        return str(volume.id)

    def choose(self, resource_id: str) -> None:
        self._connection.block_storage.set_volume_metadata(resource_id, **{CHOSEN: "yes"})

    def drop(self, resource_id: str) -> None:
        drop_volume(self._connection, resource_id)

    def forget_choice(self) -> None:
        forget(self._connection, self.name)


def device_of(volume_id: str, bus: str) -> str:
    """Return the name under which udev shows the volume in a guest, whatever else is attached."""
    if bus == "scsi":
        return f"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_{volume_id}"
    return f"/dev/disk/by-id/virtio-{volume_id[:SERIAL_LENGTH]}"


def server_of(volume: Any) -> str | None:
    return next((str(each["server_id"]) for each in volume.attachments or ()), None)


def check(volume: Any) -> None:
    """Raise ProviderError if it is in an error that no waiting mends."""
    if volume.status in BROKEN:
        raise ProviderError(f"Volume {volume.id} is in status {volume.status}.")


def is_attached(connection: Connection, volume: Any, server_id: str) -> bool:
    """Attach the volume to the server, unless it is or is being attached. True once it is."""
    check(volume)
    if volume.status == "in-use":
        if server_of(volume) != server_id:
            raise ProviderError(f"Volume {volume.id} is attached to server {server_of(volume)}.")
        return True
    if volume.status == "available":
        connection.compute.create_volume_attachment(server_id, volume_id=volume.id)
    return False


def is_detached(connection: Connection, volume: Any) -> bool:
    check(volume)
    if volume.status == "available":
        return True
    if volume.status == "in-use" and (server_id := server_of(volume)):
        with suppress(NotFoundException):
            connection.compute.delete_volume_attachment(server_id, volume.id)
    return False


def has_grown(connection: Connection, volume: Any, size_gib: int) -> bool:
    check(volume)
    if size_gib < volume.size:
        raise ProviderError(f"A volume of {volume.size} GiB cannot shrink to {size_gib}.")
    if volume.status not in {"in-use", "available"}:
        return False
    if volume.size < size_gib:
        connection.block_storage.extend_volume(volume, size_gib)
        return False
    return True


def drop_or_keep(connection: Connection, volume: Any) -> None:
    """Ask for the volume's end; but Cinder deletes none that has snapshots: it then stays for them, and no longer."""
    if any(connection.block_storage.snapshots(details=False, volume_id=volume.id)):
        connection.block_storage.set_volume_metadata(volume.id, **{KEPT: "for its snapshots"})
    else:
        drop_volume(connection, str(volume.id))


def drop_snapshot(connection: Connection, snapshot_id: str) -> None:
    """Ask for its end, and for that of a volume that stayed for it alone."""
    storage = connection.block_storage
    try:
        snapshot = storage.get_snapshot(snapshot_id)
        volume = storage.get_volume(snapshot.volume_id)
    except NotFoundException:
        return
    others = [each for each in storage.snapshots(details=False, volume_id=volume.id) if each.id != snapshot_id]
    if volume.status in DELETING or snapshot.status in DELETING:
        return
    if KEPT in volume.metadata and not others:
        storage.delete_volume(str(volume.id), cascade=True)
    else:
        storage.delete_snapshot(snapshot_id)


def drop_volume(connection: Connection, volume_id: str) -> None:
    """Ask for its end. Raises Transient while it is attached, being made, or has snapshots that are being taken."""
    try:
        connection.block_storage.delete_volume(volume_id)
    except NotFoundException:
        pass
    except (BadRequestException, ConflictException) as error:  # Cinder's word for a status that does not suit it
        raise Transient(f"Volume {volume_id} cannot be deleted yet: {error.details}") from error
