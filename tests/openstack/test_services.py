"""One service of the cloud stopped alone, as the provider's tests of faults do it; servers do not notice."""

import pytest
from keystoneauth1.exceptions import ConnectFailure

from local.openstack import services
from tests.openstack.scene import Project, Server

pytestmark = pytest.mark.openstack
STARTED_AT = "cut -d ' ' -f 22 /proc/1/stat"


def test_a_stopped_api_refuses_connections_and_serves_again(project: Project, server: Server) -> None:
    compute = project.connection.compute

    with services.stopped("nova-api"):
        with pytest.raises(ConnectFailure):
            compute.get_server(server.server_id)
        assert server.run("cat /etc/told") == "by user data"

    assert compute.get_server(server.server_id).status == "ACTIVE"


def test_a_servers_own_compute_may_be_stopped_and_started_under_it(project: Project, server: Server) -> None:
    started_at = server.run(STARTED_AT)

    with services.stopped("nova-compute1"), services.stopped("nova-compute2"):
        assert not services.all_run()
        assert server.run(STARTED_AT) == started_at

    assert services.all_run()
    assert server.run(STARTED_AT) == started_at
