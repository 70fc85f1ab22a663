"""What only OpenStack has: servers that boot from volumes, several hosts, other ways to name an image."""

from dataclasses import replace

import pytest

from chalicelib.errors import ProviderError
from chalicelib.providers.base import ServerStatus
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.provider import OpenStackProvider
from tests.providers.openstack_rig import OpenStackRig
from tests.providers.rig import Newborn

pytestmark = pytest.mark.openstack


def test_a_server_boots_from_a_volume_that_goes_with_it(openstack_rig: OpenStackRig) -> None:
    rig, newborn = openstack_rig, openstack_rig.order()
    provider = OpenStackProvider(Cloud(replace(rig.settings, dtrove_openstack_boot_volume_gib=3)))
    storage = rig.cloud.connection.block_storage
    before = {each.id for each in storage.volumes()}

    provider.create(newborn.instance, newborn.birth)
    rig.settle(newborn.instance, ServerStatus.ACTIVE)
    rig.await_host_key(newborn.instance)

    (root,) = [each for each in storage.volumes() if each.id not in before]
    assert (root.size, root.is_bootable) == (3, True)
    rig.destroy(newborn.instance)
    rig.until(lambda: {each.id for each in storage.volumes()} == before, "the volume is gone")


def test_two_hosts_keep_two_servers_apart_and_have_none_for_a_third(openstack_rig: OpenStackRig) -> None:
    rig = openstack_rig
    first = rig.order(locality="anti-affinity")
    cluster_id = str(first.instance.cluster_id)
    second, third = (rig.order(locality="anti-affinity", cluster_id=cluster_id) for _ in range(2))
    made: list[Newborn] = []

    for each in (first, second):
        rig.make(each.instance, each.birth)
        rig.settle(each.instance, ServerStatus.ACTIVE)
        made.append(each)
    rig.make(third.instance, third.birth)
    rig.settle(third.instance, ServerStatus.ERROR)

    assert "No valid host was found" in str(third.instance.message)
    for each in (first, second, third):
        rig.destroy(each.instance)
    assert rig.owned() == []
    assert not list(rig.cloud.connection.compute.server_groups())
    assert not list(rig.cloud.connection.compute.keypairs())


def test_an_image_is_named_by_its_id_its_name_or_its_tags(openstack_rig: OpenStackRig) -> None:
    from chalicelib.providers.openstack.lookups import image_id

    rig = openstack_rig
    named = image_id(rig.cloud, "debian-12")

    assert image_id(rig.cloud, named) == named
    for missing in ("00000000-0000-4000-8000-000000000000", "plan-9", "tags:plan-9,bell"):
        with pytest.raises(ProviderError, match="There is no image"):
            image_id(rig.cloud, missing)
