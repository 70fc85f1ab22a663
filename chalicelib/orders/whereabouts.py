"""Whereabouts: in which network and zone an instance shall be, how near the others, and who may reach it."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from chalicelib import config
from chalicelib.errors import BadRequest
from chalicelib.models.instance import Instance
from chalicelib.orders.fields import Fields

LOCALITIES = ("affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity")
MOST_CIDRS = 50
FORM_OF_NETWORK = re.compile(r"[0-9.]+(/[0-9]{1,2})?")  # no other way to write a mask
NIC_KEYS = ("network_id", "net-id", "subnet_id", "subnet-id", "ip_address", "ip-address")


@dataclass(frozen=True)
class Nic:
    """The network that an instance shall be in; what is None is the cloud's to choose."""

    network_id: str | None = None
    subnet_id: str | None = None
    ip_address: str | None = None


@dataclass(frozen=True)
class Access:
    """Who may reach an instance. What is None is not said: then it stays as it is."""

    is_public: bool | None = None
    allowed_cidrs: tuple[str, ...] | None = None  # empty: everybody may

    def over(self, instance: Instance) -> "Access":
        """Return it with what is not said as the instance has it."""
        known = tuple(instance.allowed_cidrs or ())
        return Access(
            is_public=bool(instance.is_public) if self.is_public is None else self.is_public,
            allowed_cidrs=known if self.allowed_cidrs is None else self.allowed_cidrs,
        )


def read_nic(fields: Fields) -> Nic | None:
    """Read the one of `nics`, if there is one. Raises BadRequest."""
    if "nics" not in fields or fields.value("nics") == []:
        return None
    nics = fields.objects("nics")
    if len(nics) > 1:
        raise fields.wrong("nics", "is too long: an instance has one network")
    nic = nics[0]
    nic.only(*NIC_KEYS, why="is not known: a network is given by network_id, subnet_id and ip_address")
    network_id, subnet_id = _uuid(nic, "network_id", "net-id"), _uuid(nic, "subnet_id", "subnet-id")
    ip_address = _ip_address(nic, "ip_address", "ip-address")
    if not network_id and not subnet_id:
        raise nic.wrong("network_id", "is a required property, if subnet_id is not given")
    if ip_address and not subnet_id:
        raise nic.wrong("subnet_id", "is a required property beside ip_address")
    return Nic(network_id, subnet_id, ip_address)


def _uuid(nic: Fields, *keys: str) -> str | None:
    return next((nic.uuid(key) for key in keys if key in nic), None)


def _ip_address(nic: Fields, *keys: str) -> str | None:
    if (key := next((each for each in keys if each in nic), None)) is None:
        return None
    try:
        return str(IPv4Address(nic.text(key)))
    except ValueError as error:
        raise nic.wrong(key, "is not an IPv4 address") from error


def read_access(fields: Fields) -> Access:
    """Read `{"is_public": …, "allowed_cidrs": […]}`, if it is given. Raises BadRequest."""
    if "access" not in fields:
        return Access()
    access = fields.object("access")
    access.only("is_public", "allowed_cidrs", why="is not known: access is is_public and allowed_cidrs")
    return Access(
        is_public=access.is_true("is_public") if "is_public" in access else None,
        allowed_cidrs=_cidrs(access) if "allowed_cidrs" in access else None,
    )


def read_new_access(fields: Fields) -> Access:
    """Read what access shall become. Raises BadRequest if nothing is said of it."""
    if (access := read_access(fields)) == Access():
        raise fields.wrong("access", "must give is_public or allowed_cidrs")
    return access


def _cidrs(access: Fields) -> tuple[str, ...]:
    """Return the networks as they were given: that is how they are shown again."""
    if access.value("allowed_cidrs") == []:
        return ()
    cidrs = access.texts("allowed_cidrs", longest=len("255.255.255.255/32"), most=MOST_CIDRS)
    for cidr in cidrs:
        if not _is_network(cidr):
            raise access.wrong("allowed_cidrs", f"holds {cidr!r}, which is not an IPv4 network such as 10.1.0.0/16")
    if len(set(cidrs)) < len(cidrs):
        raise access.wrong("allowed_cidrs", "has non-unique elements")
    return tuple(cidrs)


def _is_network(cidr: str) -> bool:
    """Say whether it is an address with a length, of a network or of one of its hosts; without one it is that host."""
    if not FORM_OF_NETWORK.fullmatch(cidr):
        return False
    try:
        IPv4Network(cidr, strict=False)
    except ValueError:
        return False
    return True


def read_locality(fields: Fields) -> str | None:
    if "locality" not in fields:
        return None
    if (locality := fields.text("locality")) not in LOCALITIES:
        raise fields.wrong("locality", f"is not one of {', '.join(LOCALITIES)}")
    return locality


def read_zone(fields: Fields) -> str | None:
    return fields.text("availability_zone") if "availability_zone" in fields else None


def check_region(fields: Fields) -> None:
    """Raise BadRequest for another region than this deployment's; Trove's client says `region` of a member."""
    ours = config.current().dtrove_region
    for key in ("region_name", "region"):
        if key in fields and fields.text(key) != ours:
            raise fields.wrong(key, f"must be {ours}: no other region is served here")


def refuse_address_of_replica(fields: Fields, nic: Nic | None) -> None:
    if nic and nic.ip_address:
        raise BadRequest(f"Validation error: {fields.field('nics')}[0]['ip_address'] cannot be given beside replica_of")
