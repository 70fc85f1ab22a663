"""Fences: a server taken off the network from outside, and the proof."""

from chalicelib.providers.nspawn import network, servers
from chalicelib.providers.nspawn.records import ServerRecord, load, save
from chalicelib.providers.nspawn.site import Site


def cut_off(site: Site, instance_id: str) -> None:
    """Take the server's link down. No server, no link: success."""
    with servers.held(site, instance_id) as server:
        if server is not None:
            set_link(site, server, up=False)


def is_cut_off(site: Site, instance_id: str) -> bool:
    """Ask the kernel for the link's state, and the record for what a start would make of it."""
    server = load(ServerRecord, site.guest(instance_id))
    return server is None or (server.is_cut_off and not network.is_link_up(server.veth))


def set_link(site: Site, server: ServerRecord, *, up: bool) -> None:
    """Note it before it is so: a server that starts meanwhile starts with its link so. Under the instance's lock."""
    server.is_cut_off = not up
    save(server, site.guest(server.instance_id))
    network.set_link(server.veth, up=up)
