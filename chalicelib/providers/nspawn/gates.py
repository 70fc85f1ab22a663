"""Gates: who reaches which guest, held by the host's kernel on its side of the guest's link.

A guest whose database not everybody may reach has a chain of its own. All are made anew at every change, from the
records of the servers that have an interface: so they go with it, and know new servers of a cluster as those come.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, collapse_addresses

from chalicelib.providers.nspawn import host, network
from chalicelib.providers.nspawn.records import ServerRecord, load_all
from chalicelib.providers.nspawn.site import Site

FIRST_OWN_PORT = 32_768  # from here on are the ports of a guest's own connections to elsewhere
RULES = """
table bridge {table}
delete table bridge {table}
table bridge {table} {{
    chain postrouting {{
        type filter hook postrouting priority filter;
        oifname vmap {{ {jumps} }}
    }}
{chains}}}
"""
# No state is kept: whoever may no longer come is cut off in the middle of what is open.
CHAIN = """\
    chain {veth} {{
        ether type arp accept
        ip saddr {{ {near} }} accept
        {allowed}
        tcp dport < {own} drop
        udp dport < {own} drop
        tcp flags & (syn | ack) == syn drop
        ether type ip6 drop
    }}
"""


def renew(site: Site) -> None:
    """Let the kernel hold what the records say, in one transaction. Under the network's lock."""
    servers = [each for each in load_all(ServerRecord, site.root / "guests") if network.has_interface(each.veth)]
    if text := rules(site, servers):
        host.run("nft", "-f", "-", stdin=text)
    elif (ours := f"bridge {site.table}") in network.tables(site):
        host.run("nft", "delete", "table", *ours.split())


def rules(site: Site, servers: Sequence[ServerRecord]) -> str:
    """Return the whole table; nothing if everybody may reach all of them."""
    guarded = [each for each in servers if each.allowed_cidrs is not None]
    if not guarded:
        return ""
    jumps = ", ".join(f'"{each.veth}" : jump {each.veth}' for each in guarded)
    chains = "".join(_chain(site, each, servers) for each in guarded)
    return RULES.format(table=site.table, jumps=jumps, chains=chains)


def _chain(site: Site, server: ServerRecord, servers: Sequence[ServerRecord]) -> str:
    cluster = [each.address for each in servers if each.cluster_id == server.cluster_id]
    allowed = ", ".join(_merged(server.allowed_cidrs or []))
    return CHAIN.format(
        veth=server.veth,
        near=", ".join([str(site.gateway), *cluster]),
        allowed=f"ip saddr {{ {allowed} }} tcp dport {server.port} accept" if allowed else "",
        own=FIRST_OWN_PORT,
    )


def _merged(cidrs: Sequence[str]) -> Iterator[str]:
    """Yield networks that do not overlap: a set of the kernel's has no others."""
    yield from (str(each) for each in collapse_addresses(IPv4Network(each, strict=False) for each in cidrs))
