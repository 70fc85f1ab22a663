"""What every cloud must do for us, whatever it is made of."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import pytest

from chalicelib.errors import ProviderError
from chalicelib.providers.base import ServerStatus
from tests.providers.rig import Rig


def test_created_twice_is_one_server(rig: Rig) -> None:
    newborn = rig.order()

    rig.make(newborn.instance, newborn.birth)
    rig.provider().create(newborn.instance, rig.birth())

    rig.settle(newborn.instance, ServerStatus.ACTIVE)
    rig.await_host_key(newborn.instance)
    assert newborn.instance.host_key == newborn.birth.host_key_public
    assert rig.owned() == ["server"]


def test_a_server_is_found_by_our_id_and_noted_on_the_instance(rig: Rig) -> None:
    newborn = rig.order()
    assert not rig.provider().has_server(newborn.instance)

    rig.make(newborn.instance, newborn.birth)

    assert rig.provider().has_server(newborn.instance)
    assert newborn.instance.server_id
    assert newborn.instance.local_id
    assert newborn.instance.address
    assert newborn.instance.user == "root"
    assert rig.provider().owned()[0].instance_id == newborn.instance.instance_id
    assert rig.provider().owned()[0].cluster_id == newborn.instance.cluster_id


def test_two_creates_at_once_are_one_server_with_one_host_key(rig: Rig) -> None:
    first, second = rig.order(), rig.order()
    second.instance.instance_id, second.instance.cluster_id = first.instance.instance_id, first.instance.cluster_id

    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda each: rig.make(each.instance, each.birth), (first, second)))

    assert first.instance.address == second.instance.address
    assert first.instance.host_key == second.instance.host_key
    rig.settle(first.instance, ServerStatus.ACTIVE)
    rig.await_host_key(first.instance)
    assert rig.owned() == ["server"]


def test_servers_created_at_once_have_addresses_of_their_own(rig: Rig) -> None:
    newborns = [rig.order() for _ in range(4)]

    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda each: rig.make(each.instance, each.birth), newborns))

    assert len({each.instance.address for each in newborns}) == 4
    for newborn in newborns:
        rig.settle(newborn.instance, ServerStatus.ACTIVE)
        rig.await_host_key(newborn.instance)


def test_a_create_cut_anywhere_and_repeated_is_one_server(rig: Rig) -> None:
    for at in rig.cut_points():
        newborn = rig.order()
        was_cut = rig.cut(partial(rig.provider().create, newborn.instance, newborn.birth), at)
        birth = newborn.birth if rig.provider().has_server(newborn.instance) else rig.birth()

        rig.make(newborn.instance, birth)

        assert newborn.instance.host_key == birth.host_key_public
        rig.settle(newborn.instance, ServerStatus.ACTIVE)
        rig.await_host_key(newborn.instance)
        assert rig.owned() == ["server"]
        rig.destroy(newborn.instance)
        assert rig.owned() == []
        if not was_cut:
            break
    assert at >= 2


def test_a_create_cut_anywhere_can_be_destroyed(rig: Rig) -> None:
    for at in count():
        newborn = rig.order()
        was_cut = rig.cut(partial(rig.provider().create, newborn.instance, newborn.birth), at)

        rig.destroy(newborn.instance)

        assert rig.owned() == []
        assert not rig.provider().has_server(newborn.instance)
        if not was_cut:
            break


def test_a_destroy_cut_anywhere_and_repeated_leaves_nothing(rig: Rig) -> None:
    for at in rig.cut_points():
        newborn = rig.order()
        rig.make(newborn.instance, newborn.birth)
        rig.attach(newborn.instance)

        was_cut = rig.cut(partial(rig.provider().destroy, newborn.instance), at)
        rig.destroy(newborn.instance)

        assert rig.owned() == []
        if not was_cut:
            break


def test_destroyed_twice_is_no_error(rig: Rig) -> None:
    instance = rig.create()

    rig.destroy(instance)
    rig.destroy(instance)

    assert rig.provider().update_status(instance)[0] is ServerStatus.DELETED
    assert not rig.provider().has_server(instance)
    assert rig.owned() == []


def test_what_the_cloud_does_not_have_is_refused_and_nothing_is_made(rig: Rig) -> None:
    no_image, no_flavor = rig.order(image="plan-9"), rig.order()
    no_flavor.instance.flavor_id = "999"

    for newborn in (no_image, no_flavor):
        with pytest.raises(ProviderError, match=r"plan-9|999"):
            rig.make(newborn.instance, newborn.birth)

    assert rig.owned() == []


def test_without_a_server_there_is_nothing_to_do_it_to(rig: Rig) -> None:
    instance = rig.order().instance

    for refused in (
        rig.provider().start,
        rig.provider().stop,
        rig.provider().reboot,
        partial(rig.provider().resize, flavor_id="2"),
        rig.provider().confirm_resize,
        rig.provider().revert_resize,
        rig.provider().attach_volume,
        rig.provider().snapshot,
    ):
        with pytest.raises(ProviderError, match=instance.instance_id):
            refused(instance)
    assert rig.provider().is_cut_off(instance)
    assert rig.provider().console(instance, 9) == ""


def test_the_last_lines_of_a_console_are_told(rig: Rig) -> None:
    instance = rig.create()

    told = ""

    def is_told() -> bool:
        """Say it anew: a server that has just booted goes on talking."""
        nonlocal told
        rig.say(instance, "\n".join(f"line {number} said" for number in range(30)))
        told = rig.provider().console(instance, 9)
        return "line 29 said" in told

    rig.until(is_told, "what was said is on the console")
    assert len(told.splitlines()) <= 9
    assert "line 20 said" not in told
    assert "line 10 said" in rig.provider().console(instance, 500)


def test_a_stopped_server_starts_again_with_its_data(rig: Rig) -> None:
    instance = rig.create()
    rig.attach(instance)
    rig.write(instance, "disk", on_volume=False)
    rig.write(instance, "volume", on_volume=True)

    for hard in (False, True):
        rig.provider().stop(instance, hard=hard)
        rig.settle(instance, ServerStatus.SHUTOFF)
        assert rig.host_key_at(str(instance.address)) is None
        rig.provider().start(instance)
        rig.provider().start(instance)
        rig.settle(instance, ServerStatus.ACTIVE)
        rig.await_host_key(instance)

    assert rig.read(instance, on_volume=False) == "disk"
    assert rig.read(instance, on_volume=True) == "volume"


def test_a_reboot_keeps_the_data(rig: Rig) -> None:
    instance = rig.create()
    rig.attach(instance)
    rig.write(instance, "disk", on_volume=False)
    rig.write(instance, "volume", on_volume=True)

    rig.provider().reboot(instance)
    assert rig.provider().update_status(instance)[0] is ServerStatus.REBOOT
    rig.settle(instance, ServerStatus.ACTIVE)
    rig.await_host_key(instance)

    assert rig.read(instance, on_volume=False) == "disk"
    assert rig.read(instance, on_volume=True) == "volume"


def test_a_stopped_server_can_be_destroyed(rig: Rig) -> None:
    instance = rig.create()
    rig.provider().stop(instance)
    rig.settle(instance, ServerStatus.SHUTOFF)

    rig.destroy(instance)

    assert rig.owned() == []
