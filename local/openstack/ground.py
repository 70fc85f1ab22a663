"""This machine's OpenStack as the ground that the service makes its servers on."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from chalicelib.config import Config
from chalicelib.providers.one_host import Network
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.provider import OpenStackProvider
from local import images, machine
from local.openstack import __main__ as cloud
from local.openstack import down, services, site

STARTED = "openstack-started"  # a file: the cloud was not up before, and goes with the service
PATIENCE_SECONDS = 120
LOOK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class OpenStackGround:
    """The OpenStack of this machine: started if it is not up, and then taken down with the service."""

    image: str = images.GOLDEN

    @property
    def settings(self) -> Mapping[str, str]:
        ours = f"{self.host_address()}/32,{site.PUBLIC_GATEWAY}/32"
        return {
            "DTROVE_PROVIDER": "openstack",
            "OS_AUTH_URL": site.auth_url(),
            "OS_USERNAME": "dtrove",
            "OS_PASSWORD": site.passwords()["dtrove"],
            "OS_PROJECT_NAME": "dtrove",
            "DTROVE_OPENSTACK_NETWORK": "private",
            "DTROVE_OPENSTACK_PUBLIC_NETWORK": "public",
            "DTROVE_OPENSTACK_OUR_NETWORKS": ours,
        }

    def claim(self, folder: Path, *, is_up: bool) -> None:
        machine.check()

    def prepare(self, folder: Path) -> None:
        if not services.all_run():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / STARTED).touch()
        cloud.up()

    def network(self) -> Network:
        connection = self._provider().cloud.connection
        private = next(connection.network.networks(name="private"))
        subnet = connection.network.get_subnet(private.subnet_ids[0])
        return Network(private.id, subnet.id, IPv4Network(subnet.cidr))

    def host_address(self) -> str:
        return str(next(IPv4Network(site.PRIVATE_NETWORKS["dtrove"]).hosts()))

    def remove(self, folder: Path) -> list[str]:
        if services.all_run():
            self._remove_resources()
        left = self.left()
        if (folder / STARTED).exists():
            left = [*left, *down.remove_everything()]
            (folder / STARTED).unlink()
        return left

    def left(self) -> list[str]:
        """Name each server, port, volume, group, key pair and address of the service that the cloud still has."""
        if not services.all_run():
            return []
        return [f"{each.kind} {each.resource_id}" for each in self._provider().owned()]

    def _remove_resources(self) -> None:
        provider, deadline = self._provider(), time.monotonic() + PATIENCE_SECONDS
        while (owned := provider.owned()) and time.monotonic() < deadline:
            for each in owned:
                provider.remove(each)
            time.sleep(LOOK_AGAIN_SECONDS)

    def _provider(self) -> OpenStackProvider:
        return OpenStackProvider(Cloud(Config.from_environment(self.settings)))
