"""What every cloud must do for us: another flavor for a server, kept or taken back."""

from collections.abc import Callable
from functools import partial

import pytest

from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.base import ServerStatus
from tests.providers.rig import Rig

SMALL_MIB, LARGE_MIB = 512, 1024
LARGE = "2"


def ended(rig: Rig, instance: Instance, move: Callable[[Instance], bool]) -> None:
    rig.until(lambda: move(instance), f"{instance.name} is resized for good, or back")
    rig.settle(instance, ServerStatus.ACTIVE)
    rig.await_host_key(instance)


def resized(rig: Rig, instance: Instance) -> None:
    rig.until(lambda: rig.provider().resize(instance, LARGE), f"{instance.name} has flavor {LARGE}")
    rig.settle(instance, ServerStatus.VERIFY_RESIZE)
    rig.await_host_key(instance)


def test_another_flavor_is_taken_back_and_then_kept_with_address_and_data(rig: Rig) -> None:
    instance = rig.create()
    rig.attach(instance)
    address = instance.address
    rig.write(instance, "disk", on_volume=False)
    rig.write(instance, "volume", on_volume=True)

    with pytest.raises(ProviderError, match="999"):
        rig.provider().resize(instance, "999")
    assert (rig.provider().update_status(instance)[0], rig.memory_mib(instance)) == (ServerStatus.ACTIVE, SMALL_MIB)
    for end, memory_mib in ((rig.provider().revert_resize, SMALL_MIB), (rig.provider().confirm_resize, LARGE_MIB)):
        resized(rig, instance)
        assert rig.memory_mib(instance) == LARGE_MIB
        with pytest.raises(ProviderError, match="waits"):
            rig.provider().resize(instance, "3")

        ended(rig, instance, end)

        assert rig.memory_mib(instance) == memory_mib
        assert (rig.read(instance, on_volume=False), rig.read(instance, on_volume=True)) == ("disk", "volume")
    for again in (partial(rig.provider().resize, flavor_id=LARGE), rig.provider().confirm_resize):
        assert again(instance)
    assert rig.provider().revert_resize(instance)  # nothing waits any more
    assert (rig.memory_mib(instance), instance.address) == (LARGE_MIB, address)
    assert rig.owned() == ["server", "volume"]
