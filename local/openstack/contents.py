"""What the cloud offers: flavors, images, networks, volume types."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openstack.exceptions import SDKException

from local.openstack import database, site
from local.openstack.catalog import ADMIN, MEMBERS, connected

FLAVORS = (  # id, name, MiB of memory, virtual processors, GiB of disk
    ("1", "db.tiny", 512, 1, 10),
    ("2", "db.small", 1024, 1, 10),
    ("3", "db.medium", 2048, 2, 20),
    ("4", "db.large", 4096, 2, 40),
)
VOLUME_TYPES = ("standard", "fast")
# As an operator grants them: OpenStack's own are 10 servers, and 10 security groups, of which each instance takes one.
SERVER_QUOTAS = {"instances": 50, "cores": 100, "ram": 102_400}
NETWORK_QUOTAS = {"security_group": 200, "security_group_rule": 2_000, "port": 200, "floatingip": 20}
VOLUME_QUOTAS = {"volumes": 50, "snapshots": 50, "gigabytes": 1_000}
PATIENCE_SECONDS = 120
LOOK_AGAIN_SECONDS = 0.3


def ensure(images: dict[str, Path]) -> None:
    """Have all of it. Present: nothing to do."""
    with connected(ADMIN) as admin:
        _images(admin, images)
        _computes(admin)
        _flavors(admin)
        _volume_types(admin)
        _quotas(admin)
        public = _public_network(admin)
        for user in MEMBERS:
            with connected(user) as member:
                _private_network(member, site.PRIVATE_NETWORKS[user.project], public.id)
        # A change, which has the rules laid down again: after a start of this machine there are none.
        admin.network.update_network(public, description=f"The outside; rules renewed at {time.time():.0f}")


def _images(admin: Any, images: dict[str, Path]) -> None:
    for name, file in images.items():
        if admin.image.find_image(name) is not None:
            continue
        with file.open("rb") as archive:
            admin.image.create_image(
                name,
                data=archive,
                disk_format="raw",
                container_format="bare",
                visibility="public",
                validate_checksum=False,
                wait=True,
                meta={"os_distro": "debian", "os_version": "12"},
            )


def _computes(admin: Any) -> None:
    """Have both computes known to their cell."""

    def up() -> bool:
        computes = [each for each in admin.compute.services(binary="nova-compute") if each.state == "up"]
        return len(computes) == len(site.COMPUTES)

    def known() -> bool:
        return len(list(admin.compute.hypervisors())) == len(site.COMPUTES)

    until(up, "both computes are up")
    if not known():
        database.run("discover-hosts", *database.NOVA, "cell_v2", "discover_hosts")
    until(known, "both computes are known")


def _flavors(admin: Any) -> None:
    present = {each.id for each in admin.compute.flavors()}
    for flavor_id, name, memory_mib, vcpus, disk_gib in FLAVORS:
        if flavor_id not in present:
            admin.compute.create_flavor(id=flavor_id, name=name, ram=memory_mib, vcpus=vcpus, disk=disk_gib)


def _volume_types(admin: Any) -> None:
    volumes = admin.block_storage
    until(lambda: any(each.binary == "cinder-volume" and each.state == "up" for each in volumes.services()), "volumes")
    for name in VOLUME_TYPES:
        if volumes.find_type(name) is None:
            volumes.create_type(name=name, extra_specs={"volume_backend_name": "files"})


def _quotas(admin: Any) -> None:
    for user in MEMBERS:
        admin.set_compute_quotas(user.project, **SERVER_QUOTAS)
        admin.set_network_quotas(user.project, **NETWORK_QUOTAS)
        admin.set_volume_quotas(user.project, **VOLUME_QUOTAS)


def _public_network(admin: Any) -> Any:
    network = admin.network
    public = network.find_network("public") or network.create_network(
        name="public", is_router_external=True, provider_network_type="flat", provider_physical_network="outside"
    )
    _ensure_subnet(admin, public.id, "public", site.PUBLIC_NETWORK, gateway_ip=site.PUBLIC_GATEWAY)
    return public


def _private_network(connection: Any, cidr: str, public_id: str) -> None:
    """Have the project's network, and a router by which its servers reach the outside."""
    network, project_id = connection.network, connection.current_project_id
    private = network.find_network("private", project_id=project_id) or network.create_network(name="private")
    subnet = _ensure_subnet(connection, private.id, "private", cidr)
    router = network.find_router("router", project_id=project_id) or network.create_router(
        name="router", external_gateway_info={"network_id": public_id}
    )
    if next(network.ports(device_id=router.id, device_owner="network:router_interface"), None) is None:
        network.add_interface_to_router(router, subnet=subnet.id)


def _ensure_subnet(connection: Any, network_id: str, name: str, cidr: str, **more: str) -> Any:
    network = connection.network
    return next(network.subnets(network_id=network_id), None) or network.create_subnet(
        network_id=network_id, name=name, ip_version=4, cidr=cidr, is_dhcp_enabled=False, **more
    )


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for it; a service that is just starting may refuse to answer."""
    deadline, reason = time.monotonic() + PATIENCE_SECONDS, ""
    while time.monotonic() < deadline:
        try:
            if is_so():
                return
        except SDKException as error:
            reason = f": {error}"
        time.sleep(LOOK_AGAIN_SECONDS)
    raise SystemExit(f"Not within {PATIENCE_SECONDS} s: {what}{reason}")
