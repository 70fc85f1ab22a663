"""What tests of the cloud share: its callers, servers that can be looked into, and their removal."""

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, LiteralString

import openstack

from chalicelib.config import Config
from chalicelib.errors import Transient
from chalicelib.models.instance import Instance
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.keys import KeyPair, draw_key
from local.openstack import site

PATIENCE_SECONDS = 90
LOOK_AGAIN_SECONDS = 0.2
NEARBY_SECONDS = 1.0
SETTINGS = Config(dtrove_prefix="")
LOGIN = draw_key()
numbers = count(1)


@dataclass
class Server:
    """A server with the host key it was born with, and the port made for it."""

    server_id: str
    port_id: str
    address: str
    host_key: KeyPair

    def run(self, command: LiteralString, at: str = "", **words: str) -> str:
        """Run the command in it as root, over SSH at this address of its; wait until that is possible."""
        instance = Instance(
            instance_id=self.server_id, address=at or self.address, user="root", host_key=self.host_key.public
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                guest = SshGuest.connect(instance, LOGIN.private, settings=SETTINGS)
                break
            except Transient:
                assert time.monotonic() < deadline, f"no SSH to {self.address}"
                time.sleep(LOOK_AGAIN_SECONDS)
        try:
            return guest.run(command, **words).strip()
        finally:
            guest.close()


@dataclass
class Project:
    """A project of the cloud; what was made through it goes when the stack is closed."""

    connection: Any  # openstacksdk's, whose types would have each answer doubted
    made: ExitStack

    @contextmanager
    def for_a_while(self) -> Iterator["Project"]:
        """Remove in the end what is made meanwhile."""
        with ExitStack() as made:
            yield Project(self.connection, made)

    @property
    def network_id(self) -> str:
        found = self.connection.network.find_network("private", project_id=self.connection.current_project_id)
        return str(found.id)

    def group(self, *ports: int) -> str:
        """Make a security group that lets everybody reach these ports."""
        network = self.connection.network
        made = network.create_security_group(name=f"test-{next(numbers)}")
        self.made.callback(network.delete_security_group, made)
        for port in ports:
            self.let_in(made.id, port)
        return str(made.id)

    def let_in(self, group_id: str, port: int, **whom: str) -> Any:
        return self.connection.network.create_security_group_rule(
            security_group_id=group_id,
            direction="ingress",
            protocol="tcp",
            port_range_min=port,
            port_range_max=port,
            **whom,
        )

    def port(self, group_id: str, **more: Any) -> Any:
        network = self.connection.network
        made = network.create_port(network_id=self.network_id, security_group_ids=[group_id], **more)
        self.made.callback(network.delete_port, made)
        return made

    def order(self, group_id: str, *, image: str = "debian-12", flavor_id: str = "1", **more: Any) -> Server:
        """Order a server; return at once."""
        compute, port, key = self.connection.compute, self.port(group_id), draw_key()
        if image:
            more["image_id"] = self.connection.image.find_image(image).id
        made = compute.create_server(
            name=f"test-{next(numbers)}",
            flavor_id=flavor_id,
            networks=[{"port": port.id}],
            user_data=base64.b64encode(user_data(key).encode()).decode(),
            config_drive=True,
            **more,
        )
        self.made.callback(self.delete, made.id)
        return Server(made.id, port.id, port.fixed_ips[0]["ip_address"], key)

    def server(self, group_id: str, **more: Any) -> Server:
        """Return a server that is up."""
        server = self.order(group_id, **more)
        self.settle(server)
        return server

    def settle(self, server: Server, status: str = "ACTIVE") -> Any:
        """Wait until the server is so and nothing is under way with it."""

        def found() -> Any:
            now = self.connection.compute.get_server(server.server_id)
            assert now.status != "ERROR", now.fault
            return now if now.status == status and not now.task_state else None

        return until(found, f"the server is {status}")

    def ended(self, server: Server) -> Any:
        """Wait until the server is up or has failed."""

        def found() -> Any:
            now = self.connection.compute.get_server(server.server_id)
            return now if now.status in {"ACTIVE", "ERROR"} and not now.task_state else None

        return until(found, "the server is up or has failed")

    def delete(self, server_id: str) -> None:
        compute = self.connection.compute
        compute.delete_server(server_id, ignore_missing=True)
        until(lambda: compute.find_server(server_id, ignore_missing=True) is None, "the server is gone")

    def volume(self, gib: int = 1, **more: Any) -> Any:
        storage = self.connection.block_storage
        made = storage.create_volume(size=gib, **more)
        self.made.callback(self.delete_volume, made.id)
        return self.await_volume(made.id, "available")

    def await_volume(self, volume_id: str, status: str) -> Any:
        def found() -> Any:
            now = self.connection.block_storage.get_volume(volume_id)
            assert not now.status.startswith("error"), now.status
            return now if now.status == status else None

        return until(found, f"the volume is {status}")

    def delete_volume(self, volume_id: str) -> None:
        """Delete it, detached if need be."""
        storage = self.connection.block_storage
        if found := storage.find_volume(volume_id, ignore_missing=True):
            for each in found.attachments:
                self.connection.compute.delete_volume_attachment(each["server_id"], volume_id)
            self.await_volume(volume_id, "available")
        storage.delete_volume(volume_id, ignore_missing=True)
        until(lambda: storage.find_volume(volume_id, ignore_missing=True) is None, "the volume is gone")


@contextmanager
def project_of(cloud: str) -> Iterator[Project]:
    """Be the caller whom clouds.yaml knows by this name; remove in the end what was made."""
    known = json.loads(site.CLOUDS.read_text())["clouds"][cloud]
    connection = openstack.connect(load_envvars=False, load_yaml_config=False, **known)
    try:
        with ExitStack() as made:
            yield Project(connection, made)
    finally:
        connection.session.close()


def user_data(host_key: KeyPair) -> str:
    """Return what cloud-init makes of a server: its host key, who may log in, and a mark that it was read."""
    config = {
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": host_key.public},
        "users": ["default", {"name": "root", "ssh_authorized_keys": [LOGIN.public]}],
        "write_files": [{"path": "/etc/told", "content": "by user data"}],
    }
    return "#cloud-config\n" + json.dumps(config)  # is YAML


def until(look: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(LOOK_AGAIN_SECONDS)
    return found


def answers(address: str, port: int) -> bool:
    """Say whether packets pass: that nobody listens is an answer too."""
    try:
        socket.create_connection((address, port), NEARBY_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True
