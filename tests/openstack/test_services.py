"""One service of the cloud stopped alone, as the provider's tests of faults do it; servers do not notice."""

import pytest
from keystoneauth1.exceptions import ConnectFailure

from local.openstack import services
from tests.openstack.scene import Project, Server, until

pytestmark = pytest.mark.openstack
STARTED_AT = "cut -d ' ' -f 22 /proc/1/stat"


def test_a_stopped_api_refuses_connections_and_serves_again(project: Project, server: Server) -> None:
    compute = project.connection.compute

    with services.stopped("nova-api"):
        with pytest.raises(ConnectFailure):
            compute.get_server(server.server_id)
        assert server.run("cat /etc/told") == "by user data"

    assert compute.get_server(server.server_id).status == "ACTIVE"


def test_what_was_asked_of_a_stopped_compute_is_done_when_it_is_back(project: Project, server: Server) -> None:
    compute = project.connection.compute
    boot = server.run(STARTED_AT)

    with services.stopped("nova-compute1"), services.stopped("nova-compute2"):
        compute.reboot_server(server.server_id, "HARD")
        assert server.run(STARTED_AT) == boot

    project.settle(server)
    until(lambda: server.run(STARTED_AT) != boot, "it has rebooted")


def test_the_cloud_works_again_after_its_messages_were_down(project: Project, group_id: str) -> None:
    with services.stopped("rabbit"):
        pass

    assert project.server(group_id).run("cat /etc/told") == "by user data"
