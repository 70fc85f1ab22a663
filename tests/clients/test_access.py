"""`openstack database …` of who may reach an instance and where it is: what the stock client can say, and is shown."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.models.cluster import Cluster
from chalicelib.providers.memory import MemoryProvider
from chalicelib.providers.memory_cloud import NETWORK
from chalicelib.steps.cloud import refresh_volume_types
from tests.clients.stock import Failed, Stock
from tests.simulation.service import Simulation

AwaitActive = Callable[[str, str], Any]
NEW = ("--flavor", "1", "--size", "1", "--datastore", "ledger", "--datastore-version", "1")
NIC = f"net-id={NETWORK.network_id},subnet-id={NETWORK.subnet_id},ip-address=192.0.2.77"
CREATE = ("database", "instance", "create")
ONE = "flavor=1,volume=1"


def test_an_instance_in_its_place(member: Stock, await_active: AwaitActive, simulation: Simulation) -> None:
    refresh_volume_types(MemoryProvider(simulation.cloud))

    member.shown(
        *(*CREATE, "db1", *NEW, "--nic", NIC, "--availability-zone", "nova", "--locality", "anti-affinity"),
        *("--volume-type", "fast", "--region", "RegionOne"),
    )
    shown = await_active("instance", "db1")

    assert (shown["ip"], shown["locality"], shown["region"]) == ("192.0.2.77", "anti-affinity", "RegionOne")
    assert [each.volume_type for each in simulation.cloud.volumes.values()] == ["fast"]


def test_who_may_reach_it_is_said_and_changed_and_shown(member: Stock, await_active: AwaitActive) -> None:
    allowed = ("--allowed-cidr", "10.1.0.0/16", "--allowed-cidr", "203.0.113.7/32")
    member.shown(*CREATE, "db1", *NEW, "--is-public", *allowed)
    shown = await_active("instance", "db1")

    assert (shown["public"], shown["allowed_cidrs"]) == (True, ["10.1.0.0/16", "203.0.113.7/32"])
    assert [each["type"] for each in shown["addresses"]] == ["private", "public"]
    (listed,) = member.shown("database", "instance", "list")
    assert (listed["Public"], len(listed["Addresses"])) == (True, 2)

    member("database", "instance", "update", "db1", "--is-private")
    shown = member.shown("database", "instance", "show", "db1")
    assert (shown["public"], len(shown["addresses"])) == (False, 1)
    assert shown["allowed_cidrs"] == ["10.1.0.0/16", "203.0.113.7/32"]
    member("database", "instance", "update", "db1", "--is-public", "--allowed-cidr", "0.0.0.0/0")
    shown = member.shown("database", "instance", "show", "db1")
    assert (shown["public"], shown["allowed_cidrs"]) == (True, ["0.0.0.0/0"])


def test_a_replica_is_in_its_source_s_network(member: Stock, await_active: AwaitActive) -> None:
    net = f"net-id={NETWORK.network_id}"
    member.shown(*CREATE, "db1", *NEW, "--nic", net, "--allowed-cidr", "10.1.0.0/16")
    await_active("instance", "db1")

    member.shown(*CREATE, "copy", "--replica-of", "db1")
    copy = await_active("instance", "copy")

    assert (copy["allowed_cidrs"], copy["addresses"][0]["network"]) == (["10.1.0.0/16"], NETWORK.network_id)


def test_a_cluster_in_its_place(member: Stock, await_active: AwaitActive) -> None:
    """Of a member's network the client can say its id: it sends no subnet."""
    one = f"{ONE},availability_zone=nova,nic='net-id={NETWORK.network_id}',region=RegionOne"

    member.shown(
        *("database", "cluster", "create", "c1", "ledger", "1", "--locality", "affinity"),
        *("--instance", one, "--instance", ONE),
    )
    shown = await_active("cluster", "c1")
    member("database", "cluster", "grow", "c1", "--instance", one)
    await_active("cluster", "c1")

    assert (shown["locality"], len(shown["ip"].split(", "))) == ("affinity", 2)
    (cluster,) = Cluster.scan()
    assert {each.network_id for each in cluster.instances()} == {NETWORK.network_id}
    assert [each.availability_zone for each in cluster.instances()] == ["nova", None, "nova"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--nic", "subnet-id=x"), r"subnet_id.* is not a UUID.*HTTP 400"),
        (("--nic", f"net-id={NETWORK.network_id},ip-address=192.0.2.9"), r"subnet_id.*required.*HTTP 400"),
        (("--allowed-cidr", "10.1.0.0/33"), r"not an IPv4 network.*HTTP 400"),
        (("--volume-type", "golden"), r"Resource golden cannot be found.*HTTP 400"),
        (("--region", "Elsewhere"), r"must be RegionOne.*HTTP 400"),
    ],
)
def test_what_cannot_be_is_told(member: Stock, options: tuple[str, ...], reason: str) -> None:
    with pytest.raises(Failed, match=reason):
        member.shown(*CREATE, "db1", *NEW, *options)
    assert member.shown("database", "instance", "list") == []


def test_what_the_cloud_refuses_is_told(member: Stock, await_active: AwaitActive, simulation: Simulation) -> None:
    simulation.cloud.has_public_addresses = False
    member.shown(*CREATE, "db1", *NEW, "--nic", NIC)
    await_active("instance", "db1")

    with pytest.raises(Failed, match=r"This cloud has no public addresses.*HTTP 422"):
        member("database", "instance", "update", "db1", "--is-public")
    member.shown(*CREATE, "db2", *NEW, "--nic", NIC)
    until = time.monotonic() + 30
    while (shown := member.shown("database", "instance", "show", "db2"))["status"] == "BUILD":
        assert time.monotonic() < until
        time.sleep(0.2)
    assert (shown["status"], "192.0.2.77 is already in use" in shown["fault"]) == ("ERROR", True)
