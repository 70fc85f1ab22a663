"""Where the service's servers live on this machine: nspawn guests of its own, or a real OpenStack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from chalicelib.config import Config
from chalicelib.providers.nspawn import network
from chalicelib.providers.nspawn.site import Site
from chalicelib.providers.one_host import Network
from local import images, machine


class Ground(Protocol):
    @property
    def image(self) -> str:
        """Return the one of the datastore versions on offer."""

    @property
    def settings(self) -> Mapping[str, str]:
        """Return what the functions need to make servers there."""

    def claim(self, folder: Path, *, is_up: bool) -> None:
        """Note that the service of this folder is the one here. Raises machine.Unfit, having made nothing."""

    def prepare(self, folder: Path) -> None:
        """Have all that servers need."""

    def network(self) -> Network:
        """Return the one that servers are in."""

    def host_address(self) -> str:
        """Return where servers reach this host."""

    def remove(self, folder: Path) -> list[str]:
        """Remove all that the service made there; return what is left nevertheless."""

    def left(self) -> list[str]: ...


@dataclass(frozen=True)
class NspawnGround:
    """Guests on this host; `chosen` are settings that say where else than usual."""

    chosen: Mapping[str, str] = field(default_factory=dict)
    image: str = images.GOLDEN

    @property
    def settings(self) -> Mapping[str, str]:
        return {"DTROVE_PROVIDER": "nspawn"}

    @property
    def _config(self) -> Config:
        return Config.from_environment(dict(self.settings) | dict(self.chosen))

    @property
    def site(self) -> Site:
        return Site.of(self._config)

    def claim(self, folder: Path, *, is_up: bool) -> None:
        machine.check()
        machine.claim(self._config, folder, is_up=is_up)

    def prepare(self, folder: Path) -> None:
        images.build(self.site.images.parent)
        network.ensure(self.site)

    def network(self) -> Network:
        return self.site.only_network

    def host_address(self) -> str:
        return str(self.site.gateway)

    def remove(self, folder: Path) -> list[str]:
        return machine.remove_everything(self._config, folder)

    def left(self) -> list[str]:
        return machine.everything_left(self._config)


def ground_of(provider: str, chosen: Mapping[str, str]) -> Ground:
    """Return where servers of that provider live. Raises machine.Unfit if none of ours is."""
    match provider:
        case "nspawn":
            return NspawnGround(chosen)
        case "openstack":
            from local.openstack.ground import OpenStackGround

            return OpenStackGround()
    raise machine.Unfit(f"There is no {provider} on this machine: PROVIDER is nspawn or openstack.")
