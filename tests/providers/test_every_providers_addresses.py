"""What every cloud must do for us with a cluster's own address: a floating IP, a port of its own, or what it has."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from chalicelib.errors import ProviderError
from chalicelib.providers.base import ServerStatus
from tests.providers.conftest import CLOUDS, rig_of
from tests.providers.rig import Rig


@pytest.fixture(params=[*CLOUDS, pytest.param("openstack_ports", marks=pytest.mark.openstack)])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    yield from rig_of(request)


def test_the_clusters_address_moves_from_server_to_server(rig: Rig) -> None:
    first = rig.create()
    second = rig.create(cluster_id=first.cluster_id)
    with pytest.raises(ProviderError, match="has no address"):
        rig.provider().move_address(first.cluster_id, first)
    endpoint = rig.provider().ensure_address(first.cluster_id)
    assert rig.provider().ensure_address(first.cluster_id) == endpoint
    assert rig.host_key_at(endpoint.address) is None

    for holder in (first, second, second, first):
        rig.provider().move_address(first.cluster_id, holder)
        rig.take(holder, endpoint)
        assert rig.host_key_at(endpoint.address) == holder.host_key

    for at in count():
        was_cut = rig.cut(lambda: rig.provider().move_address(first.cluster_id, second), at)
        assert rig.host_key_at(endpoint.address) in {None, first.host_key, second.host_key}
        rig.provider().move_address(first.cluster_id, second)
        rig.take(second, endpoint)
        assert rig.host_key_at(endpoint.address) == second.host_key
        rig.provider().move_address(first.cluster_id, first)
        if not was_cut:
            break

    rig.provider().reboot(first)
    rig.settle(first, ServerStatus.ACTIVE)
    rig.await_host_key(first)
    rig.take(first, endpoint)
    assert rig.host_key_at(endpoint.address) == first.host_key


def test_a_server_that_is_off_loses_the_address_too(rig: Rig) -> None:
    first = rig.create()
    second = rig.create(cluster_id=first.cluster_id)
    endpoint = rig.provider().ensure_address(first.cluster_id)
    rig.provider().move_address(first.cluster_id, first)
    rig.take(first, endpoint)
    rig.provider().stop(first, hard=True)
    rig.settle(first, ServerStatus.SHUTOFF)

    rig.provider().move_address(first.cluster_id, second)
    rig.take(second, endpoint)
    rig.provider().start(first)
    rig.settle(first, ServerStatus.ACTIVE)
    rig.await_host_key(first)

    assert rig.host_key_at(endpoint.address) == second.host_key


def test_two_who_ensure_it_at_once_have_the_same_address(rig: Rig) -> None:
    def ensured(_: int) -> str:
        rig.until(lambda: bool(rig.provider().ensure_address("c1")), "there is an address")
        return rig.provider().ensure_address("c1").address

    with ThreadPoolExecutor() as pool:
        assert len(set(pool.map(ensured, range(3)))) == 1

    assert rig.owned() == ["address"]


def test_an_address_whose_making_is_cut_anywhere_is_one_and_can_be_given_up(rig: Rig) -> None:
    for at in count():
        cluster_id = f"c{at}"
        was_cut = rig.cut(lambda: rig.provider().ensure_address(cluster_id), at)  # noqa: B023
        endpoint = rig.provider().ensure_address(cluster_id)
        assert rig.owned().count("address") == 1

        rig.cut(lambda: rig.provider().release_address(cluster_id), at)  # noqa: B023
        rig.provider().release_address(cluster_id)

        assert rig.owned() == []
        assert rig.host_key_at(endpoint.address) is None
        if not was_cut:
            break
    assert at > 0


def test_a_released_address_answers_no_more(rig: Rig) -> None:
    instance = rig.create()
    endpoint = rig.provider().ensure_address(instance.cluster_id)
    rig.provider().move_address(instance.cluster_id, instance)
    rig.take(instance, endpoint)
    assert rig.owned() == ["address", "server"]

    rig.provider().release_address(instance.cluster_id)
    rig.provider().release_address(instance.cluster_id)

    assert rig.host_key_at(endpoint.address) is None
    assert rig.owned() == ["server"]
