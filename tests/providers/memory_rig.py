"""The cloud in a dict, under test."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from itertools import count

from chalicelib.models.instance import Instance
from chalicelib.providers.memory import FLAVORS, MemoryProvider
from chalicelib.providers.memory_cloud import NETWORK, Cloud, Server
from chalicelib.ssh.keys import draw_key
from tests.providers.rig import Rig


class Cut(BaseException):
    """Nobody catches it: the work ends here, as a killed process does."""


class MemoryRig(Rig):
    network = NETWORK
    has_public_addresses = True

    def __init__(self) -> None:
        self.login = draw_key()
        self.cloud = Cloud(polls=2)

    def provider(self) -> MemoryProvider:
        return MemoryProvider(self.cloud)

    def host_key_at(self, address: str) -> str | None:
        holders = {each.address: each.holder_id for each in self.cloud.addresses.values()}
        holder_id = holders.get(address)
        servers = [self.cloud.servers[holder_id]] if holder_id else list(self.cloud.servers.values())
        served = (each for each in servers if (holder_id or each.address == address) and _is_reachable(each))
        return next((each.birth.host_key_public for each in served), None)

    def write(self, instance: Instance, text: str, *, on_volume: bool) -> None:
        self._files(instance, on_volume=on_volume)["kept"] = text

    def read(self, instance: Instance, *, on_volume: bool) -> str:
        return self._files(instance, on_volume=on_volume)["kept"]

    def release_volume(self, instance: Instance) -> None:
        self._files(instance, on_volume=True)

    def volume_gib(self, instance: Instance) -> int:
        volume = self.cloud.volumes.get(instance.instance_id)
        return volume.size_gib if volume and volume.is_attached else 0

    def say(self, instance: Instance, text: str) -> None:
        self.cloud.servers[instance.instance_id].shown += text.splitlines()

    def memory_mib(self, instance: Instance) -> int:
        flavor_id = self.cloud.servers[instance.instance_id].flavor_id
        return next(each.memory_mib for each in FLAVORS if each.flavor_id == flavor_id)

    def serve(self, instance: Instance, port: int) -> None:
        """Everything answers here."""

    def reaches(self, source: str, instance: Instance, port: int) -> bool:
        server = self.cloud.servers[instance.instance_id]
        cidrs = server.access.allowed_cidrs
        allowed = cidrs is None or any(IPv4Address(source) in IPv4Network(each) for each in cidrs)
        return _is_reachable(server) and allowed and (cidrs is None or port == server.access.port)

    def neighbour_reaches(self, neighbour: Instance, instance: Instance, port: int) -> bool:
        near = neighbour.cluster_id == self.cloud.servers[instance.instance_id].owned.cluster_id
        return near or self.reaches(str(neighbour.address), instance, port)

    def cut(self, work: Callable[[], object], at: int) -> bool:
        points = count()

        def trip(point: str) -> None:
            if next(points) == at:
                raise Cut(point)

        self.cloud.trip = trip
        try:
            work()
        except Cut:
            return True
        finally:
            self.cloud.trip = lambda point: None
        return False

    def _files(self, instance: Instance, *, on_volume: bool) -> dict[str, str]:
        server = self.cloud.servers[instance.instance_id]
        assert _is_reachable(server)
        if not on_volume:
            return server.files
        volume = self.cloud.volumes[instance.instance_id]
        assert volume.is_attached
        return volume.files


def _is_reachable(server: Server) -> bool:
    return server.status.is_up and not server.polls_left and not server.is_cut_off
