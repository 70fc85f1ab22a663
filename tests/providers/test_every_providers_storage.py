"""What every cloud must do for us with volumes, snapshots and fences."""

import pytest

from chalicelib.errors import ProviderError
from chalicelib.providers.base import ServerStatus
from tests.providers.rig import Rig


def test_a_volume_attached_twice_is_one_volume(rig: Rig) -> None:
    instance = rig.create()

    rig.attach(instance)
    rig.attach(instance)

    assert str(instance.volume_device).startswith("/dev/")
    assert rig.volume_gib(instance) == 1
    assert rig.owned() == ["server", "volume"]


def test_an_attach_cut_anywhere_and_repeated_is_one_volume(rig: Rig) -> None:
    instance = rig.create()
    for at in rig.cut_points():
        was_cut = rig.cut(lambda: rig.provider().attach_volume(instance), at)

        rig.attach(instance)

        assert rig.volume_gib(instance) == 1
        assert rig.owned() == ["server", "volume"]
        if not was_cut:
            break
        rig.until(lambda: rig.provider().detach_volume(instance), "detached")


def test_a_volume_attached_anew_has_its_data(rig: Rig) -> None:
    instance = rig.create()
    rig.attach(instance)
    rig.write(instance, "kept", on_volume=True)

    rig.release_volume(instance)
    rig.until(lambda: rig.provider().detach_volume(instance), "detached")
    rig.until(lambda: rig.provider().detach_volume(instance), "detached again")
    assert rig.volume_gib(instance) == 0
    rig.attach(instance)

    assert rig.read(instance, on_volume=True) == "kept"


def test_a_volume_attached_while_the_server_is_off_is_there_when_it_starts(rig: Rig) -> None:
    instance = rig.create()
    rig.provider().stop(instance)
    rig.settle(instance, ServerStatus.SHUTOFF)

    rig.attach(instance)
    rig.provider().start(instance)
    rig.settle(instance, ServerStatus.ACTIVE)
    rig.await_host_key(instance)

    assert rig.volume_gib(instance) == 1


def test_a_volume_grows_while_it_is_used_and_never_shrinks(rig: Rig) -> None:
    instance = rig.create()
    rig.attach(instance)
    rig.write(instance, "kept", on_volume=True)

    rig.extend(instance, 3)
    rig.extend(instance, 3)

    assert rig.volume_gib(instance) == 3
    assert rig.read(instance, on_volume=True) == "kept"
    with pytest.raises(ProviderError, match="shrink"):
        rig.provider().extend_volume(instance, 2)


def test_a_snapshot_outlives_its_server_until_it_is_deleted(rig: Rig) -> None:
    instance = rig.create()
    rig.attach(instance)
    rig.write(instance, "kept", on_volume=True)

    snapshot_id = rig.provider().snapshot(instance)
    rig.destroy(instance)

    assert [each.resource_id for each in rig.provider().owned()] == [snapshot_id]
    assert rig.owned() == ["snapshot"]
    rig.provider().delete_snapshot(snapshot_id)
    rig.provider().delete_snapshot(snapshot_id)
    rig.until(lambda: rig.owned() == [], "the snapshot is gone")


def test_a_server_cut_off_stays_so_until_it_is_reconnected(rig: Rig) -> None:
    instance = rig.create()
    assert not rig.provider().is_cut_off(instance)

    rig.provider().cut_off(instance)
    rig.provider().cut_off(instance)

    assert rig.provider().is_cut_off(instance)
    assert rig.host_key_at(str(instance.address)) is None
    rig.provider().reboot(instance)
    rig.settle(instance, ServerStatus.ACTIVE)
    rig.provider().stop(instance, hard=True)
    rig.settle(instance, ServerStatus.SHUTOFF)
    rig.provider().start(instance)
    rig.settle(instance, ServerStatus.ACTIVE)
    assert rig.provider().is_cut_off(instance)
    assert rig.host_key_at(str(instance.address)) is None

    rig.provider().reconnect(instance)

    assert not rig.provider().is_cut_off(instance)
    rig.await_host_key(instance)


def test_all_that_is_ours_is_listed_with_our_ids_and_can_be_removed(rig: Rig) -> None:
    instance = rig.create()
    rig.attach(instance)
    rig.provider().snapshot(instance)
    rig.provider().ensure_address(instance.cluster_id)

    resources = rig.provider().owned()

    kinds = sorted(each.kind for each in resources if each.kind not in rig.satellites)
    assert kinds == ["address", "server", "snapshot", "volume"]
    assert {each.cluster_id for each in resources} == {instance.cluster_id}
    for resource in (*resources, *resources):
        rig.provider().remove(resource)
    rig.remove_all()


def test_flavors_are_told(rig: Rig) -> None:
    assert [(each.flavor_id, each.memory_mib, each.vcpus) for each in rig.provider().flavors("mysql")] == [
        ("1", 512, 1),
        ("2", 1024, 1),
        ("3", 2048, 2),
        ("4", 4096, 2),
    ]
