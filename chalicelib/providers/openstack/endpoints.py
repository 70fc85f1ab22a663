"""A cluster's endpoint: a floating IP or a port of its own, and a name that leads there if the cloud has DNS."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from chalicelib.errors import ProviderError
from chalicelib.providers.base import Endpoint
from chalicelib.providers.openstack import addresses
from chalicelib.providers.openstack.address_ports import AddressPorts
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.dns import Names
from chalicelib.providers.openstack.lookups import public_network


class Kind(Protocol):
    """What a cluster's address can be."""

    is_guests_own: ClassVar[bool]

    def one(self) -> Any | None:
        """Return the address that there is; None if there is none of this kind."""

    def have(self) -> Any:
        """Return it, reserving it the first time."""

    def text(self, address: Any) -> str: ...

    def lead(self, address: Any, port_id: str) -> None: ...

    def drop_all(self) -> None: ...


@dataclass
class FloatingAddress:
    """One of the public network, which Neutron itself translates to the holder's."""

    cloud: Cloud
    cluster_id: str
    is_guests_own: ClassVar[bool] = False

    def _family(self) -> addresses.Addresses:
        return addresses.of_cluster(self.cloud.connection, self.cluster_id)

    def one(self) -> Any | None:
        return self._family().one()

    def have(self) -> Any:
        return self._family().have(public_network(self.cloud))

    def text(self, address: Any) -> str:
        return str(address.floating_ip_address)

    def lead(self, address: Any, port_id: str) -> None:
        addresses.lead(self.cloud.connection, address, port_id)

    def drop_all(self) -> None:
        self._family().drop_all()


def ensured(cloud: Cloud, cluster_id: str) -> Endpoint:
    """Have the endpoint: the address before its name."""
    kind, address = _had(cloud, cluster_id)
    if address is None:
        address = kind.have()
    text = kind.text(address)
    return Endpoint(text, Names(cloud).lead(cluster_id, text), kind.is_guests_own)


def move(cloud: Cloud, cluster_id: str, port_id: str) -> None:
    kind, address = _had(cloud, cluster_id)
    if address is None:
        raise ProviderError(f"Cluster {cluster_id} has no address: ensure it first.")
    kind.lead(address, port_id)


def release(cloud: Cloud, cluster_id: str) -> None:
    """Give all up; the name first: the address may be another's next."""
    Names(cloud).drop(cluster_id)
    for each in _kinds(cloud, cluster_id):
        each.drop_all()


def _had(cloud: Cloud, cluster_id: str) -> tuple[Kind, Any | None]:
    """Return the address that there is, whatever the settings say now; None, with the kind that it is to be."""
    kinds = _kinds(cloud, cluster_id)
    for each in kinds:
        if (address := each.one()) is not None:
            return each, address
    return kinds[0], None


def _kinds(cloud: Cloud, cluster_id: str) -> list[Kind]:
    """Return both, that of the settings first."""
    floating, port = FloatingAddress(cloud, cluster_id), AddressPorts(cloud, cluster_id)
    return [port, floating] if cloud.settings.dtrove_openstack_endpoint == "port" else [floating, port]
