"""What the tests' cloud must do with servers, beyond what the conformance suite asks of every cloud."""

import pytest

from tests.openstack.scene import Project, Server

pytestmark = pytest.mark.openstack


def test_a_server_is_born_with_what_it_was_told(server: Server) -> None:
    assert server.run("cloud-init status --wait >/dev/null; cat /etc/told") == "by user data"
    assert '"cluster": "c1"' in server.run("cat /var/lib/cloud/seed/config_drive/openstack/latest/meta_data.json")
    assert server.run("cut -c1-8 /etc/machine-id") == server.server_id[:8]


def test_the_console_tells_of_the_boot(project: Project, server: Server) -> None:
    assert "Reached target" in project.connection.compute.get_server_console_output(server.server_id)["output"]
