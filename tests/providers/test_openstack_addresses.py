"""A cluster's address as a port of its own, on a real OpenStack: who speaks for it, and whom its rules let come."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Access, Endpoint
from chalicelib.providers.openstack import endpoints, groups, ports
from chalicelib.providers.openstack.refusals import translated
from local.openstack.catalog import ADMIN, connected
from tests.outsiders import outsider
from tests.providers.openstack_rig import OpenStackRig

pytestmark = pytest.mark.openstack
PORT = 7777
ALLOWED, REFUSED = "198.18.5.6", "198.18.6.6"


@pytest.fixture
def rig(openstack_ports_rig: OpenStackRig) -> Iterator[OpenStackRig]:
    try:
        yield openstack_ports_rig
    finally:
        openstack_ports_rig.remove_all()


def speaks(rig: OpenStackRig, instance: Instance, endpoint: Endpoint) -> bool:
    """Say whether the guest, which has the address on its interface, is answered by its router when it speaks from it.

    No other guest would do: each has the address itself, and answers nobody there.
    """
    router = str(next(rig.network.subnet.hosts()))
    with socket.create_server((router, 0)) as listening:
        connect = f"socket.create_connection(('{router}', {listening.getsockname()[1]}), 2, ('{endpoint.address}', 0))"
        return rig.run(instance, f'python3 -c "import socket; {connect}"')[0] == 0


def reaches(source: str, endpoint: Endpoint) -> bool:
    with outsider(source) as somebody:
        return somebody.reaches(endpoint.address, PORT)


def test_only_the_holder_speaks_for_the_address_and_only_who_may_come_is_let_in_there(rig: OpenStackRig) -> None:
    access = Access(PORT, (f"{ALLOWED}/32",))
    first = rig.create(access=access)
    second = rig.create(cluster_id=first.cluster_id, access=access)
    endpoint = rig.provider().ensure_address(first.cluster_id)
    for each in (first, second):
        rig.serve(each, PORT)
        rig.take(each, endpoint)  # both believe that it is theirs
    assert not reaches(ALLOWED, endpoint)

    for holder, other in ((first, second), (second, first)):
        rig.provider().move_address(first.cluster_id, holder)
        rig.take(holder, endpoint)

        assert rig.host_key_at(endpoint.address) == holder.host_key
        assert reaches(ALLOWED, endpoint)
        assert not reaches(REFUSED, endpoint)
        assert speaks(rig, holder, endpoint)
        assert not speaks(rig, other, endpoint)

    rig.set_access(second, Access(PORT, (f"{REFUSED}/32",), number=1))
    assert (reaches(ALLOWED, endpoint), reaches(REFUSED, endpoint)) == (False, True)
    rig.provider().cut_off(second)
    assert rig.host_key_at(endpoint.address) is None


def test_an_address_is_beside_the_clusters_servers_wherever_they_were_ordered(rig: OpenStackRig) -> None:
    network, before = rig.cloud.connection.network, port_ids(rig)
    with another_subnet(rig) as (network_id, subnet_id):
        group_id = groups.cluster_group(rig.cloud.connection, "c1")
        server = Instance(instance_id="i1", cluster_id="c1")
        port = ports.make_port(rig.cloud.connection, server, network_id, subnet_id, [group_id])

        endpoint = rig.provider().ensure_address("c1")

        (address,) = network.ports(network_id=network_id, fixed_ips=f"ip_address={endpoint.address}")
        assert (address.device_id, address.security_group_ids, address.fixed_ips[0]["subnet_id"]) == ("", [], subnet_id)
        assert port_ids(rig) == before | {port.id, address.id}
        rig.provider().release_address("c1")
        assert port_ids(rig) == before | {port.id}
        rig.remove_all()
    assert port_ids(rig) == before


def test_an_address_stays_what_it_is_whatever_the_settings_say_now(
    rig: OpenStackRig, openstack_rig: OpenStackRig
) -> None:
    floating = openstack_rig.provider().ensure_address("c1")
    port = rig.provider().ensure_address("c2")
    assert (floating.is_guests_own, port.is_guests_own) == (False, True)

    assert rig.provider().ensure_address("c1") == floating
    assert openstack_rig.provider().ensure_address("c2") == port
    rig.provider().release_address("c1")
    openstack_rig.provider().release_address("c2")
    assert rig.owned() == []


def test_in_a_network_of_another_project_neutron_keeps_the_address_from_our_servers(rig: OpenStackRig) -> None:
    with connected(ADMIN) as admin:
        theirs = admin.network.create_network(name="theirs", is_shared=True)
        try:
            subnet = admin.network.create_subnet(network_id=theirs.id, ip_version=4, cidr="10.94.0.0/24")
            group_id = groups.cluster_group(rig.cloud.connection, "c1")
            server = Instance(instance_id="i1", cluster_id="c1")
            port = ports.make_port(rig.cloud.connection, server, theirs.id, subnet.id, [group_id])
            rig.provider().ensure_address("c1")

            with pytest.raises(ProviderError, match="disallowed by policy"), translated():
                endpoints.move(rig.cloud, "c1", port.id)
            rig.remove_all()
        finally:
            admin.network.delete_network(theirs)


def port_ids(rig: OpenStackRig) -> set[str]:
    return {str(each.id) for each in rig.cloud.connection.network.ports()}


@contextmanager
def another_subnet(rig: OpenStackRig) -> Iterator[tuple[str, str]]:
    """A network of two subnets; servers are in the second."""
    network = rig.cloud.connection.network
    made = network.create_network(name="other")
    try:
        for cidr in ("10.92.0.0/24", "10.93.0.0/24"):
            subnet = network.create_subnet(network_id=made.id, ip_version=4, cidr=cidr, is_dhcp_enabled=False)
        yield str(made.id), str(subnet.id)
    finally:
        network.delete_network(made)
