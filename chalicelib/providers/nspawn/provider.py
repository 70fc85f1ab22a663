"""NspawnProvider: the cloud that is this host."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from chalicelib import config
from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.base import (
    Access,
    BaseProvider,
    Birth,
    Endpoint,
    FlavorOffer,
    OwnedResource,
    ServerStatus,
    VolumeTypeOffer,
)
from chalicelib.providers.nspawn import (
    addresses,
    disks,
    fences,
    host,
    inventory,
    power,
    resizing,
    runner,
    servers,
    storage,
    volumes,
)
from chalicelib.providers.nspawn.records import ServerRecord
from chalicelib.providers.nspawn.site import Site

FLAVORS = (  # the disk is the host's own, so none is promised
    FlavorOffer("1", "db.tiny", memory_mib=512, vcpus=1, disk_gib=0),
    FlavorOffer("2", "db.small", memory_mib=1024, vcpus=1, disk_gib=0),
    FlavorOffer("3", "db.medium", memory_mib=2048, vcpus=2, disk_gib=0),
    FlavorOffer("4", "db.large", memory_mib=4096, vcpus=2, disk_gib=0),
)


class NspawnProvider(BaseProvider):
    """Every call may come from another short-lived process: all it knows it reads from the site's records."""

    def __init__(self, site: Site | None = None) -> None:
        host.check()
        self.site = site or Site.of(config.current())

    # --- servers
    def has_server(self, instance: Instance) -> bool:
        """Say so from when its disk is complete: what was cut before can be born with another host key."""
        server = servers.find(self.site, instance.instance_id)
        return server is not None and server.is_born

    def create(self, instance: Instance, birth: Birth) -> None:
        flavor = _flavor(instance.flavor_id)
        disks.layers(self.site, birth.image)  # refuses an unknown image before anything is made
        self.site.only_network.check(instance)
        _check_access(birth.access)
        with servers.held(self.site, instance.instance_id):
            server = servers.reserve(self.site, instance, birth, flavor)
            if not server.is_born:
                servers.bear(self.site, server, birth)
            servers.ensure_launched(self.site, server)
        self._note(instance, server)
        instance.host_key = server.host_key

    def update_status(self, instance: Instance) -> tuple[ServerStatus, int]:
        server = servers.find(self.site, instance.instance_id)
        if server and server.is_restarting:
            with self._server(instance) as server:
                resizing.has_restarted(self.site, server)
        status, progress, message = power.status(self.site, server) if server else (ServerStatus.DELETED, 100, "")
        if server:
            self._note(instance, server)
        instance.server_status, instance.progress = status.value, progress
        instance.message = message or instance.message
        return status, progress

    def start(self, instance: Instance) -> None:
        with self._server(instance) as server:
            power.start(self.site, server)

    def stop(self, instance: Instance, *, hard: bool = False) -> None:
        with self._server(instance) as server:
            power.stop(self.site, server, hard=hard)

    def reboot(self, instance: Instance) -> None:
        with self._server(instance) as server:
            power.reboot(self.site, server)

    def console(self, instance: Instance, lines: int) -> str:
        return runner.last_words(self.site.guest(instance.instance_id), lines)

    def destroy(self, instance: Instance) -> bool:
        return inventory.destroy(self.site, instance.instance_id)

    # --- another flavor
    def resize(self, instance: Instance, flavor_id: str) -> bool:
        flavor = _flavor(flavor_id)
        with self._server(instance) as server:
            return resizing.resize(self.site, server, flavor)

    def confirm_resize(self, instance: Instance) -> bool:
        with self._server(instance) as server:
            return resizing.confirm(self.site, server)

    def revert_resize(self, instance: Instance) -> bool:
        with self._server(instance) as server:
            return resizing.revert(self.site, server)

    # --- volumes
    def attach_volume(self, instance: Instance) -> bool:
        if not instance.volume_gib:
            raise ProviderError(f"{instance.instance_id} asks for no volume.")
        if instance.volume_type:
            raise ProviderError(f"There is no volume type {instance.volume_type}: all volumes here are of one kind.")
        with self._server(instance) as server:
            cgroup = servers.cgroup_of(self.site, server)
            ids = instance.instance_id, instance.cluster_id
            volume_id = storage.attach(self.site, *ids, int(instance.volume_gib), cgroup)
        instance.volume_id = volume_id or instance.volume_id
        instance.volume_device = volumes.DEVICE
        return volume_id is not None

    def detach_volume(self, instance: Instance) -> bool:
        with self._server(instance) as server:
            return storage.detach(self.site, instance.instance_id, servers.cgroup_of(self.site, server))

    def extend_volume(self, instance: Instance, volume_gib: int) -> bool:
        with servers.held(self.site, instance.instance_id):
            storage.extend(self.site, instance.instance_id, volume_gib)
        return True

    def snapshot(self, instance: Instance) -> str:
        with servers.held(self.site, instance.instance_id):
            return storage.snapshot(self.site, instance.instance_id)

    def delete_snapshot(self, snapshot_id: str) -> None:
        storage.delete_snapshot(self.site, snapshot_id)

    # --- who may come
    def set_access(self, instance: Instance, access: Access) -> bool:
        _check_access(access)
        with self._server(instance) as server:
            servers.set_access(self.site, server, access)
        return True

    # --- addresses
    def ensure_address(self, cluster_id: str) -> Endpoint:
        return Endpoint(addresses.ensure(self.site, cluster_id))

    def move_address(self, cluster_id: str, to: Instance) -> None:
        with self._server(to) as server:
            addresses.move(self.site, cluster_id, server)

    def release_address(self, cluster_id: str) -> None:
        addresses.release(self.site, cluster_id)

    # --- fences
    def cut_off(self, instance: Instance) -> None:
        fences.cut_off(self.site, instance.instance_id)

    def is_cut_off(self, instance: Instance) -> bool:
        return fences.is_cut_off(self.site, instance.instance_id)

    def reconnect(self, instance: Instance) -> None:
        with self._server(instance) as server:
            fences.set_link(self.site, server, up=True)

    # --- what there is
    def flavors(self, datastore: str | None = None) -> Sequence[FlavorOffer]:
        return FLAVORS

    def volume_types(self) -> Sequence[VolumeTypeOffer]:
        return ()

    def owned(self) -> Sequence[OwnedResource]:
        return inventory.owned(self.site)

    def remove(self, resource: OwnedResource) -> None:
        inventory.remove(self.site, resource)

    def _server(self, instance: Instance) -> AbstractContextManager[ServerRecord]:
        return servers.existing(self.site, instance.instance_id)

    def _note(self, instance: Instance, server: ServerRecord) -> None:
        instance.server_id, instance.local_id = server.resource_id, server.machine
        instance.address, instance.user = server.address, server.user
        self.site.only_network.note(instance)


def _flavor(flavor_id: str) -> FlavorOffer:
    known = {each.flavor_id: each for each in FLAVORS}
    if flavor_id not in known:
        raise ProviderError(f"There is no flavor {flavor_id}; there are {', '.join(known)}.")
    return known[flavor_id]


def _check_access(access: Access) -> None:
    if access.is_public:
        raise ProviderError("This cloud has no public addresses: its one network is that of this host.")
