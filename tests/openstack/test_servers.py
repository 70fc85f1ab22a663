"""What the tests' cloud must do with servers, beyond what the conformance suite asks of every cloud."""

import pytest
from openstack.exceptions import ForbiddenException

from tests.openstack.scene import Project, Server, project_of

pytestmark = pytest.mark.openstack


def test_a_server_is_born_with_what_it_was_told(project: Project, server: Server) -> None:
    assert server.run("cloud-init status --wait >/dev/null; cat /etc/told") == "by user data"
    assert '"cluster": "c1"' in server.run("cat /var/lib/cloud/seed/config_drive/openstack/latest/meta_data.json")
    assert server.run("cut -c1-8 /etc/machine-id") == server.server_id[:8]
    assert "Reached target" in project.connection.compute.get_server_console_output(server.server_id)["output"]


def test_what_is_on_offer(project: Project) -> None:
    flavors = sorted(
        (each.id, each.name, each.ram, each.vcpus, each.disk) for each in project.connection.compute.flavors()
    )

    assert flavors == [
        ("1", "db.tiny", 512, 1, 10),
        ("2", "db.small", 1024, 1, 10),
        ("3", "db.medium", 2048, 2, 20),
        ("4", "db.large", 4096, 2, 40),
    ]
    assert {each.name for each in project.connection.image.images()} == {"debian-12", "debian-12-golden"}
    assert {each.name for each in project.connection.block_storage.types()} >= {"standard", "fast"}


def test_the_golden_image_has_the_datastores(project: Project, group_id: str) -> None:
    golden = project.server(group_id, image="debian-12-golden")

    assert golden.run("ls -d /usr/sbin/mariadbd /usr/bin/redis-server /usr/lib/postgresql/15").count("/usr/") == 3


def test_servers_that_must_be_apart_are_on_two_computes_and_a_third_has_no_place(
    project: Project, group_id: str
) -> None:
    compute = project.connection.compute
    together = compute.create_server_group(name="apart", policy="anti-affinity")
    project.made.callback(compute.delete_server_group, together)
    hints = {"group": together.id}

    first, second, third = (project.order(group_id, scheduler_hints=hints) for _ in range(3))

    ended = [project.ended(each) for each in (first, second, third)]
    assert sorted(each.status for each in ended) == ["ACTIVE", "ACTIVE", "ERROR"]
    assert [each.fault["message"] for each in ended if each.fault] == [
        "No valid host was found. There are not enough hosts available."
    ]


def test_a_server_is_resized_confirmed_and_reverted_with_its_disk(project: Project, group_id: str) -> None:
    compute, server = project.connection.compute, project.server(group_id)
    server.run("echo kept > /root/kept")

    for flavor_id, decide, memory_mib in (
        ("2", compute.confirm_server_resize, 1024),
        ("3", compute.revert_server_resize, 1024),
    ):
        compute.resize_server(server.server_id, flavor_id)
        project.settle(server, "VERIFY_RESIZE")
        decide(server.server_id)
        assert project.settle(server).flavor.ram == memory_mib
        assert server.run("cat /root/kept") == "kept"


def test_a_server_of_a_volume_keeps_its_disk_when_it_goes(project: Project, group_id: str) -> None:
    image_id = project.connection.image.find_image("debian-12").id
    disk = project.volume(2, image_id=image_id)
    boot = {"boot_index": 0, "uuid": disk.id, "source_type": "volume", "destination_type": "volume"}
    first = project.server(group_id, image="", block_device_mapping=[boot])
    first.run("echo kept > /root/kept; sync")

    project.delete(first.server_id)
    project.await_volume(disk.id, "available")
    second = project.server(group_id, image="", block_device_mapping=[boot])

    assert second.run("cat /root/kept") == "kept"
    project.delete(second.server_id)
    project.await_volume(disk.id, "available")


def test_a_reader_reads_and_an_application_credential_acts_for_its_user(project: Project) -> None:
    with project_of("reader") as reader, project_of("dtrove-appcred") as application:
        assert reader.network_id == application.network_id == project.network_id
        with pytest.raises(ForbiddenException):
            reader.connection.network.create_security_group(name="refused")
        application.group()


def test_what_is_beyond_the_quota_is_refused_and_says_so(project: Project, group_id: str) -> None:
    with project_of("admin") as admin:
        compute, project_id = admin.connection.compute, project.connection.current_project_id
        used = len(list(project.connection.compute.servers()))
        compute.update_quota_set(project_id, instances=used)
        try:
            with pytest.raises(ForbiddenException, match="Quota exceeded for instances"):
                project.order(group_id)
        finally:
            compute.revert_quota_set(project_id)
