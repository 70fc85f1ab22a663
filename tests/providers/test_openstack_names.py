"""Names of clusters, in a real Designate whose own MiniDNS answers for its zone."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from chalicelib.errors import ProviderError, Transient
from local.openstack import dns, services
from local.openstack.site import ENVIRONMENT, HOST, PORTS
from tests.providers.openstack_rig import OpenStackRig

pytestmark = pytest.mark.openstack
ASK = """
import sys
from dns import message, query

answer = query.udp(message.make_query(sys.argv[1], "A"), sys.argv[2], 5, int(sys.argv[3]))
print(*(each.address for records in answer.answer for each in records))
"""


@pytest.fixture(scope="module")
def named(openstack_rig: OpenStackRig) -> Iterator[OpenStackRig]:
    """The cloud while it has DNS, and we a zone there."""
    with dns.running():
        yield OpenStackRig(replace(openstack_rig.settings, dtrove_openstack_dns_zone=dns.ZONE))


@pytest.fixture
def rig(named: OpenStackRig) -> Iterator[OpenStackRig]:
    try:
        yield named
    finally:
        named.remove_all()


def recordsets(rig: OpenStackRig) -> list[Any]:
    connection = rig.cloud.connection.dns
    (zone,) = connection.zones(name=dns.ZONE)
    return list(connection.recordsets(zone, type="A"))


def told(name: str | None) -> list[str]:
    """Return what DNS itself says of the name."""
    command = [str(ENVIRONMENT / "bin/python"), "-c", ASK, str(name), HOST, str(PORTS["mdns"])]
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout.split()


def test_a_clusters_name_leads_to_its_address_and_follows_it(rig: OpenStackRig) -> None:
    endpoint = rig.provider().ensure_address("c1")
    assert endpoint.name == f"c1.{dns.ZONE}"
    assert rig.provider().ensure_address("c1") == endpoint
    rig.until(lambda: told(endpoint.name) == [endpoint.address], "DNS tells the address")

    (address,) = rig.cloud.connection.network.ips(floating_ip_address=endpoint.address)
    (other,) = rig.cloud.connection.network.networks(name="public")
    taken = rig.cloud.connection.network.create_ip(floating_network_id=other.id)
    rig.cloud.connection.network.delete_ip(address)  # by an operator
    try:
        moved = rig.provider().ensure_address("c1")
    finally:
        rig.cloud.connection.network.delete_ip(taken)

    assert moved.name == endpoint.name
    assert [(each.name, each.records, each.ttl) for each in recordsets(rig)] == [(moved.name, [moved.address], 60)]
    rig.until(lambda: told(moved.name) == [moved.address], "DNS tells the new address")


def test_two_tries_at_once_make_one_name(rig: OpenStackRig) -> None:
    def ensured(_: int) -> str | None:
        rig.until(lambda: bool(rig.provider().ensure_address("c1")), "there is an address")
        return rig.provider().ensure_address("c1").name

    with ThreadPoolExecutor() as pool:
        assert set(pool.map(ensured, range(3))) == {f"c1.{dns.ZONE}"}

    assert rig.owned() == ["address", "name"]


def test_a_name_whose_making_or_end_is_cut_anywhere_is_one_and_goes(rig: OpenStackRig) -> None:
    for at in count():
        was_cut = rig.cut(lambda: rig.provider().ensure_address("c1"), at)
        rig.until(lambda: bool(rig.provider().ensure_address("c1")), "there is an address")
        assert [each for each in rig.owned() if each != "key pair"] == ["address", "name"]
        assert len(recordsets(rig)) == 1

        rig.cut(lambda: rig.provider().release_address("c1"), at)
        rig.provider().release_address("c1")
        rig.provider().release_address("c1")

        assert rig.owned() == []
        assert recordsets(rig) == []
        if not was_cut:
            break
    assert at > 1


def test_a_name_is_listed_with_our_ids_and_can_be_removed(rig: OpenStackRig) -> None:
    rig.provider().ensure_address("c1")

    (name,) = [each for each in rig.provider().owned() if each.kind == "name"]

    assert (name.cluster_id, name.instance_id, name.is_idle) == ("c1", None, False)
    for _ in range(2):
        rig.provider().remove(name)
    assert rig.owned() == ["address"]


def test_somebody_elses_name_is_neither_taken_nor_removed(rig: OpenStackRig) -> None:
    connection = rig.cloud.connection.dns
    (zone,) = connection.zones(name=dns.ZONE)
    theirs = connection.create_recordset(zone, name=f"c1.{dns.ZONE}", type="A", records=["192.0.2.7"])
    try:
        with pytest.raises(ProviderError, match="somebody else's"):
            rig.provider().ensure_address("c1")
        rig.provider().release_address("c1")

        assert rig.owned() == []
        assert [each.records for each in recordsets(rig)] == [["192.0.2.7"]]
    finally:
        connection.delete_recordset(theirs.id, zone)


def test_while_dns_does_not_answer_nothing_is_given_up(rig: OpenStackRig) -> None:
    endpoint = rig.provider().ensure_address("c1")

    with services.stopped("designate-api"):
        for ask in (rig.provider().ensure_address, rig.provider().release_address):
            with pytest.raises(Transient):
                ask("c1")

    assert rig.provider().ensure_address("c1") == endpoint
    assert rig.owned() == ["address", "name"]


def test_a_zone_that_is_not_there_is_told(rig: OpenStackRig) -> None:
    lost = OpenStackRig(replace(rig.settings, dtrove_openstack_dns_zone="nowhere.example.org."))

    with pytest.raises(ProviderError, match=r"There is no DNS zone nowhere\.example\.org\."):
        lost.provider().ensure_address("c1")


def test_without_dns_or_a_zone_there_are_no_names(rig: OpenStackRig, openstack_rig: OpenStackRig) -> None:
    assert openstack_rig.provider().ensure_address("c1").name is None
    dns.untell()
    try:
        without = OpenStackRig(rig.settings)
        assert without.provider().ensure_address("c1").name is None
        without.provider().release_address("c1")
        assert without.owned() == []
    finally:
        dns.tell()
