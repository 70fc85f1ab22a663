"""MemoryProvider: a cloud in a dict, for unit tests and for cutting a workflow at every effect."""

from collections.abc import Sequence

from chalicelib.models.instance import Instance
from chalicelib.providers.base import (
    Access,
    BaseProvider,
    Birth,
    Endpoint,
    FlavorOffer,
    OwnedResource,
    ProviderError,
    ServerStatus,
    VolumeTypeOffer,
)
from chalicelib.providers.memory_cloud import NETWORK, Address, Cloud, Server, Volume, owned

FLAVORS = (
    FlavorOffer("1", "db.tiny", memory_mib=512, vcpus=1, disk_gib=10),
    FlavorOffer("2", "db.small", memory_mib=1024, vcpus=1, disk_gib=10),
    FlavorOffer("3", "db.medium", memory_mib=2048, vcpus=2, disk_gib=20),
    FlavorOffer("4", "db.large", memory_mib=4096, vcpus=2, disk_gib=40),
)
VOLUME_TYPES = (VolumeTypeOffer("1", "standard"), VolumeTypeOffer("2", "fast", "on flash"))
TYPE_NAMES = [(each.volume_type_id, each.name) for each in VOLUME_TYPES]
DEVICE = "/dev/vdb"
CLOUD = Cloud()  # the one that get_provider() gives


class MemoryProvider(BaseProvider):
    def __init__(self, cloud: Cloud | None = None) -> None:
        self.cloud = cloud or CLOUD

    # --- servers
    def has_server(self, instance: Instance) -> bool:
        return instance.instance_id in self.cloud.servers

    def create(self, instance: Instance, birth: Birth) -> None:
        if birth.image not in self.cloud.images:
            raise ProviderError(f"There is no image {birth.image}.")
        if instance.flavor_id not in {each.flavor_id for each in FLAVORS}:
            raise ProviderError(f"There is no flavor {instance.flavor_id}.")
        if not self.has_server(instance):
            mine = owned("server", instance.cluster_id, instance.instance_id)
            with self.cloud.effect("create server"):
                if not self.has_server(instance):
                    server = Server(mine, birth, self.cloud.place(instance), flavor_id=instance.flavor_id)
                    self.cloud.turn(server, self.cloud.comes_to, ServerStatus.BUILD)
                    self.cloud.open(server, birth.access)
                    self.cloud.servers[instance.instance_id] = server
        self._note(instance)
        instance.host_key = self.cloud.servers[instance.instance_id].birth.host_key_public

    def update_status(self, instance: Instance) -> tuple[ServerStatus, int]:
        status, progress = self.cloud.look(instance.instance_id)
        self._note(instance)
        instance.server_status, instance.progress = status.value, progress
        return status, progress

    def start(self, instance: Instance) -> None:
        server = self._server(instance)
        if not server.status.is_up:
            with self.cloud.effect("start server"):
                self.cloud.turn(server, ServerStatus.ACTIVE, ServerStatus.SHUTOFF)

    def stop(self, instance: Instance, *, hard: bool = False) -> None:
        server = self._server(instance)
        if server.status is not ServerStatus.SHUTOFF:
            with self.cloud.effect("stop server"):
                self.cloud.turn(server, ServerStatus.SHUTOFF, ServerStatus.ACTIVE)

    def reboot(self, instance: Instance) -> None:
        server = self._server(instance)
        with self.cloud.effect("reboot server"):
            self.cloud.turn(server, ServerStatus.ACTIVE, ServerStatus.REBOOT)

    def console(self, instance: Instance, lines: int) -> str:
        self.cloud.trip("before console")
        server = self.cloud.servers.get(instance.instance_id)
        return "\n".join(server.shown[-lines:]) if server else ""

    def destroy(self, instance: Instance) -> bool:
        self._forget(instance.instance_id)
        return True

    # --- another flavor
    def resize(self, instance: Instance, flavor_id: str) -> bool:
        server = self._server(instance)
        if flavor_id not in {each.flavor_id for each in FLAVORS}:
            raise ProviderError(f"There is no flavor {flavor_id}.")
        if server.flavor_id == flavor_id:
            return self._is_at_rest(instance)
        if server.before:
            raise ProviderError(f"The server of {instance.name} waits with flavor {server.flavor_id}.")
        with self.cloud.effect("resize server"):
            server.before, server.flavor_id = (server.flavor_id, server.status), flavor_id
            self.cloud.turn(server, ServerStatus.VERIFY_RESIZE, ServerStatus.RESIZE)
        return self._is_at_rest(instance)

    def confirm_resize(self, instance: Instance) -> bool:
        return self._resize_is_over(instance, "confirm resize", keeps=True)

    def revert_resize(self, instance: Instance) -> bool:
        return self._resize_is_over(instance, "revert resize", keeps=False)

    def _resize_is_over(self, instance: Instance, what: str, *, keeps: bool) -> bool:
        server = self._server(instance)
        if self._is_at_rest(instance) and server.before:
            with self.cloud.effect(what):
                (flavor_id, status), server.before = server.before, None
                server.flavor_id = server.flavor_id if keeps else flavor_id
                self.cloud.turn(server, status, ServerStatus.RESIZE)
        return self._is_at_rest(instance)

    def _is_at_rest(self, instance: Instance) -> bool:
        self.cloud.look(instance.instance_id)
        return not self._server(instance).polls_left

    # --- volumes
    def attach_volume(self, instance: Instance) -> bool:
        self._server(instance)
        if not instance.volume_gib:
            raise ProviderError(f"{instance.instance_id} asks for no volume.")
        if instance.volume_type and not any(instance.volume_type in each for each in TYPE_NAMES):
            raise ProviderError(f"There is no volume type {instance.volume_type}.")
        volume = self.cloud.volumes.get(instance.instance_id)
        if volume is None:
            mine = owned("volume", instance.cluster_id, instance.instance_id)
            new = Volume(mine, int(instance.volume_gib), instance.volume_type)
            with self.cloud.effect("create volume"):
                volume = self.cloud.volumes.setdefault(instance.instance_id, new)
        if not volume.is_attached:
            with self.cloud.effect("attach volume"):
                volume.is_attached = True
        instance.volume_id, instance.volume_device = volume.owned.resource_id, DEVICE
        return True

    def detach_volume(self, instance: Instance) -> bool:
        self._server(instance)
        volume = self.cloud.volumes.get(instance.instance_id)
        if volume is not None and volume.is_attached:
            with self.cloud.effect("detach volume"):
                volume.is_attached = False
        return True

    def extend_volume(self, instance: Instance, volume_gib: int) -> bool:
        volume = self._volume(instance)
        if volume_gib < volume.size_gib:
            raise ProviderError(f"A volume of {volume.size_gib} GiB cannot shrink to {volume_gib}.")
        with self.cloud.effect("extend volume"):
            volume.size_gib = volume_gib
        return True

    def snapshot(self, instance: Instance) -> str:
        volume = self._volume(instance)
        mine = owned("snapshot", instance.cluster_id, instance.instance_id)
        with self.cloud.effect("create snapshot"):
            self.cloud.snapshots[mine.resource_id] = Volume(mine, volume.size_gib, files=dict(volume.files))
        return mine.resource_id

    def delete_snapshot(self, snapshot_id: str) -> None:
        with self.cloud.effect("delete snapshot"):
            self.cloud.snapshots.pop(snapshot_id, None)

    # --- who may come
    def set_access(self, instance: Instance, access: Access) -> bool:
        server = self._server(instance)
        with self.cloud.effect("set access"):
            if access.number >= server.access.number:
                self.cloud.open(server, access)
        self._note(instance)
        return True

    # --- addresses
    def ensure_address(self, cluster_id: str) -> Endpoint:
        with self.cloud.lock:
            if cluster_id not in self.cloud.addresses:
                free = str(NETWORK.free(self.cloud.taken()))
                address = Address(owned("address", cluster_id, None), free)
                with self.cloud.effect("create address"):
                    self.cloud.addresses[cluster_id] = address
            return Endpoint(self.cloud.addresses[cluster_id].address)

    def move_address(self, cluster_id: str, to: Instance) -> None:
        self._server(to)
        if cluster_id not in self.cloud.addresses:
            raise ProviderError(f"Cluster {cluster_id} has no address: ensure it first.")
        with self.cloud.effect("move address"):
            self.cloud.addresses[cluster_id].holder_id = to.instance_id

    def release_address(self, cluster_id: str) -> None:
        with self.cloud.effect("release address"):
            self.cloud.addresses.pop(cluster_id, None)

    # --- fences
    def cut_off(self, instance: Instance) -> None:
        if instance.instance_id in self.cloud.servers:
            with self.cloud.effect("cut off server"):
                self.cloud.servers[instance.instance_id].is_cut_off = True

    def is_cut_off(self, instance: Instance) -> bool:
        server = self.cloud.servers.get(instance.instance_id)
        return server is None or server.is_cut_off

    def reconnect(self, instance: Instance) -> None:
        server = self._server(instance)
        with self.cloud.effect("reconnect server"):
            server.is_cut_off = False

    # --- what there is
    def flavors(self, datastore: str | None = None) -> Sequence[FlavorOffer]:
        return FLAVORS

    def volume_types(self) -> Sequence[VolumeTypeOffer]:
        return VOLUME_TYPES

    def owned(self) -> Sequence[OwnedResource]:
        return self.cloud.owned()

    def remove(self, resource: OwnedResource) -> None:
        match resource.kind:
            case "server" | "volume" if resource.instance_id:
                self._forget(resource.instance_id)
            case "snapshot":
                self.delete_snapshot(resource.resource_id)
            case "address":
                self.release_address(resource.cluster_id)

    def _server(self, instance: Instance) -> Server:
        if (server := self.cloud.servers.get(instance.instance_id)) is None:
            raise ProviderError(f"There is no server of {instance.instance_id}.")
        return server

    def _volume(self, instance: Instance) -> Volume:
        if (volume := self.cloud.volumes.get(instance.instance_id)) is None:
            raise ProviderError(f"{instance.instance_id} has no volume.")
        return volume

    def _forget(self, instance_id: str) -> None:
        if instance_id in self.cloud.servers:
            with self.cloud.effect("delete server"):
                self.cloud.servers.pop(instance_id, None)
        if instance_id in self.cloud.volumes:
            with self.cloud.effect("delete volume"):
                self.cloud.volumes.pop(instance_id, None)

    def _note(self, instance: Instance) -> None:
        if (server := self.cloud.servers.get(instance.instance_id)) is not None:
            instance.server_id = instance.local_id = server.owned.resource_id
            instance.address, instance.user = server.address, server.birth.user
            instance.public_address = server.public_address
            NETWORK.note(instance)
