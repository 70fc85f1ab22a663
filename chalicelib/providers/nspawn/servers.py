"""A server's birth and end, on this host's disks, network and control groups."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Access, Birth, FlavorOffer
from chalicelib.providers.nspawn import addresses, disks, gates, network, runner, volumes
from chalicelib.providers.nspawn.cgroups import Cgroup
from chalicelib.providers.nspawn.locks import locked
from chalicelib.providers.nspawn.records import (
    ServerRecord,
    VolumeRecord,
    discard,
    load,
    load_all,
    save,
)
from chalicelib.providers.nspawn.site import Site, safe
from chalicelib.providers.one_host import check_place

LEFTOVERS = Path("/run/systemd/nspawn")  # where a killed systemd-nspawn leaves folders named after its machine
PATIENCE_SECONDS = 2.0  # for killed processes to be gone
LOOK_AGAIN_SECONDS = 0.005


@contextmanager
def held(site: Site, instance_id: str) -> Iterator[ServerRecord | None]:
    """Hold the instance's lock, which all that changes it does; yield its server's record if there is one."""
    with locked(site.lock(f"server-{safe(instance_id)}")):
        yield load(ServerRecord, site.guest(instance_id))


@contextmanager
def existing(site: Site, instance_id: str) -> Iterator[ServerRecord]:
    """As `held`, for what needs a server. Raises ProviderError if there is none."""
    with held(site, instance_id) as server:
        if server is None or not server.is_born:
            raise ProviderError(f"There is no server of {instance_id}.")
        yield server


def find(site: Site, instance_id: str) -> ServerRecord | None:
    """Return the server's record. A birth that was cut just before its first start is finished here."""
    folder = site.guest(instance_id)
    server = load(ServerRecord, folder)
    if server is None or not server.is_born or runner.has_launched(folder):
        return server
    with held(site, instance_id) as server:
        if server is not None:
            ensure_launched(site, server)
        return server


def reserve(site: Site, instance: Instance, birth: Birth, flavor: FlavorOffer) -> ServerRecord:
    """Return the server's record, written before anything else of it exists: it is also what holds its address."""
    instance_id = instance.instance_id
    with locked(site.lock("allocation")):
        if (known := load(ServerRecord, site.guest(instance_id))) is not None:
            return known
        machine, veth = site.machine_names(instance_id)
        others = list(load_all(ServerRecord, site.root / "guests"))
        if any(each.machine == machine for each in others):
            raise ProviderError(f"Another server is called {machine}: give this instance another id.")
        check_place(instance, [each.cluster_id for each in others])
        server = ServerRecord(
            kind="server",
            resource_id=machine,
            cluster_id=instance.cluster_id,
            instance_id=instance_id,
            machine=machine,
            veth=veth,
            address=str(addresses.address_of(site, instance)),
            image=birth.image,
            memory_mib=flavor.memory_mib,
            vcpus=flavor.vcpus,
            user=birth.user,
            host_key=birth.host_key_public,
        )
        save(server, site.guest(instance_id))
        return server


def bear(site: Site, server: ServerRecord, birth: Birth) -> None:
    """Write the disk of a server that never ran, over whatever an earlier attempt left, and start it."""
    server.image, server.user, server.host_key = birth.image, birth.user, birth.host_key_public
    _let_in(server, birth.access)
    save(server, site.guest(server.instance_id))
    disks.unmount(site.guest(server.instance_id) / "root")  # of another image, perhaps
    disks.write_birth(disks.mount(site, server), server, birth)
    server.is_born = True
    save(server, site.guest(server.instance_id))
    launch(site, server)


def ensure_launched(site: Site, server: ServerRecord) -> None:
    """Start a server that is born and never ran. One that was stopped stays so."""
    if server.is_born and not runner.has_launched(site.guest(server.instance_id)):
        launch(site, server)


def launch(site: Site, server: ServerRecord) -> None:
    """Have the server run: also after the host itself was started anew and only the disks are left."""
    folder, cgroup = site.guest(server.instance_id), cgroup_of(site, server)
    disks.mount(site, server)
    volumes.bind(site, load(VolumeRecord, site.volume(server.instance_id)))
    with locked(site.lock("network")):
        network.ensure(site)
        network.connect(site, server)
        gates.renew(site)
    addresses.restore(site, server)
    cgroup.ensure(server.memory_mib, server.vcpus)
    runner.launch(folder, server.machine, cgroup)


def destroy(site: Site, server: ServerRecord) -> bool:
    """Remove the server, but not its volume. True once nothing is left."""
    folder, cgroup = site.guest(server.instance_id), cgroup_of(site, server)
    (folder / "off").touch()
    if not kill(cgroup, folder):
        return False
    with locked(site.lock("network")):
        network.disconnect(server.machine, server.veth)
        gates.renew(site)
    disks.unmount(folder / "root")
    remove_leftovers(server.machine)
    if not cgroup.remove():
        return False
    discard(folder)
    return True


def set_access(site: Site, server: ServerRecord, access: Access) -> None:
    """Note who may come before it is so: a start meanwhile makes it so too. Under the instance's lock."""
    if access.number < server.access_number:
        return
    _let_in(server, access)
    save(server, site.guest(server.instance_id))
    with locked(site.lock("network")):
        gates.renew(site)


def _let_in(server: ServerRecord, access: Access) -> None:
    server.port, server.access_number = access.port, access.number
    server.allowed_cidrs = None if access.allowed_cidrs is None else list(access.allowed_cidrs)


def cgroup_of(site: Site, server: ServerRecord) -> Cgroup:
    return Cgroup(f"{site.prefix}/{server.machine}")


def kill(cgroup: Cgroup, folder: Path | None = None) -> bool:
    """Kill all in the group. True once they, and the runner of the guest in this folder, are gone.

    A runner that was just started may join its group after the first blow.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while cgroup.processes() or (folder and runner.is_alive(folder)):
        if time.monotonic() > deadline:
            return False
        cgroup.kill()
        time.sleep(LOOK_AGAIN_SECONDS)
    return True


def remove_leftovers(machine: str) -> None:
    for leftover in LEFTOVERS.glob(f"*/{machine}"):
        rmtree(leftover, ignore_errors=True)
