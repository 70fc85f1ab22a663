"""Neutron's driver, which is its own agent: after every change it lays down the host's rules and sets its links.

The change's call returns when the host is as it says.
"""

import json
import threading
from typing import Any

from neutron_lib import constants
from neutron_lib import context as neutron_context
from neutron_lib.api.definitions import portbindings
from neutron_lib.callbacks import events, registry, resources
from neutron_lib.plugins import constants as plugins
from neutron_lib.plugins import directory
from neutron_lib.plugins.ml2 import api
from oslo_log import log

from . import host
from .rules import Desired, Port, Rule, render

LOG = log.getLogger(__name__)
WATCHED = (
    resources.PORT,
    resources.SECURITY_GROUP,
    resources.SECURITY_GROUP_RULE,
    resources.FLOATING_IP,
    resources.ROUTER,
    resources.ROUTER_INTERFACE,
    resources.ROUTER_GATEWAY,
    resources.NETWORK,
)


class NftDriver(api.MechanismDriver):
    def initialize(self) -> None:
        self._lock, self._thread = threading.Lock(), threading.local()
        self._asked = self._done = 0
        for resource in WATCHED:
            for event in (events.AFTER_CREATE, events.AFTER_UPDATE, events.AFTER_DELETE):
                registry.subscribe(self._changed, resource, event)

    @property
    def connectivity(self) -> str:
        return str(portbindings.CONNECTIVITY_L2)

    def bind_port(self, context: Any) -> None:
        for segment in context.segments_to_bind[:1]:
            details = {portbindings.CAP_PORT_FILTER: True}
            active = constants.PORT_STATUS_ACTIVE
            context.set_binding(segment[api.ID], portbindings.VIF_TYPE_TAP, details, status=active)

    def _changed(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        """Have the host reflect this change; those that come at once share one rebuilding."""
        if getattr(self._thread, "is_applying", False):  # it is our own report
            return
        self._asked += 1
        mine = self._asked
        with self._lock:
            if self._done >= mine:
                return
            newest, self._thread.is_applying = self._asked, True
            try:
                _apply()
                self._done = newest
            except Exception:
                LOG.exception("The host's networks are not as they should be")
            finally:
                self._thread.is_applying = False


def _apply() -> None:
    context = neutron_context.get_admin_context()
    core, l3 = directory.get_plugin(), directory.get_plugin(plugins.L3)
    ports = core.get_ports(context)
    servers = [each for each in ports if each["device_owner"].startswith("compute:")]
    floating = l3.get_floatingips(context)
    _set_links(servers)
    joined, routed, gateways = _routes(ports, core.get_subnets(context), l3.get_routers(context))
    _remove_stale(gateways, {host.bridge_of(each["id"]) for each in core.get_networks(context)})
    desired = Desired(
        [_port(each) for each in servers],
        _rules(core.get_security_group_rules(context)),
        joined,
        routed,
        [(each["floating_ip_address"], each["fixed_ip_address"]) for each in floating if each["fixed_ip_address"]],
    )
    host.run("nft", "-f", "-", stdin=render(desired))
    _report(context, core, l3, servers, floating)


def _set_links(servers: list[Any]) -> None:
    new = host.WANTED_LINKS.with_suffix(".new")
    new.write_text(json.dumps({each["id"]: each["admin_state_up"] for each in servers}))
    new.rename(host.WANTED_LINKS)  # before the links: a server that starts meanwhile starts with its link so
    for each in servers:
        host.set_link(each["id"], up=each["admin_state_up"])


def _routes(
    ports: list[Any], subnets: list[Any], routers: list[Any]
) -> tuple[set[tuple[str, str]], list[tuple[str, str]], set[tuple[str, str]]]:
    """Have the routers' interfaces; return which bridges are joined, which networks have a way out, the gateways."""
    cidr_of = {each["id"]: each["cidr"] for each in subnets}
    outside_of = {each["id"]: _outside(each) for each in routers}
    joined = {(host.bridge_of(each["network_id"]),) * 2 for each in ports}
    routed, gateways, bridges_of = [], set(), dict[str, set[str]]()
    for port in [each for each in ports if each["device_owner"] == constants.DEVICE_OWNER_ROUTER_INTF]:
        bridge = host.ensure_bridge(port["network_id"])
        bridges_of.setdefault(port["device_id"], set()).add(bridge)
        for fixed in port["fixed_ips"]:
            cidr = cidr_of[fixed["subnet_id"]]
            address = f"{fixed['ip_address']}/{cidr.partition('/')[2]}"
            host.run("ip", "addr", "replace", address, "dev", bridge)
            gateways.add((bridge, address))
            if outside := outside_of.get(port["device_id"]):
                routed.append((cidr, outside))
    joined |= {(one, other) for bridges in bridges_of.values() for one in bridges for other in bridges}
    return joined, routed, gateways


def _outside(router: Any) -> str | None:
    """Return the address that a router's networks have outside."""
    gateway = router.get("external_gateway_info") or {}
    if not gateway.get("external_fixed_ips") or not gateway.get("enable_snat", True):
        return None
    return str(gateway["external_fixed_ips"][0]["ip_address"])


def _remove_stale(gateways: set[tuple[str, str]], bridges: set[str]) -> None:
    for line in host.run("ip", "-o", "-4", "addr").splitlines():
        _, device, _, address = line.split()[:4]
        if device.startswith("dob") and (device, address) not in gateways:
            host.attempt("ip", "addr", "delete", address, "dev", device)
    for interface in host.INTERFACES.glob("dob*"):
        if interface.name not in bridges and not any((interface / "brif").iterdir()):
            host.attempt("ip", "link", "delete", interface.name)


def _port(port: Any) -> Port:
    pairs = [*port["fixed_ips"], *(port.get("allowed_address_pairs") or [])]
    addresses = sorted({each["ip_address"] for each in pairs if ":" not in each["ip_address"]})
    return Port(port["id"], tuple(addresses), tuple(port["security_groups"]), port.get("port_security_enabled", True))


def _rules(found: list[Any]) -> dict[str, list[Rule]]:
    rules: dict[str, list[Rule]] = {}
    for each in found:
        if each["ethertype"] == constants.IPv4:
            rule = Rule(
                each["direction"],
                each["protocol"],
                each["port_range_min"],
                each["port_range_max"],
                each["remote_ip_prefix"],
                each["remote_group_id"],
            )
            rules.setdefault(each["security_group_id"], []).append(rule)
    return rules


def _report(context: Any, core: Any, l3: Any, servers: list[Any], floating: list[Any]) -> None:
    """Tell Neutron what is true, as an agent would."""
    up, down = constants.PORT_STATUS_ACTIVE, constants.PORT_STATUS_DOWN
    for port in servers:
        wanted = up if port["admin_state_up"] else down
        if port["status"] in {up, down} and port[portbindings.HOST_ID] and port["status"] != wanted:
            core.update_port_status(context, port["id"], wanted)
    for each in floating:
        wanted = constants.FLOATINGIP_STATUS_ACTIVE if each["fixed_ip_address"] else constants.FLOATINGIP_STATUS_DOWN
        if each["status"] != wanted:
            l3.update_floatingip_status(context, each["id"], wanted)
