"""The cloud's networks as nft rules: all of them, laid down at once in place of the last ones.

Interfaces: dob… is a network's bridge, whose router is the host; dop… the host's end of a port; doext the outside.

A connection's packets are held against the rules in force one by one in the direction in which it was opened, and its
answers pass: so a rule that is taken away cuts what it had let in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from . import host

TABLES = (
    "table ip dtrove_cloud\ndelete table ip dtrove_cloud\ntable bridge dtrove_cloud\ndelete table bridge dtrove_cloud\n"
)
IP = """
table ip dtrove_cloud {{
{chains}
    map in {{ type ipv4_addr : verdict; {into} }}
    map out {{ type ipv4_addr : verdict; {out_of} }}
    map floating {{ type ipv4_addr : ipv4_addr; {floating} }}
    map fixed {{ type ipv4_addr : ipv4_addr; {fixed} }}
    set joined {{ type ifname . ifname; {joined} }}
    set inside {{ type ipv4_addr; flags interval; {inside} }}

    chain forward {{
        type filter hook forward priority filter;
        ct direction reply ct state established accept
        ct state related accept
        iifname "dob*" oifname "dob*" ct status ! dnat iifname . oifname != @joined drop
        iifname "dob*" oifname != "dob*" ip saddr != @inside drop
        iifname "doext" oifname "dob*" ct status ! dnat drop
        iifname "dob*" ip saddr vmap @out
        oifname "dob*" ip daddr vmap @in
    }}
    chain input {{
        type filter hook input priority filter;
        ct direction reply ct state established accept
        ct state related accept
        iifname "dob*" ip saddr vmap @out
    }}
    chain output {{
        type filter hook output priority filter;
        ct direction reply ct state established accept
        ct state related accept
        ip daddr vmap @in
    }}
    chain arriving {{
        type nat hook prerouting priority dstnat;
        dnat to ip daddr map @floating
    }}
    chain from_here {{
        type nat hook output priority -100;
        dnat to ip daddr map @floating
    }}
    chain leaving {{
        type nat hook postrouting priority srcnat;
        iifname "dob*" oifname "dob*" ct status dnat snat to ip saddr map @fixed
        oifname "doext" snat to ip saddr map @fixed
        {outside}
        oifname != {{ "lo", "doext" }} oifname != "dob*" ip saddr @inside masquerade
    }}
}}
"""
# A port sends only from its own addresses and those allowed beside them.
BRIDGE = """
table bridge dtrove_cloud {{
    set own {{ type ifname . ipv4_addr; {own} }}
    set unguarded {{ type ifname; {unguarded} }}
    chain prerouting {{
        type filter hook prerouting priority -300;
        iifname != "dop*" accept
        ether type ip6 drop
        iifname @unguarded accept
        ether type ip iifname . ip saddr != @own drop
        ether type arp arp saddr ip != 0.0.0.0 iifname . arp saddr ip != @own drop
    }}
}}
"""


@dataclass(frozen=True)
class Port:
    port_id: str
    addresses: tuple[str, ...]  # its own, and those allowed beside them
    groups: tuple[str, ...]
    is_guarded: bool = True


@dataclass(frozen=True)
class Rule:
    """One of a security group: whom it lets through. None: any."""

    direction: str  # ingress or egress
    protocol: str | None = None
    first: int | None = None  # port, or type of ICMP
    last: int | None = None
    remote_prefix: str | None = None
    remote_group: str | None = None


@dataclass(frozen=True)
class Desired:
    """What the networks shall be."""

    ports: Sequence[Port] = ()
    rules: dict[str, list[Rule]] = field(default_factory=dict)  # by group
    joined: Iterable[tuple[str, str]] = ()  # bridges between which packets are routed
    routed: Sequence[tuple[str, str]] = ()  # a network, and the address that it has outside
    floating: Sequence[tuple[str, str]] = ()  # the address outside, and the one inside


def render(desired: Desired) -> str:
    guarded = [port for port in desired.ports if port.is_guarded]
    named = [(port, host.link_of(port.port_id)) for port in guarded]
    unguarded = [f'"{host.link_of(port.port_id)}"' for port in desired.ports if not port.is_guarded]
    own = [f'"{link}" . {address}' for port, link in named for address in port.addresses]
    return (
        TABLES
        + IP.format(
            chains="\n".join(_chains(desired, guarded)),
            into=_elements(_verdicts(guarded, "in")),
            out_of=_elements(_verdicts(guarded, "out")),
            floating=_elements(f"{outside} : {inside}" for outside, inside in desired.floating),
            fixed=_elements(f"{inside} : {outside}" for outside, inside in desired.floating),
            joined=_elements(f'"{one}" . "{other}"' for one, other in sorted(desired.joined)),
            inside=_elements(sorted({network for network, _ in desired.routed})),
            outside="\n        ".join(
                f'oifname "doext" ip saddr {each[0]} snat to {each[1]}' for each in desired.routed
            ),
        )
        + BRIDGE.format(own=_elements(own), unguarded=_elements(unguarded))
    )


def _chains(desired: Desired, guarded: Sequence[Port]) -> Iterable[str]:
    """Yield two chains for each port, which return what is let through."""
    members: dict[str, set[str]] = {}
    for port in desired.ports:
        for group in port.groups:
            members.setdefault(group, set()).update(port.addresses)
    for port in guarded:
        rules = [rule for group in port.groups for rule in desired.rules.get(group, ())]
        for direction, prefix in (("ingress", "in"), ("egress", "out")):
            lines = [_line(rule, members) for rule in rules if rule.direction == direction]
            body = "".join(f"        {line}\n" for line in dict.fromkeys(lines) if line)
            yield f"    chain {_chain(prefix, port)} {{\n{body}        drop\n    }}"


def _verdicts(guarded: Sequence[Port], prefix: str) -> Iterable[str]:
    """Yield which chain judges an address. One that may move between ports is judged as the first one's."""
    of_address: dict[str, str] = {}
    for port in guarded:
        for address in port.addresses:
            of_address.setdefault(address, f"{address} : jump {_chain(prefix, port)}")
    return of_address.values()


def _chain(prefix: str, port: Port) -> str:
    return f"{prefix}_{port.port_id.replace('-', '')}"


def _line(rule: Rule, members: dict[str, set[str]]) -> str:
    """Return the rule as nft's; nothing if it can let nobody through."""
    words, side = [], "saddr" if rule.direction == "ingress" else "daddr"
    if rule.remote_group:
        if not (peers := members.get(rule.remote_group)):
            return ""
        words.append(f"ip {side} {{ {', '.join(sorted(peers))} }}")
    elif rule.remote_prefix:
        words.append(f"ip {side} {rule.remote_prefix}")
    if rule.protocol in {"tcp", "udp", "sctp"} and rule.first is not None:
        words.append(f"{rule.protocol} dport {rule.first}-{rule.last}")
    elif rule.protocol == "icmp" and rule.first is not None:
        words.append(f"icmp type {rule.first}")
    elif rule.protocol:
        words.append(f"meta l4proto {rule.protocol}")
    return " ".join([*words, "return"])


def _elements(values: Iterable[str]) -> str:
    text = ", ".join(values)
    return f"elements = {{ {text} }};" if text else ""
