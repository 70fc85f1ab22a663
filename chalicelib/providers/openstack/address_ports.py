"""A cluster's address as a port of its own, which no server has: one of its servers' ports is let speak for it.

Neutron drops what a port sends from another address than its own and those of its `allowed_address_pairs`, so who has
the pair has the address, whatever the guests believe. The pair is taken from all others before one gets it.
"""

from typing import Any, ClassVar

from chalicelib.errors import ProviderError, Transient
from chalicelib.providers.openstack import ports
from chalicelib.providers.openstack.choice import Found, forget, only_one
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.groups import ports_of_cluster
from chalicelib.providers.openstack.labels import Label, name_of
from chalicelib.providers.openstack.lookups import usual_network


class AddressPorts:
    """The family of the ports of one cluster that stand for its address."""

    can_be_marked = True
    is_guests_own: ClassVar[bool] = True

    def __init__(self, cloud: Cloud, cluster_id: str) -> None:
        self._cloud, self._connection = cloud, cloud.connection
        self.label, self.name = Label.of_cluster(cluster_id), name_of(f"{cluster_id}-address")

    def all(self) -> list[Any]:
        return [each for each in self._connection.network.ports(name=self.name) if Label.read(each.description)]

    def one(self) -> Any | None:
        return next((each for each in self.all() if ports.is_chosen(each)), None)

    def found(self) -> list[Found]:
        return [Found(str(each.id), ports.is_chosen(each)) for each in self.all()]

    def exists(self, resource_id: str) -> bool:
        return resource_id in {each.resource_id for each in self.found()}

    def make(self) -> str:
        """Make one beside the cluster's servers, or where they will be."""
        beside = next(iter(ports_of_cluster(self._connection, self.label.cluster_id)), None)
        port = self._connection.network.create_port(
            name=self.name,
            description=self.label.text,
            security_group_ids=[],  # who may come, the holder's port says
            network_id=beside.network_id if beside else usual_network(self._cloud),
            **({"fixed_ips": [{"subnet_id": ports.address_of(beside)[1]}]} if beside else {}),
        )
        return str(port.id)

    def choose(self, resource_id: str) -> None:
        self._connection.network.update_port(resource_id, description=self.label.chosen().text)

    def drop(self, resource_id: str) -> None:
        ports.drop_port(self._connection, resource_id)

    def have(self) -> Any:
        return self._connection.network.get_port(only_one(self._connection, self, self.make))

    def text(self, address: Any) -> str:
        return ports.address_of(address)[0]

    def drop_all(self) -> None:
        """Take the address from whoever has it, and then remove the port: the address may be another's next."""
        for each in self.all():
            for holder in self.holders(each):
                _set(self._cloud, holder, self.text(each), may_speak=False)
            self.drop(str(each.id))
        forget(self._connection, self.name)

    def holders(self, address: Any) -> list[Any]:
        known = ports_of_cluster(self._connection, self.label.cluster_id)
        return [each for each in known if may_speak(each, self.text(address))]

    def lead(self, address: Any, port_id: str) -> None:
        """Have that port speak for the address. Raises Transient if another move came between."""
        text, port = self.text(address), self._connection.network.get_port(port_id)
        if port.network_id != address.network_id:
            raise ProviderError(f"The address {text} is of another network than the server.")
        for each in self.holders(address):
            if each.id != port_id:
                _set(self._cloud, each, text, may_speak=False)
        if may_speak(port, text):
            return
        _set(self._cloud, port, text, may_speak=True)
        if [each for each in self.holders(address) if each.id != port_id]:
            _set(self._cloud, self._connection.network.get_port(port_id), text, may_speak=False)
            raise Transient(f"Somebody else moves the address {text} at the same moment.")


def may_speak(port: Any, address: str) -> bool:
    return any(each["ip_address"] == address for each in port.allowed_address_pairs or ())


def _set(cloud: Cloud, port: Any, address: str, *, may_speak: bool) -> None:
    others = [each for each in port.allowed_address_pairs or () if each["ip_address"] != address]
    pairs = [*others, {"ip_address": address}] if may_speak else others
    if not ports.change(cloud.connection, port, allowed_address_pairs=pairs):
        raise Transient(f"Port {port.id} is changed by somebody else at the same moment.")
