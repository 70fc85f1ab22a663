"""What the tests' cloud must do with volumes, beyond what the conformance suite asks of every cloud."""

import pytest

from tests.openstack.scene import Project, Server, until

pytestmark = pytest.mark.openstack


def test_volumes_are_devices_in_order_under_stable_names_that_go_when_they_are_detached(
    project: Project, group_id: str
) -> None:
    compute, server = project.connection.compute, project.server(group_id)
    volumes = [project.volume(), project.volume(volume_type="fast")]

    for volume in volumes:
        compute.create_volume_attachment(server.server_id, volume_id=volume.id)
        project.await_volume(volume.id, "in-use")

    assert server.run("ls /dev/vd*").split() == ["/dev/vdb", "/dev/vdc"]
    for volume, device in zip(volumes, ("/dev/vdb", "/dev/vdc"), strict=True):
        assert server.run("readlink -f /dev/disk/by-id/virtio-{id}", id=volume.id[:20]) == device
    compute.delete_volume_attachment(server.server_id, volumes[0].id)
    project.await_volume(volumes[0].id, "available")
    assert server.run("ls /dev/vd*") == "/dev/vdc"
    compute.reboot_server(server.server_id, "SOFT")
    project.settle(server)
    assert server.run("ls /dev/vd*") == "/dev/vdc"


def test_a_volume_grows_under_a_mounted_file_system(project: Project, server: Server) -> None:
    compute, storage, volume = project.connection.compute, project.connection.block_storage, project.volume()
    compute.create_volume_attachment(server.server_id, volume_id=volume.id)
    project.await_volume(volume.id, "in-use")
    server.run("mkfs.xfs -q /dev/vdb && mount /dev/vdb /mnt && echo kept > /mnt/kept")

    storage.post(f"/volumes/{volume.id}/action", json={"os-extend": {"new_size": 2}}, microversion="3.42")
    until(lambda: server.run("blockdev --getsize64 /dev/vdb") == str(2 << 30), "the guest sees the new size")

    server.run("xfs_growfs /mnt >/dev/null")
    assert int(server.run("df --block-size=1M --output=size /mnt | tail -1")) > 1800
    assert server.run("cat /mnt/kept; umount /mnt") == "kept"
    compute.delete_volume_attachment(server.server_id, volume.id)
    project.await_volume(volume.id, "available")
