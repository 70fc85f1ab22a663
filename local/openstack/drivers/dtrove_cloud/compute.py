"""Nova's driver: a server is a systemd-nspawn guest in a network namespace of its own.

Nova, not this host, knows what shall be: each method makes it so, and may find part of it done.
"""

import shutil
from pathlib import Path
from typing import Any

import nova.conf
from nova import exception
from nova.api.metadata import base as metadata
from nova.compute import power_state
from nova.virt import driver, fake, hardware

from . import guests, images
from .guests import Guest

CONF = nova.conf.CONF
SEED = "var/lib/cloud/seed/config_drive"  # where cloud-init looks for a config drive that is not a disk
RESOLVERS = Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf")  # the first names no loopback address
ROOT_DEVICE = "/dev/vda"
SHUTDOWN_SECONDS = 15
unsupported = driver.ComputeDriver


class NspawnDriver(fake.FakeDriverWithoutFakeNodes):
    vcpus, memory_mb, local_gb = 64, 131_072, 2_000  # what Placement may hand out per compute

    # The fake driver would pretend; these say that they are not there.
    pause, unpause = unsupported.pause, unsupported.unpause
    suspend, resume = unsupported.suspend, unsupported.resume
    rescue, unrescue = unsupported.rescue, unsupported.unrescue
    snapshot, live_migration = unsupported.snapshot, unsupported.live_migration

    # --- what there is
    def list_instance_uuids(self) -> list[str]:
        return [each.server_id for each in guests.all_guests() if each.record["compute"] == CONF.host]

    def list_instances(self) -> list[str]:
        return [str(Guest(each).record["name"]) for each in self.list_instance_uuids()]

    def instance_on_disk(self, instance: Any) -> bool:
        return Guest(instance.uuid).exists

    def get_info(self, instance: Any, use_cache: bool = True) -> Any:
        guest = Guest(instance.uuid)
        if not guest.exists:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        return hardware.InstanceInfo(state=power_state.RUNNING if guest.is_alive else power_state.SHUTDOWN)

    def get_console_output(self, context: Any, instance: Any) -> bytes:
        return (Guest(instance.uuid).folder / "console.log").read_bytes()

    def default_root_device_name(self, instance: Any, image_meta: Any, root_bdm: Any) -> str:
        return ROOT_DEVICE

    # --- birth and death
    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: Any,
        allocations: Any,
        network_info: Any = None,
        block_device_info: Any = None,
        power_on: bool = True,
        accel_info: Any = None,
    ) -> None:
        guest = Guest(instance.uuid)
        guest.make(compute=CONF.host, name=instance.name)
        if root_volume := _attach_volumes(guest, block_device_info):
            guest.note(root_volume=root_volume)
        else:
            guest.note(image=str(images.tree_of(context, instance.image_ref)))
        guest.mount()
        about = metadata.InstanceMetadata(instance, content=injected_files, network_info=network_info)
        _write_birth(guest, about)
        self._power_on(instance, network_info, power_on)

    def destroy(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        guest = Guest(instance.uuid)
        if not guest.folder.is_dir():
            return
        guest.stop(0 if destroy_disks else SHUTDOWN_SECONDS)
        guest.unplug_all(vif["id"] for vif in network_info or [])
        guest.unmount()
        if guest.exists:
            guest.drop_volumes()
        if destroy_disks:
            guest.remove()

    def cleanup(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        migrate_data: Any = None,
        destroy_vifs: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        if destroy_disks:
            self.destroy(context, instance, network_info, block_device_info)

    # --- power
    def power_on(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
    ) -> None:
        self._power_on(instance, network_info)

    def power_off(self, instance: Any, timeout: float = 0, retry_interval: float = 0) -> None:
        guest = Guest(instance.uuid)
        guest.stop(timeout)
        guest.unplug_all(vif["id"] for vif in instance.get_network_info())

    def reboot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        reboot_type: str,
        block_device_info: Any = None,
        bad_volumes_callback: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
    ) -> None:
        self.power_off(instance, SHUTDOWN_SECONDS if reboot_type == "SOFT" else 0)
        self._power_on(instance, network_info)

    def resume_state_on_host_boot(
        self, context: Any, instance: Any, network_info: Any, share_info: Any, block_device_info: Any = None
    ) -> None:
        self._power_on(instance, network_info)

    def _power_on(self, instance: Any, network_info: Any, wanted: bool = True) -> None:
        self.plug_vifs(instance, network_info)
        if wanted:
            Guest(instance.uuid).start(instance.hostname or "guest", instance.flavor.memory_mb)

    # --- network
    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        guest = Guest(instance.uuid)
        guest.ensure_namespace()
        for vif in network_info or []:
            _plug(guest, vif)

    def unplug_vifs(self, instance: Any, network_info: Any) -> None:
        for vif in network_info or []:
            guests.unplug(vif["id"])

    def attach_interface(self, context: Any, instance: Any, image_meta: Any, vif: Any) -> None:
        _plug(Guest(instance.uuid), vif)

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        guests.unplug(vif["id"])

    # --- volumes
    def attach_volume(
        self,
        context: Any,
        connection_info: Any,
        instance: Any,
        mountpoint: str,
        disk_bus: Any = None,
        device_type: Any = None,
        encryption: Any = None,
    ) -> None:
        _attach(Guest(instance.uuid), connection_info, mountpoint)

    def detach_volume(
        self, context: Any, connection_info: Any, instance: Any, mountpoint: str, encryption: Any = None
    ) -> None:
        if (guest := Guest(instance.uuid)).exists:
            guest.detach(mountpoint)

    def extend_volume(self, context: Any, connection_info: Any, instance: Any, requested_size: int) -> None:
        guests.see_growth(connection_info["data"]["device_path"])

    # --- resize and cold migration: the disk stays, the guest starts again with its new flavor on its new compute
    def migrate_disk_and_power_off(
        self,
        context: Any,
        instance: Any,
        dest: Any,
        flavor: Any,
        network_info: Any,
        block_device_info: Any = None,
        timeout: float = 0,
        retry_interval: float = 0,
    ) -> str:
        self.destroy(context, instance, network_info, block_device_info, destroy_disks=False)
        return "{}"

    def finish_migration(
        self,
        context: Any,
        migration: Any,
        instance: Any,
        disk_info: Any,
        network_info: Any,
        image_meta: Any,
        resize_instance: Any,
        allocations: Any,
        block_device_info: Any = None,
        power_on: bool = True,
        share_info: Any = None,
    ) -> None:
        self._arrive(instance, network_info, block_device_info, power_on)

    def finish_revert_migration(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        migration: Any,
        block_device_info: Any = None,
        power_on: bool = True,
        share_info: Any = None,
    ) -> None:
        self._arrive(instance, network_info, block_device_info, power_on)

    def confirm_migration(self, context: Any, migration: Any, instance: Any, network_info: Any) -> None:
        """Nothing was left behind: both computes share the folder of guests."""

    def _arrive(self, instance: Any, network_info: Any, block_device_info: Any, power_on: bool) -> None:
        guest = Guest(instance.uuid)
        guest.note(compute=CONF.host)
        _attach_volumes(guest, block_device_info)
        self._power_on(instance, network_info, power_on)

    # --- both computes share one host's disk
    def check_instance_shared_storage_local(self, context: Any, instance: Any) -> dict[str, str]:
        return {"folder": str(Guest(instance.uuid).folder)}

    def check_instance_shared_storage_remote(self, context: Any, data: dict[str, str]) -> bool:
        return Path(data["folder"]).exists()

    def check_instance_shared_storage_cleanup(self, context: Any, data: dict[str, str]) -> None:
        """Nothing was made for the check."""


def _attach_volumes(guest: Guest, block_device_info: Any) -> str | None:
    """Attach what Nova says is attached; return the root volume's file, if there is one."""
    root = None
    for each in (block_device_info or {}).get("block_device_mapping") or []:
        if each["mount_device"] == (block_device_info.get("root_device_name") or ROOT_DEVICE):
            root = each["connection_info"]["data"]["device_path"]
        else:
            _attach(guest, each["connection_info"], each["mount_device"])
    return root


def _attach(guest: Guest, connection_info: Any, device: str) -> None:
    guest.attach(device, connection_info.get("serial", "-"), connection_info["data"]["device_path"])


def _plug(guest: Guest, vif: Any) -> None:
    subnets = vif["network"]["subnets"]
    addresses = [f"{ip['address']}/{each['cidr'].split('/')[1]}" for each in subnets for ip in each["ips"]]
    gateway = next((each["gateway"]["address"] for each in subnets if each.get("gateway")), None)
    guest.plug(vif["id"], vif["address"], vif["network"]["id"], addresses, gateway)


def _write_birth(guest: Guest, about: metadata.InstanceMetadata) -> None:
    """Unpack Nova's config drive, and give the guest its identity, while its tree is but the image's."""
    shutil.rmtree(guest.root / SEED, ignore_errors=True)
    for path, data in about.metadata_for_config_drive():
        file = guest.root / SEED / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data or b"")
    (guest.root / SEED).chmod(0o700)
    (guest.root / "etc/machine-id").write_text(f"{guest.server_id.replace('-', '')}\n")
    resolvers = next(each for each in RESOLVERS if each.exists()).read_text()
    (guest.root / "etc/resolv.conf").write_text(resolvers)
