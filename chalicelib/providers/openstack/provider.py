"""OpenStackProvider: BaseProvider on a real cloud's APIs."""

from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

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
from chalicelib.providers.openstack import (
    births,
    departures,
    endpoints,
    inventory,
    openings,
    ports,
    resizing,
    servers,
    volumes,
)
from chalicelib.providers.openstack.choice import only_one
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.labels import Label, name_of
from chalicelib.providers.openstack.refusals import CredentialsRefused, translated

P = ParamSpec("P")
R = TypeVar("R")


@cache
def the_cloud() -> Cloud:
    """Return the one of this process's settings, with the token it has."""
    return Cloud(config.current())


def asking(
    method: Callable[Concatenate["OpenStackProvider", P], R],
) -> Callable[Concatenate["OpenStackProvider", P], R]:
    """Have the method raise our errors, and do it once more with new credentials where the cloud refuses the old."""

    @wraps(method)
    def asked(self: "OpenStackProvider", /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with translated():
                return method(self, *args, **kwargs)
        except CredentialsRefused:
            if not self.cloud.renew():
                raise
        with translated():
            return method(self, *args, **kwargs)

    return asked


class OpenStackProvider(BaseProvider):
    def __init__(self, cloud: Cloud | None = None) -> None:
        self.cloud = cloud or the_cloud()

    @property
    def _connection(self) -> Any:
        return self.cloud.connection

    # --- servers
    @asking
    def has_server(self, instance: Instance) -> bool:
        return self._found(instance) is not None

    @asking
    def create(self, instance: Instance, birth: Birth) -> None:
        server = births.born(self.cloud, instance, birth)
        if birth.access.is_public:
            openings.open_to_public(self.cloud, instance, servers.port_id_of(server))
        servers.note(instance, server)  # last: who knows its id takes it for made
        instance.host_key = server.metadata["dtrove_host_key"]

    @asking
    def update_status(self, instance: Instance) -> tuple[ServerStatus, int]:
        server = self._found(instance)
        status = servers.status_of(server) if server else ServerStatus.DELETED
        if server:
            servers.note(instance, server)
            instance.message = servers.message_of(server) or instance.message
        progress = int(server.progress or 0) if server else 0
        instance.server_status, instance.progress = status.value, progress
        return status, progress

    @asking
    def start(self, instance: Instance) -> None:
        servers.start(self._connection, self._server(instance))

    @asking
    def stop(self, instance: Instance, *, hard: bool = False) -> None:
        servers.stop(self._connection, self._server(instance))

    @asking
    def reboot(self, instance: Instance) -> None:
        self._connection.compute.reboot_server(self._server(instance), "SOFT")

    @asking
    def console(self, instance: Instance, lines: int) -> str:
        server = self._found(instance)
        return servers.console_of(self._connection, str(server.id), lines) if server else ""

    @asking
    def destroy(self, instance: Instance) -> bool:
        return departures.is_gone(self.cloud, instance)

    # --- another flavor
    @asking
    def resize(self, instance: Instance, flavor_id: str) -> bool:
        return resizing.is_resized(self._connection, self._server(instance), instance, flavor_id)

    @asking
    def confirm_resize(self, instance: Instance) -> bool:
        return resizing.is_confirmed(self._connection, self._server(instance))

    @asking
    def revert_resize(self, instance: Instance) -> bool:
        return resizing.is_reverted(self._connection, self._server(instance))

    # --- volumes
    @asking
    def attach_volume(self, instance: Instance) -> bool:
        server = self._server(instance)
        if not instance.volume_gib:
            raise ProviderError(f"{instance.instance_id} asks for no volume.")
        if instance.volume_type and instance.volume_type not in self._type_names():
            raise ProviderError(f"There is no volume type {instance.volume_type}.")
        family = volumes.Volumes(self._connection, instance)
        if (volume := family.known()) is None:
            volume = self._connection.block_storage.get_volume(only_one(self._connection, family, family.make))
        instance.volume_id = str(volume.id)
        instance.volume_device = volumes.device_of(str(volume.id), self.cloud.settings.dtrove_openstack_disk_bus)
        return volumes.is_attached(self._connection, volume, str(server.id))

    @asking
    def detach_volume(self, instance: Instance) -> bool:
        self._server(instance)
        volume = volumes.Volumes(self._connection, instance).one()
        return volume is None or volumes.is_detached(self._connection, volume)

    @asking
    def extend_volume(self, instance: Instance, volume_gib: int) -> bool:
        return volumes.has_grown(self._connection, self._volume(instance), volume_gib)

    @asking
    def snapshot(self, instance: Instance) -> str:
        snapshot = self._connection.block_storage.create_snapshot(
            volume_id=self._volume(instance).id,
            name=name_of(str(instance.instance_id)),
            metadata=Label.of(instance).metadata,
            is_forced=True,  # while it is attached
        )
        return str(snapshot.id)

    @asking
    def delete_snapshot(self, snapshot_id: str) -> None:
        volumes.drop_snapshot(self._connection, snapshot_id)

    # --- who may come
    @asking
    def set_access(self, instance: Instance, access: Access) -> bool:
        return openings.is_set(self.cloud, instance, access, servers.port_id_of(self._server(instance)))

    # --- addresses
    @asking
    def ensure_address(self, cluster_id: str) -> Endpoint:
        return endpoints.ensured(self.cloud, cluster_id)

    @asking
    def move_address(self, cluster_id: str, to: Instance) -> None:
        endpoints.move(self.cloud, cluster_id, servers.port_id_of(self._server(to)))

    @asking
    def release_address(self, cluster_id: str) -> None:
        endpoints.release(self.cloud, cluster_id)

    # --- fences
    @asking
    def cut_off(self, instance: Instance) -> None:
        self._set_link(instance, is_up=False)

    @asking
    def is_cut_off(self, instance: Instance) -> bool:
        if self._found(instance) is None:
            return True
        found = ports.ports_of(self._connection, instance)
        return not any(each.is_admin_state_up or each.status == "ACTIVE" for each in found)

    @asking
    def reconnect(self, instance: Instance) -> None:
        self._server(instance)
        self._set_link(instance, is_up=True)

    def _set_link(self, instance: Instance, *, is_up: bool) -> None:
        for port in ports.ports_of(self._connection, instance):
            if port.is_admin_state_up != is_up:
                self._connection.network.update_port(port.id, is_admin_state_up=is_up)

    # --- what there is
    @asking
    def flavors(self, datastore: str | None = None) -> Sequence[FlavorOffer]:
        return [
            FlavorOffer(str(each.id), each.name, int(each.ram), int(each.vcpus), int(each.disk))
            for each in self._connection.compute.flavors()
        ]

    @asking
    def volume_types(self) -> Sequence[VolumeTypeOffer]:
        return [
            VolumeTypeOffer(str(each.id), each.name, each.description, bool(each.is_public))
            for each in self._connection.block_storage.types()
        ]

    @asking
    def owned(self) -> Sequence[OwnedResource]:
        return list(inventory.owned(self.cloud))

    @asking
    def remove(self, resource: OwnedResource) -> None:
        inventory.remove(self.cloud, resource)

    def _type_names(self) -> set[str]:
        return {word for each in self.volume_types() for word in (each.volume_type_id, each.name)}

    def _found(self, instance: Instance) -> Any | None:
        """Return the instance's server; None if there is none, or it is being deleted."""
        family = servers.Servers(self._connection, instance)
        if instance.server_id and (known := family.known(instance.server_id)):
            return known
        return next(iter(family.living()), None)

    def _server(self, instance: Instance) -> Any:
        if (server := self._found(instance)) is None:
            raise ProviderError(f"There is no server of {instance.instance_id}.")
        return server

    def _volume(self, instance: Instance) -> Any:
        if (volume := volumes.Volumes(self._connection, instance).one()) is None:
            raise ProviderError(f"{instance.instance_id} has no volume.")
        return volume
