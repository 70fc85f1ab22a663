"""Where every cloud puts a server, and whom it lets reach it."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from chalicelib.errors import ProviderError
from chalicelib.providers.base import Access, ServerStatus
from tests.providers.rig import Newborn, Rig

PORT, OTHER_PORT = 7777, 7778
ALLOWED, REFUSED = "198.18.5.6", "198.18.6.6"
CIDRS = ("198.18.5.0/24", "198.18.5.6/32", "203.0.113.0/24")  # one within another
NOWHERE = "00000000-0000-4000-8000-000000000000"


def free_address(rig: Rig) -> str:
    return str(rig.network.subnet[-6])


def refused(rig: Rig, newborn: Newborn, reason: str) -> None:
    before = rig.owned()
    for _ in range(2):
        with pytest.raises(ProviderError, match=reason):
            rig.make(newborn.instance, newborn.birth)
    assert rig.owned() == before
    assert not rig.provider().has_server(newborn.instance)
    rig.destroy(newborn.instance)
    assert rig.owned() == before


def test_a_server_has_the_address_that_was_asked_for_in_the_network_that_was(rig: Rig) -> None:
    network, address = rig.network, free_address(rig)

    instance = rig.create(network_id=network.network_id, subnet_id=network.subnet_id, ip_address=address)
    other = rig.order()
    rig.make(other.instance, other.birth)

    assert instance.address == address != other.instance.address
    for each in (instance, other.instance):
        assert (each.network_id, each.subnet_id) == (network.network_id, network.subnet_id)


def test_what_was_asked_of_the_network_and_is_not_there_is_refused_and_nothing_is_made(rig: Rig) -> None:
    subnet = rig.network.subnet
    taken = rig.order()
    rig.make(taken.instance, taken.birth)

    refused(rig, rig.order(network_id=NOWHERE), f"Network {NOWHERE} could not be found")
    refused(rig, rig.order(subnet_id=NOWHERE), f"Subnet {NOWHERE} could not be found")
    refused(rig, rig.order(ip_address="203.0.113.9"), "203.0.113.9 is not a valid IP for")
    refused(rig, rig.order(ip_address=str(subnet.broadcast_address)), "is not a valid IP for")
    refused(rig, rig.order(ip_address=str(taken.instance.address)), "already (in use|allocated)")
    refused(rig, rig.order(availability_zone="mars"), r"availability zone (mars )?is not available")


def test_an_address_is_free_again_when_its_server_is_gone(rig: Rig) -> None:
    first = rig.order(ip_address=free_address(rig))
    rig.make(first.instance, first.birth)
    rig.destroy(first.instance)

    second = rig.order(ip_address=free_address(rig))
    rig.make(second.instance, second.birth)

    assert second.instance.address == free_address(rig)


def test_one_host_keeps_servers_together_and_not_apart(rig: Rig) -> None:
    if rig.hosts > 1:
        pytest.skip("it has several: see test_openstack.py")

    def pair(locality: str) -> tuple[Newborn, Newborn]:
        one = rig.order(locality=locality, availability_zone="nova")
        other = rig.order(locality=locality, cluster_id=str(one.instance.cluster_id))
        rig.make(one.instance, one.birth)
        return one, other

    for locality in ("affinity", "soft-affinity", "soft-anti-affinity"):
        for each in pair(locality):
            rig.make(each.instance, each.birth)
            rig.destroy(each.instance)
    first, second = pair("anti-affinity")
    refused(rig, second, "No valid host was found")
    rig.make(first.instance, first.birth)
    assert rig.owned() == ["server"]


def test_of_two_that_must_be_apart_and_come_at_once_one_is_refused(rig: Rig) -> None:
    if rig.hosts > 1:
        pytest.skip("it has several: see test_openstack.py")

    one = rig.order(locality="anti-affinity")
    other = rig.order(locality="anti-affinity", cluster_id=str(one.instance.cluster_id))

    def outcome(newborn: Newborn) -> str:
        try:
            rig.make(newborn.instance, newborn.birth)
        except ProviderError as error:
            return str(error)
        return "made"

    with ThreadPoolExecutor() as pool:
        outcomes = sorted(pool.map(outcome, (one, other)))

    assert outcomes[1] == "made"
    assert "No valid host" in outcomes[0]
    assert rig.owned() == ["server"]


def test_without_a_rule_everybody_is_let_in(rig: Rig) -> None:
    instance = rig.create(access=Access(PORT))
    rig.serve(instance, PORT)

    assert rig.reaches(ALLOWED, instance, PORT)
    assert rig.reaches(REFUSED, instance, PORT)


def test_only_those_allowed_reach_the_database_and_only_that(rig: Rig) -> None:
    instance = rig.create(access=Access(PORT, CIDRS))
    for port in (PORT, OTHER_PORT):
        rig.serve(instance, port)

    assert rig.reaches(ALLOWED, instance, PORT)
    assert not rig.reaches(REFUSED, instance, PORT)
    for port in (OTHER_PORT, 22):
        assert not rig.reaches(ALLOWED, instance, port)
    rig.await_host_key(instance)


def test_the_servers_of_a_cluster_always_reach_each_other_and_strangers_do_not(rig: Rig) -> None:
    access = Access(PORT, CIDRS)
    instance, stranger = rig.create(access=access), rig.create()
    later = rig.create(access=access, cluster_id=instance.cluster_id)
    for each in (instance, later):
        rig.serve(each, PORT)

    for one, other in ((instance, later), (later, instance)):
        assert rig.neighbour_reaches(one, other, PORT)
        assert rig.neighbour_reaches(one, other, 22)
        assert not rig.neighbour_reaches(stranger, other, PORT)
    rig.destroy(later)
    heir = rig.create(ip_address=later.address)
    assert not rig.neighbour_reaches(heir, instance, PORT)


def test_access_is_changed_live_and_lasts(rig: Rig) -> None:
    instance = rig.create(access=Access(PORT))
    rig.serve(instance, PORT)

    for _ in range(2):
        rig.set_access(instance, Access(PORT, CIDRS))
    assert (rig.reaches(ALLOWED, instance, PORT), rig.reaches(REFUSED, instance, PORT)) == (True, False)
    rig.set_access(instance, Access(PORT, (f"{REFUSED}/32",)))
    assert (rig.reaches(ALLOWED, instance, PORT), rig.reaches(REFUSED, instance, PORT)) == (False, True)

    rig.provider().stop(instance)
    rig.settle(instance, ServerStatus.SHUTOFF)
    rig.provider().start(instance)
    rig.settle(instance, ServerStatus.ACTIVE)
    rig.await_host_key(instance)
    rig.serve(instance, PORT)
    assert (rig.reaches(ALLOWED, instance, PORT), rig.reaches(REFUSED, instance, PORT)) == (False, True)

    rig.set_access(instance, Access(PORT))
    assert (rig.reaches(ALLOWED, instance, PORT), rig.reaches(REFUSED, instance, PORT)) == (True, True)


def test_a_change_of_access_that_comes_late_changes_nothing(rig: Rig) -> None:
    instance = rig.create(access=Access(PORT))
    rig.serve(instance, PORT)

    for number, source in ((1, ALLOWED), (2, REFUSED), (1, ALLOWED), (0, ALLOWED)):
        rig.set_access(instance, Access(PORT, (f"{source}/32",), number=number))

    assert (rig.reaches(ALLOWED, instance, PORT), rig.reaches(REFUSED, instance, PORT)) == (False, True)
    rig.set_access(instance, Access(PORT, CIDRS, number=2))
    assert (rig.reaches(ALLOWED, instance, PORT), rig.reaches(REFUSED, instance, PORT)) == (True, False)


def test_a_change_of_access_cut_anywhere_and_repeated_is_made(rig: Rig) -> None:
    instance = rig.create(access=Access(PORT))
    rig.serve(instance, PORT)
    for at in range(100):
        rig.set_access(instance, Access(PORT))
        was_cut = rig.cut(partial(rig.provider().set_access, instance, Access(PORT, CIDRS)), at)

        rig.set_access(instance, Access(PORT, CIDRS))

        assert (rig.reaches(ALLOWED, instance, PORT), rig.reaches(REFUSED, instance, PORT)) == (True, False)
        if not was_cut:
            break
    assert at >= 2
    assert rig.owned() == ["server"]


def test_a_public_address_comes_and_goes_or_is_plainly_refused(rig: Rig) -> None:
    public = Access(PORT, is_public=True)
    if not rig.has_public_addresses:
        refused(rig, rig.order(access=public), "This cloud has no public addresses")
        instance = rig.create(access=Access(PORT))
        with pytest.raises(ProviderError, match="This cloud has no public addresses"):
            rig.set_access(instance, public)
        return
    born, changed = rig.create(access=public), rig.create(access=Access(PORT))
    assert (bool(born.public_address), changed.public_address) == (True, None)

    for _ in range(2):
        rig.set_access(changed, public)
    assert changed.public_address not in {None, born.public_address}
    rig.set_access(born, Access(PORT))
    assert born.public_address is None


def test_without_a_server_there_is_no_access_to_set(rig: Rig) -> None:
    instance = rig.order().instance

    with pytest.raises(ProviderError, match=str(instance.instance_id)):
        rig.set_access(instance, Access(PORT))


def test_a_volume_is_of_a_type_that_the_cloud_has(rig: Rig) -> None:
    for offer in rig.provider().volume_types():
        rig.attach(rig.create(volume_type=offer.name))
    with pytest.raises(ProviderError, match="no volume type golden"):
        rig.attach(rig.create(volume_type="golden"))
