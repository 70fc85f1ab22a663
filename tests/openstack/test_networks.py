"""What the tests' cloud must do with networks: who reaches whom is real, and changes at once."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from openstack.exceptions import BadRequestException, ConflictException, PreconditionFailedException

from tests.openstack.scene import Project, Server, answers, until

pytestmark = pytest.mark.openstack
PORT = 7777
ECHO = f"""
import socketserver

class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while text := self.request.recv(9):
            self.request.sendall(text)

socketserver.ThreadingTCPServer(("", {PORT}), Echo).serve_forever()
"""


@pytest.fixture(scope="module")
def neighbour(lasting: Project, group_id: str) -> Iterator[Server]:
    with lasting.for_a_while() as project:
        yield project.server(group_id)


def test_a_port_opens_and_closes_with_its_rule(project: Project, server: Server, group_id: str) -> None:
    assert answers(server.address, 22)
    assert not answers(server.address, PORT)

    rule = project.let_in(group_id, PORT)
    assert answers(server.address, PORT)

    project.connection.network.delete_security_group_rule(rule)
    assert not answers(server.address, PORT)


def test_a_rule_that_goes_cuts_what_it_let_in(project: Project, group_id: str) -> None:
    network, more = project.connection.network, project.group()
    server = project.server(group_id)
    server.run("systemd-run --quiet python3 -c {program}", program=ECHO)
    network.update_port(server.port_id, security_groups=[group_id, more])

    rule = project.let_in(more, PORT)
    with closing(connected(server)) as by_rule:
        assert echoes(by_rule)
        network.delete_security_group_rule(rule)
        assert not echoes(by_rule)

    project.let_in(more, PORT)
    with closing(connected(server)) as by_group:
        assert echoes(by_group)
        network.update_port(server.port_id, security_groups=[group_id])
        assert not echoes(by_group)


def test_the_members_of_a_group_are_let_in_by_it_and_nobody_else(
    project: Project, server: Server, neighbour: Server, group_id: str
) -> None:
    network = project.connection.network
    rule = project.let_in(group_id, PORT, remote_group_id=group_id)
    try:
        knock = (
            f"timeout 1 bash -c 'exec 3<>/dev/tcp/{server.address}/{PORT}' 2>&1 | grep -q refused && echo reached; true"
        )
        assert neighbour.run("sh -c {knock}", knock=knock) == "reached"
        assert not answers(server.address, PORT)
    finally:
        network.delete_security_group_rule(rule)


def test_a_floating_address_moves_between_servers_and_is_held_to_their_rules(
    project: Project, server: Server, neighbour: Server
) -> None:
    network = project.connection.network
    floating = network.create_ip(floating_network_id=network.find_network("public").id, port_id=server.port_id)
    project.made.callback(network.delete_ip, floating)
    address = floating.floating_ip_address

    for holder in (server, neighbour, server):
        network.update_ip(floating, port_id=holder.port_id)
        assert holder.run("cut -c1-8 /etc/machine-id", at=address) == holder.server_id[:8]
        assert not answers(address, PORT)
    network.update_ip(floating, port_id=None)
    assert not answers(address, 22)


def test_an_address_beside_its_own_is_a_servers_only_if_it_is_allowed(
    project: Project, server: Server, neighbour: Server, group_id: str
) -> None:
    network, address = project.connection.network, project.port(group_id).fixed_ips[0]["ip_address"]
    server.run("ip addr add {address}/24 dev eth0", address=address)
    assert not answers(address, 22)

    for each in (server, neighbour):
        network.update_port(each.port_id, allowed_address_pairs=[{"ip_address": address}])
    assert server.run("cut -c1-8 /etc/machine-id", at=address) == server.server_id[:8]

    server.run("ip addr del {address}/24 dev eth0", address=address)
    neighbour.run("ip addr add {address}/24 dev eth0; arping -q -c 1 -U -I eth0 {address}", address=address)
    assert neighbour.run("cut -c1-8 /etc/machine-id", at=address) == neighbour.server_id[:8]
    neighbour.run("ip addr del {address}/24 dev eth0", address=address)
    for each in (server, neighbour):
        network.update_port(each.port_id, allowed_address_pairs=[])


def test_a_port_taken_down_is_cut_until_it_is_up_again_whatever_its_server_does(
    project: Project, neighbour: Server
) -> None:
    network, compute = project.connection.network, project.connection.compute

    network.update_port(neighbour.port_id, admin_state_up=False)
    assert not answers(neighbour.address, 22)
    assert network.get_port(neighbour.port_id).status == "DOWN"
    compute.reboot_server(neighbour.server_id, "HARD")
    project.settle(neighbour)
    assert not answers(neighbour.address, 22)

    network.update_port(neighbour.port_id, admin_state_up=True)
    assert network.get_port(neighbour.port_id).status == "ACTIVE"
    assert neighbour.run("cat /etc/told") == "by user data"


def test_two_projects_do_not_reach_each_other(project: Project, server: Server, other_project: Project) -> None:
    stranger = other_project.server(other_project.group(22))
    assert stranger.run("cat /etc/told") == "by user data"

    knock = f"timeout 1 bash -c 'exec 3<>/dev/tcp/{stranger.address}/22' && echo reached; true"
    assert server.run("sh -c {knock}", knock=knock) == ""


def test_an_address_that_is_taken_or_not_of_the_subnet_is_refused(
    project: Project, server: Server, group_id: str
) -> None:
    with pytest.raises(ConflictException, match="already"):
        project.port(group_id, fixed_ips=[{"ip_address": server.address}])
    with pytest.raises(BadRequestException, match="is not a valid IP for"):
        project.port(group_id, fixed_ips=[{"ip_address": "192.0.2.9"}])


def test_what_we_keep_on_groups_and_ports_is_kept_and_only_the_newest_may_change_it(
    project: Project, group_id: str
) -> None:
    network = project.connection.network
    aliases = {each.alias for each in network.extensions()}
    assert {"revision-if-match", "standard-attr-tag", "standard-attr-description", "allowed-address-pairs"} <= aliases

    group_id = project.group()
    revision = network.get_security_group(group_id).revision_number
    network.update_security_group(group_id, if_revision=revision, description="first")
    with pytest.raises(PreconditionFailedException):
        network.update_security_group(group_id, if_revision=revision, description="late")
    assert network.get_security_group(group_id).description == "first"

    port = project.port(group_id)
    network.set_tags(port, ["dtrove-cluster-c1"])
    assert [each.id for each in network.ports(tags="dtrove-cluster-c1")] == [port.id]


def connected(server: Server) -> socket.socket:
    """Return a connection to what echoes there, once that listens."""
    connection: socket.socket = until(lambda: attempted(server.address), "it listens")
    connection.settimeout(1.5)
    return connection


def attempted(address: str) -> socket.socket | None:
    try:
        return socket.create_connection((address, PORT), 5)
    except ConnectionRefusedError:
        return None


def echoes(connection: socket.socket) -> bool:
    connection.sendall(b"?")
    try:
        return connection.recv(1) == b"?"
    except TimeoutError:
        return False
