"""Floating IPs: a cluster's own address, if it is one, and the public address of an instance."""

from typing import Any

from openstack.connection import Connection

from chalicelib.models.instance import Instance
from chalicelib.providers.openstack.choice import Found, forget, only_one
from chalicelib.providers.openstack.labels import Label, name_of


class Addresses:
    """The family of the floating IPs of one cluster, or of one instance."""

    can_be_marked = True

    def __init__(self, connection: Connection, label: Label) -> None:
        self._connection, self.label = connection, label
        self.name = name_of(f"{label.instance_id or label.cluster_id}-address")

    def all(self) -> list[Any]:
        texts = [self.label.text, self.label.chosen().text]
        return list(self._connection.network.ips(description=texts))

    def one(self) -> Any | None:
        return next((each for each in self.all() if str(each.description) == self.label.chosen().text), None)

    def found(self) -> list[Found]:
        return [Found(str(each.id), each.description == self.label.chosen().text) for each in self.all()]

    def exists(self, resource_id: str) -> bool:
        return resource_id in {each.resource_id for each in self.found()}

    def make(self, network_id: str) -> str:
        address = self._connection.network.create_ip(floating_network_id=network_id, description=self.label.text)
        return str(address.id)

    def choose(self, resource_id: str) -> None:
        self._connection.network.update_ip(resource_id, description=self.label.chosen().text)

    def drop(self, resource_id: str) -> None:
        self._connection.network.delete_ip(resource_id)

    def have(self, network_id: str) -> Any:
        """Return the one floating IP, reserving it the first time."""
        address_id = only_one(self._connection, self, lambda: self.make(network_id))
        return self._connection.network.get_ip(address_id)

    def drop_all(self) -> None:
        for each in self.all():
            self.drop(str(each.id))
        forget(self._connection, self.name)


def of_instance(connection: Connection, instance: Instance) -> Addresses:
    return Addresses(connection, Label.of(instance))


def of_cluster(connection: Connection, cluster_id: str) -> Addresses:
    return Addresses(connection, Label.of_cluster(cluster_id))


def lead(connection: Connection, address: Any, port_id: str) -> None:
    """Have the address lead to the port, in one call, and to no other."""
    if address.port_id != port_id:
        connection.network.update_ip(address.id, port_id=port_id)
