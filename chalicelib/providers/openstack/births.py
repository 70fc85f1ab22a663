"""A server's birth: what it needs is made first, and taken back if the cloud refuses the server."""

from dataclasses import dataclass
from typing import Any

from chalicelib.errors import NotReady, ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Birth
from chalicelib.providers.openstack import groups, ports
from chalicelib.providers.openstack.choice import chosen_of, only_one
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.departures import drop_satellites
from chalicelib.providers.openstack.lookups import image_id, network_and_subnet, public_network
from chalicelib.providers.openstack.nearness import server_group
from chalicelib.providers.openstack.refusals import translated
from chalicelib.providers.openstack.servers import Place, Servers, make_server, port_id_of, root_disk


def born(cloud: Cloud, instance: Instance, birth: Birth) -> Any:
    """Return the instance's server, making it if there is none."""
    return Try(cloud, instance, birth).server()


@dataclass
class Try:
    """One try at a server. Others may have been cut before, or be at it now."""

    cloud: Cloud
    instance: Instance
    birth: Birth

    def server(self) -> Any:
        connection, family = self.cloud.connection, Servers(self.cloud.connection, self.instance)
        before = ports.ports_of(connection, self.instance)
        free = [each for each in before if ports.is_free(each)]
        server_id = only_one(connection, family, lambda: self._make(free))
        server = connection.compute.get_server(server_id)
        others = {*(str(each.id) for each in before), *family.dropped_ports} - {port_id_of(server)}
        if [each for each in others if not ports.drop_port(connection, each)]:
            raise NotReady(f"Another try's server of {self.instance.name} is being deleted.")
        return server

    def _make(self, free_ports: list[Any]) -> str:
        """Ask for a server. What was refused leaves nothing, unless another try has made one meanwhile."""
        try:
            with translated():
                return self._ask(free_ports)
        except ProviderError:
            found = Servers(self.cloud.connection, self.instance).found()
            if chosen := chosen_of(found):
                return chosen
            if not found:
                drop_satellites(self.cloud.connection, self.instance)
            raise

    def _ask(self, free_ports: list[Any]) -> str:
        disk = root_disk(image_id(self.cloud, self.birth.image), self.cloud.settings)
        if self.birth.access.is_public:
            public_network(self.cloud)
        near = server_group(self.cloud.connection, self.instance)
        place = Place(disk, self._port(free_ports), near)
        return make_server(self.cloud.connection, self.instance, self.birth, place)

    def _port(self, free_ports: list[Any]) -> Any:
        """Return a port of this try's own, with its groups; but an earlier try's if that has the address asked for."""
        connection, instance = self.cloud.connection, self.instance
        network_id, subnet_id = network_and_subnet(self.cloud, instance)
        group_ids = [
            groups.cluster_group(connection, str(instance.cluster_id)),
            groups.access_group(connection, instance, self.birth.access, self.cloud.settings.our_networks),
        ]
        for each in free_ports:
            if instance.ip_address and ports.address_of(each)[0] == instance.ip_address:
                return connection.network.update_port(each, security_group_ids=group_ids)
        return ports.make_port(connection, instance, network_id, subnet_id, group_ids)
