"""A real OpenStack under test, in a project of its own: real servers, real SSH, calls that are cut between requests."""

import sys
import threading
from collections.abc import Callable
from ipaddress import IPv4Network

from chalicelib.config import Config
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Endpoint
from chalicelib.providers.one_host import Network
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.provider import OpenStackProvider
from chalicelib.ssh.keys import draw_key
from tests.providers.ssh_rig import SshRig

CHANGES = (b"POST ", b"PUT ", b"DELETE ")


class Cut(BaseException):
    """The Lambda ends here."""


class OpenStackRig(SshRig):
    has_public_addresses = True
    hosts = 2
    satellites = frozenset({"port", "group", "key pair"})  # of a server, or of a cluster that has one
    stride = 3  # each takes a boot
    patience_seconds = 120
    look_again_seconds = 0.5

    def __init__(self, settings: Config) -> None:
        self.login = draw_key()
        self.settings = settings
        self._own = threading.local()  # a connection is one thread's, as a Lambda is
        network = next(self.cloud.connection.network.networks(name=settings.dtrove_openstack_network))
        subnet = self.cloud.connection.network.get_subnet(network.subnet_ids[0])
        self.network = Network(network.id, subnet.id, IPv4Network(subnet.cidr))

    @property
    def cloud(self) -> Cloud:
        if not hasattr(self._own, "cloud"):
            self._own.cloud = Cloud(self.settings)
        cloud: Cloud = self._own.cloud
        return cloud

    def provider(self) -> OpenStackProvider:
        return OpenStackProvider(self.cloud)

    def owned(self) -> list[str]:
        """Leave out a server's port and groups; but not what belongs to none, nor a second port."""
        found = list(self.provider().owned())
        clusters = {each.cluster_id for each in found if each.kind == "server"}
        ports = [each.instance_id for each in found if each.kind == "port"]
        belongs = {id(each) for each in found if each.kind in self.satellites and each.cluster_id in clusters}
        twice = ["second port" for each in set(ports) if ports.count(each) > 1]
        return sorted([each.kind for each in found if id(each) not in belongs] + twice)

    def memory_mib(self, instance: Instance) -> int:
        return int(self.cloud.connection.compute.get_server(instance.server_id).flavor.ram)

    def take(self, instance: Instance, endpoint: Endpoint) -> None:
        if endpoint.is_guests_own:
            address = endpoint.address
            self.done(instance, f"ip addr replace {address}/32 dev eth0; arping -q -c 1 -U -I eth0 {address}")

    def cut(self, work: Callable[[], object], at: int) -> bool:
        """Do the work up to the request number `at` of those that change something."""
        CUTTER.left = at
        try:
            work()
        except Cut:
            return True
        finally:
            CUTTER.left = None
        return False


class Cutter:
    """An audit hook, since it can be told of every request that is sent, and never be removed."""

    def __init__(self) -> None:
        self.left: int | None = None
        sys.addaudithook(self.hook)

    def hook(self, event: str, words: tuple[object, ...]) -> None:
        if self.left is None or event != "http.client.send":
            return
        if isinstance(words[1], bytes) and words[1].startswith(CHANGES) and b"/auth/tokens" not in words[1]:
            if self.left == 0:
                raise Cut
            self.left -= 1


CUTTER = Cutter()
