"""A cluster's address as a port: moves that are cut anywhere, or come at once, in any order of their requests."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openstack.exceptions import NotFoundException, PreconditionFailedException

from chalicelib.errors import ProviderError, Transient
from chalicelib.providers.openstack.address_ports import AddressPorts
from chalicelib.providers.openstack.labels import Label, name_of
from tests.providers.turns import Ended, Turns

ADDRESS, SERVERS = "10.0.0.9", ("p1", "p2", "p3")


@dataclass(frozen=True)
class Port:
    id: str
    network_id: str = "n1"
    name: str = ""
    description: str = ""
    security_group_ids: tuple[str, ...] = ("g1",)
    fixed_ips: tuple[dict[str, str], ...] = ()
    allowed_address_pairs: tuple[dict[str, str], ...] = ()
    revision_number: int = 0


@dataclass
class Network:
    """What Neutron does with the ports of one cluster."""

    ask: Callable[[], None] = lambda: None
    known: dict[str, Port] = field(default_factory=dict)
    most_speakers: int = 0

    def speakers(self) -> list[str]:
        return [each.id for each in self.known.values() if {"ip_address": ADDRESS} in each.allowed_address_pairs]

    def security_groups(self, *, name: str) -> list[Any]:
        self.ask()
        return [SimpleNamespace(id="g1", description=Label.of_cluster("c1").chosen().text)]

    def ports(self, *, security_group_ids: list[str] = [], name: str = "") -> list[Port]:  # noqa: B006
        self.ask()
        wanted = set(security_group_ids)
        found = list(self.known.values())
        return [each for each in found if (each.name == name if name else wanted & set(each.security_group_ids))]

    def get_port(self, port_id: str) -> Port:
        self.ask()
        if port_id not in self.known:
            raise NotFoundException
        return self.known[port_id]

    def update_port(self, port: Port, *, if_revision: int, allowed_address_pairs: list[dict[str, str]]) -> None:
        self.ask()
        if self.known[port.id].revision_number != if_revision:
            raise PreconditionFailedException
        pairs = tuple(allowed_address_pairs)
        self.known[port.id] = replace(port, allowed_address_pairs=pairs, revision_number=if_revision + 1)
        self.most_speakers = max(self.most_speakers, len(self.speakers()))

    def delete_port(self, port_id: str) -> None:
        self.ask()
        self.known.pop(port_id, None)


@pytest.fixture
def network() -> Network:
    return a_network()


def a_network() -> Network:
    chosen = Label.of_cluster("c1").chosen().text
    fixed = ({"ip_address": ADDRESS, "subnet_id": "s1"},)
    address = Port("a1", "n1", name_of("c1-address"), chosen, (), fixed)
    return Network(known={address.id: address} | {each: Port(each) for each in SERVERS})


def family(network: Network) -> AddressPorts:
    compute = SimpleNamespace(delete_keypair=lambda name: None)
    cloud: Any = SimpleNamespace(connection=SimpleNamespace(network=network, compute=compute))
    return AddressPorts(cloud, "c1")


def moved(network: Network, port_id: str) -> str:
    try:
        family(network).lead(network.known["a1"], port_id)
    except Transient:
        return ""
    return port_id


class Cutter:
    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self) -> None:
        if self.left == 0:
            raise Ended
        self.left -= 1


@given(st.lists(st.tuples(st.sampled_from(SERVERS), st.integers(0, 8)), max_size=5), st.sampled_from(SERVERS))
def test_moves_one_after_another_each_cut_somewhere_never_have_two_speak(
    cuts: list[tuple[str, int]], last: str
) -> None:
    network = a_network()
    for port_id, at in cuts:
        network.ask = Cutter(at)
        with suppress(Ended):
            moved(network, port_id)
    network.ask = lambda: None

    assert moved(network, last) == last
    assert network.speakers() == [last]
    assert network.most_speakers == 1


@given(st.lists(st.integers(0, 2), max_size=30), st.permutations(SERVERS))
def test_moves_at_once_leave_one_to_speak_or_none_and_then_say_so(order: list[int], targets: list[str]) -> None:
    network, turns = a_network(), Turns(order)
    network.ask = turns.take

    told = turns.play([partial(moved, network, each) for each in targets], [None] * len(targets))

    turns.end()
    assert len(network.speakers()) <= 1
    assert set(network.speakers()) <= set(told)
    assert moved(network, "p2") == "p2"
    assert network.speakers() == ["p2"]


def test_what_else_a_port_may_say_stays(network: Network) -> None:
    others = ({"ip_address": "10.0.0.200"},)
    network.known["p1"] = replace(network.known["p1"], allowed_address_pairs=others)

    moved(network, "p1")
    assert network.known["p1"].allowed_address_pairs == (*others, {"ip_address": ADDRESS})
    moved(network, "p2")
    assert network.known["p1"].allowed_address_pairs == others


def test_a_server_of_another_network_cannot_have_it(network: Network) -> None:
    network.known["p3"] = replace(network.known["p3"], network_id="n2")
    moved(network, "p1")

    with pytest.raises(ProviderError, match=f"{ADDRESS} is of another network"):
        moved(network, "p3")
    assert network.speakers() == ["p1"]


def test_an_address_given_up_is_nobodys(network: Network) -> None:
    moved(network, "p1")

    for _ in range(2):
        family(network).drop_all()

    assert network.speakers() == []
    assert "a1" not in network.known
