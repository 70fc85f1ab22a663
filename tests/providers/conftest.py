"""Every provider as a rig: the same story is told of each."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from chalicelib.config import Config
from chalicelib.providers.nspawn.removal import everything_left, remove_everything
from chalicelib.providers.nspawn.site import Site
from tests.providers.memory_rig import MemoryRig
from tests.providers.nspawn_rig import NspawnRig
from tests.providers.openstack_rig import OpenStackRig
from tests.providers.rig import Rig


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own beside the one that may be in service here, sharing its images."""
    root = tmp_path_factory.mktemp("nspawn")
    images = Path(Config.dtrove_nspawn_root) / "images"
    site = Site(root, images, bridge="dtrovetest0", network=IPv4Network("10.79.1.0/24"))
    try:
        yield site
    finally:
        remove_everything(site)
    assert everything_left(site) == []


@pytest.fixture(scope="session")
def nspawn_rig(site: Site) -> NspawnRig:
    return NspawnRig(site)


@pytest.fixture(scope="session")
def openstack_rig(cloud: None) -> OpenStackRig:
    from local.openstack.ground import OpenStackGround

    return OpenStackRig(Config.from_environment(dict(OpenStackGround().settings)))


@pytest.fixture(scope="session")
def openstack_ports_rig(openstack_rig: OpenStackRig) -> OpenStackRig:
    """The same cloud, but clusters' addresses are ports of its."""
    return OpenStackRig(replace(openstack_rig.settings, dtrove_openstack_endpoint="port"))


CLOUDS = [
    "memory",
    pytest.param("nspawn", marks=pytest.mark.guests),
    pytest.param("openstack", marks=pytest.mark.openstack),
]


@pytest.fixture(params=CLOUDS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    yield from rig_of(request)


def rig_of(request: pytest.FixtureRequest) -> Iterator[Rig]:
    rig: Rig = MemoryRig() if request.param == "memory" else request.getfixturevalue(f"{request.param}_rig")
    try:
        yield rig
    finally:
        rig.remove_all()
