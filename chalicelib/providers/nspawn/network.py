"""The site's network: a bridge with a way out, and a namespace and a pair of interfaces for each guest."""

import os
import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from chalicelib.providers.nspawn import host
from chalicelib.providers.nspawn.records import ServerRecord
from chalicelib.providers.nspawn.site import Site

INTERFACES = Path("/sys/class/net")
NAMESPACES = Path("/run/netns")
BROADCAST = b"\xff" * 6
IFF_UP = 1
INOTIFY_INSTANCES = 1024  # the default of 128 is used up by 20 guests
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
RULES = """
table ip {table}
flush table ip {table}
table ip {table} {{
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        ip saddr {network} oifname != "{bridge}" masquerade
    }}
    chain forward {{
        type filter hook forward priority mangle;
        iifname "{bridge}" tcp flags syn tcp option maxseg size set rt mtu
        oifname "{bridge}" tcp flags syn tcp option maxseg size set rt mtu
    }}
}}
"""


def ensure(site: Site) -> None:
    """Have the bridge, forwarding, the way out for guests, and room for many of them. Under the network's lock."""
    bridge, gateway = site.bridge, f"{site.gateway}/{site.network.prefixlen}"
    if not (INTERFACES / bridge).exists():
        # Its own address: a bridge takes over its ports' otherwise, and changes it as they come and go.
        host.run("ip", "link", "add", bridge, "address", mac_of(site.gateway).hex(":"), "type", "bridge")
    host.run("ip", "-batch", "-", stdin=f"addr replace {gateway} dev {bridge}\nlink set {bridge} up\n")
    host.run("nft", "-f", "-", stdin=RULES.format(table=site.table, network=site.network, bridge=bridge))
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    if int(INOTIFY_LIMIT.read_text()) < INOTIFY_INSTANCES:
        INOTIFY_LIMIT.write_text(str(INOTIFY_INSTANCES))


def tables(site: Site) -> list[str]:
    """Return the site's tables of rules, each as its family and name."""
    listed = (line.removeprefix("table ") for line in host.run("nft", "list", "tables").splitlines())
    return [each for each in listed if each.split()[-1] == site.table]


def connect(site: Site, server: ServerRecord) -> None:
    """Have the server's namespace and interfaces, its link down if it is cut off. Under the network's lock."""
    namespace, veth, mac = server.machine, server.veth, mac_of(IPv4Address(server.address)).hex(":")
    ensure_namespace(namespace)
    if not has_interface(veth):
        host.run(
            *("ip", "link", "add", veth, "type", "veth"),
            *("peer", "name", "eth0", "address", mac, "netns", namespace),
        )
    state = "down" if server.is_cut_off else "up"
    host.run("ip", "-batch", "-", stdin=f"link set {veth} master {site.bridge}\nlink set {veth} {state}\n")
    inside = (
        "link set lo up\nlink set eth0 up\n"
        f"addr replace {server.address}/{site.network.prefixlen} dev eth0\nroute replace default via {site.gateway}\n"
    )
    host.run("ip", "-n", namespace, "-batch", "-", stdin=inside)


def ensure_namespace(namespace: str) -> None:
    file = NAMESPACES / namespace
    if file.exists() and not is_namespace(file):
        file.unlink()  # `ip netns add` was cut between the file and the mount over it
    if not file.exists():
        host.run("ip", "netns", "add", namespace)


def is_namespace(file: Path) -> bool:
    return os.stat(file).st_dev != os.stat(NAMESPACES).st_dev


def disconnect(machine: str, veth: str) -> None:
    if has_interface(veth):
        host.run("ip", "link", "delete", veth)
    delete_namespace(machine)


def delete_namespace(namespace: str) -> None:
    file = NAMESPACES / namespace
    if file.exists() and is_namespace(file):
        host.run("ip", "netns", "delete", namespace)
    file.unlink(missing_ok=True)


def has_interface(veth: str) -> bool:
    return (INTERFACES / veth).exists()


def set_link(veth: str, *, up: bool) -> None:
    if has_interface(veth):
        host.run("ip", "link", "set", veth, "up" if up else "down")


def is_link_up(veth: str) -> bool:
    """Read from the kernel whether packets pass. An interface that is not there passes none."""
    try:
        return bool(int((INTERFACES / veth / "flags").read_text(), 16) & IFF_UP)
    except FileNotFoundError:
        return False


def add_address(site: Site, server: ServerRecord, address: IPv4Address) -> None:
    """Give the server one more address, and tell all on the bridge where it now is."""
    host.run("ip", "-n", server.machine, "addr", "replace", f"{address}/{site.network.prefixlen}", "dev", "eth0")
    host.run("ip", "neigh", "flush", "to", str(address), "dev", site.bridge)
    _announce(site.bridge, address, mac_of(IPv4Address(server.address)))


def drop_address(machine: str, address: IPv4Address, network: IPv4Network) -> None:
    """Take the address from whoever has it. Not there, nor a namespace, is success."""
    if (NAMESPACES / machine).exists():
        listed = host.run("ip", "-n", machine, "-o", "addr", "show", "dev", "eth0", "to", f"{address}/32")
        if listed.strip():
            host.run("ip", "-n", machine, "addr", "delete", f"{address}/{network.prefixlen}", "dev", "eth0")


def mac_of(address: IPv4Address) -> bytes:
    """Return the hardware address that goes with it: the same again when another server gets the address."""
    return b"\x02\xd7" + address.packed


def _announce(bridge: str, address: IPv4Address, mac: bytes) -> None:
    """Broadcast a gratuitous ARP: "this address is at this hardware address" to everyone's cache."""
    ethernet = BROADCAST + mac + b"\x08\x06"
    arp = b"\x00\x01\x08\x00\x06\x04\x00\x01" + mac + address.packed + b"\x00" * 6 + address.packed
    with suppress(FileNotFoundError), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((bridge, 0))
        wire.send(ethernet + arp)
