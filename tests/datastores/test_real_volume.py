"""A volume on a real guest: formatted once, never if anything else is on it, mounted at each boot."""

import time
from collections.abc import Iterator
from typing import LiteralString

import pytest

from chalicelib.errors import NotReady, Permanent
from chalicelib.providers.nspawn.provider import NspawnProvider
from tests.datastores.real_cluster import RealCluster

pytestmark = pytest.mark.guests


@pytest.fixture
def cluster(provider: NspawnProvider) -> Iterator[RealCluster]:
    """One server with an empty volume."""
    cluster = RealCluster(provider, "redis", "debian-12")
    try:
        cluster.on_each("server", cluster.add_members(1), cluster.create_server)
        yield cluster
    finally:
        cluster.destroy()


def test_an_empty_volume_is_formatted_and_mounted(cluster: RealCluster) -> None:
    mount(cluster)

    assert on_guest(cluster, "findmnt -no SOURCE,FSTYPE,LABEL /var/lib/redis").split() == [
        "/dev/vdb",
        "xfs",
        "dtrove-data",
    ]


def test_a_volume_of_ours_keeps_its_data(cluster: RealCluster) -> None:
    mount(cluster)
    on_guest(cluster, "echo precious > /var/lib/redis/file && umount /var/lib/redis")
    on_guest(cluster, "systemctl stop dtrove-mount-volume")  # as a reboot would, it loses the unit

    mount(cluster)

    assert on_guest(cluster, "cat /var/lib/redis/file") == "precious\n"


def test_a_volume_whose_formatting_was_cut_is_formatted_anew(cluster: RealCluster) -> None:
    on_guest(
        cluster, "mkfs.xfs -q -L dtrove-raw /dev/vdb && dd if=/dev/zero of=/dev/vdb bs=1M seek=256 count=1 status=none"
    )

    mount(cluster)

    assert on_guest(cluster, "findmnt -no LABEL /var/lib/redis") == "dtrove-data\n"


@pytest.mark.parametrize("made", ["mkfs.xfs -q -L customers /dev/vdb", "mkfs.xfs -q /dev/vdb", "mkswap -q /dev/vdb"])
def test_a_volume_that_holds_other_data_is_left_alone(cluster: RealCluster, made: LiteralString) -> None:
    on_guest(cluster, made)
    before = on_guest(cluster, "head --bytes=1M /dev/vdb | sha256sum")

    with pytest.raises(Permanent, match="holds data that is not ours"):
        mount(cluster)

    assert on_guest(cluster, "head --bytes=1M /dev/vdb | sha256sum") == before


def test_a_file_system_grows_with_its_volume_while_it_is_used(cluster: RealCluster) -> None:
    mount(cluster)
    on_guest(cluster, "echo precious > /var/lib/redis/file")
    cluster.primary.volume_gib = 2
    with pytest.raises(NotReady, match="sees 1073741824 bytes"):
        grow(cluster)

    while not cluster.provider.extend_volume(cluster.primary, 2):
        time.sleep(0.1)
    grow(cluster)
    grow(cluster)

    kib = int(on_guest(cluster, "df --output=size /var/lib/redis | tail -1"))
    assert kib > 1.9 * 2**20
    assert on_guest(cluster, "cat /var/lib/redis/file") == "precious\n"


def grow(cluster: RealCluster) -> None:
    with cluster.guest(cluster.primary) as guest:
        cluster.manager.grow_file_system(cluster.primary, guest)


def mount(cluster: RealCluster) -> None:
    cluster.until_done(lambda: cluster.mount_volume(cluster.primary))


def on_guest(cluster: RealCluster, command: LiteralString) -> str:
    return cluster.run(cluster.primary, command)
