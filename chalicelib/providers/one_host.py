"""What a cloud of one host and one network can be asked for, and its words for what it cannot."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance

ZONE = "nova"  # as OpenStack calls the only one of a cloud that has not named any


@dataclass(frozen=True)
class Network:
    network_id: str
    subnet_id: str
    subnet: IPv4Network

    def check(self, instance: Instance) -> None:
        """Raise ProviderError if the instance asks for another network, or an address that is no server's here."""
        if instance.network_id not in {None, self.network_id}:
            raise ProviderError(f"Network {instance.network_id} could not be found: there is {self.network_id}.")
        if instance.subnet_id not in {None, self.subnet_id}:
            raise ProviderError(f"Subnet {instance.subnet_id} could not be found: there is {self.subnet_id}.")
        if instance.ip_address and not self._has(IPv4Address(instance.ip_address)):
            raise ProviderError(f"IP address {instance.ip_address} is not a valid IP for subnet {self.subnet}.")

    def _has(self, address: IPv4Address) -> bool:
        return address in self.subnet and address not in {self.subnet[0], self.subnet[-1]}

    def address_of(self, instance: Instance, taken: Collection[IPv4Address]) -> IPv4Address:
        """Return the address that it asks for, or one that is free. Raises ProviderError if there is none."""
        if instance.ip_address is None:
            return self.free(taken)
        if (wanted := IPv4Address(instance.ip_address)) in taken:
            raise ProviderError(f"IP address {wanted} is already in use in subnet {self.subnet}.")
        return wanted

    def free(self, taken: Collection[IPv4Address]) -> IPv4Address:
        if (address := next((each for each in self.subnet.hosts() if each not in taken), None)) is None:
            raise ProviderError(f"No address is free in {self.subnet}.")
        return address

    def note(self, instance: Instance) -> None:
        instance.network_id, instance.subnet_id = self.network_id, self.subnet_id


def check_place(instance: Instance, others: Iterable[str]) -> None:
    """Raise ProviderError if it cannot be on the only host; `others` are the clusters of the servers there."""
    if instance.availability_zone not in {None, ZONE}:
        raise ProviderError(f"The requested availability zone {instance.availability_zone} is not available.")
    if instance.locality == "anti-affinity" and instance.cluster_id in others:
        raise ProviderError("No valid host was found: anti-affinity keeps it off the only one.")
