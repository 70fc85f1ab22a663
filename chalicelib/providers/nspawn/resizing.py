"""Another flavor for a server: halted and started anew, as by Nova, since a running guest may not fit into less.

Its record says at each moment how far that is, so whoever asks next, be it only how the server is, goes on with it.
"""

from chalicelib.errors import ProviderError
from chalicelib.providers.base import FlavorOffer
from chalicelib.providers.nspawn import power, runner
from chalicelib.providers.nspawn.records import ServerRecord, save
from chalicelib.providers.nspawn.servers import cgroup_of
from chalicelib.providers.nspawn.site import Site


def resize(site: Site, server: ServerRecord, flavor: FlavorOffer) -> bool:
    if (server.memory_mib, server.vcpus) != (flavor.memory_mib, flavor.vcpus):
        if server.resized_from:
            raise ProviderError(f"{server.machine} waits with {server.memory_mib} MiB to be confirmed or reverted.")
        _begin(site, server, [flavor.memory_mib, flavor.vcpus], before=[server.memory_mib, server.vcpus])
    return has_restarted(site, server)


def confirm(site: Site, server: ServerRecord) -> bool:
    if not has_restarted(site, server):
        return False
    if server.resized_from:
        server.resized_from = None
        save(server, site.guest(server.instance_id))
    return True


def revert(site: Site, server: ServerRecord) -> bool:
    if server.resized_from:
        _begin(site, server, server.resized_from, before=None)
    return has_restarted(site, server)


def _begin(site: Site, server: ServerRecord, limits: list[int], before: list[int] | None) -> None:
    """Note it, all at once. What is off needs no restart: it has the limits when it is started."""
    folder = site.guest(server.instance_id)
    server.resized_from, (server.memory_mib, server.vcpus) = before, limits
    server.is_restarting = server.is_restarting or runner.is_alive(folder)
    save(server, folder)


def has_restarted(site: Site, server: ServerRecord) -> bool:
    """Halt the guest that has the old limits, then start it; True once it runs or needs no restart."""
    is_alive = runner.is_alive(site.guest(server.instance_id))
    if not server.is_restarting:
        return not is_alive or runner.leader(cgroup_of(site, server)) is not None
    if is_alive:
        power.stop(site, server, hard=False)
    else:
        power.start(site, server)
    return False
