"""The cloud that lives in a dict: what there is in it, and the hook at every change of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from threading import RLock
from uuid import uuid4

from chalicelib import config
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Access, Birth, OwnedResource, ProviderError, ServerStatus
from chalicelib.providers.one_host import Network, check_place

NETWORK = Network(
    "6b1f3c1e-8f6b-4a56-9d0c-3f4f6f1a0001", "6b1f3c1e-8f6b-4a56-9d0c-3f4f6f1a0002", IPv4Network("192.0.2.0/24")
)
PUBLIC_NETWORK = IPv4Network("198.51.100.0/24")


@dataclass
class Server:
    owned: OwnedResource
    birth: Birth
    address: str
    files: dict[str, str] = field(default_factory=dict)  # its own disk
    status: ServerStatus = ServerStatus.ACTIVE  # what it comes to once `polls_left` is 0
    moving: ServerStatus = ServerStatus.BUILD  # what it is until then
    polls_left: int = 0
    is_cut_off: bool = False
    access: Access = field(default_factory=Access)
    public_address: str | None = None
    shown: list[str] = field(default_factory=list)  # lines on its console
    flavor_id: str = ""
    before: tuple[str, ServerStatus] | None = None  # flavor and rest before a resize that is not confirmed


@dataclass
class Volume:
    owned: OwnedResource
    size_gib: int
    volume_type: str | None = None
    is_attached: bool = False
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class Address:
    owned: OwnedResource
    address: str
    holder_id: str | None = None


@dataclass
class Cloud:
    """What all MemoryProviders of one cloud see. `trip` is called around effects and before consoles; it may raise."""

    polls: int = 0  # how often `update_status` is asked until a change is through
    trip: Callable[[str], None] = lambda point: None
    has_public_addresses: bool = True
    comes_to: ServerStatus = ServerStatus.ACTIVE  # what becomes of a new server
    images: frozenset[str] = frozenset({"debian-12", "debian-12-golden"})
    servers: dict[str, Server] = field(default_factory=dict)  # by instance_id, like the volumes
    volumes: dict[str, Volume] = field(default_factory=dict)
    snapshots: dict[str, Volume] = field(default_factory=dict)
    addresses: dict[str, Address] = field(default_factory=dict)  # by cluster_id
    lock: RLock = field(default_factory=RLock)

    @contextmanager
    def effect(self, what: str) -> Iterator[None]:
        """Surround one change of the cloud. Whoever looks meanwhile waits, as for a database's row."""
        self.trip(f"before {what}")
        with self.lock:
            yield
        self.trip(f"after {what}")

    def taken(self) -> set[IPv4Address]:
        return {IPv4Address(each.address) for shelf in (self.servers, self.addresses) for each in shelf.values()}

    def place(self, instance: Instance) -> str:
        """Return the address that the instance's server shall have. Raises ProviderError if it cannot be here."""
        others = (each.owned for each in self.servers.values())
        check_place(instance, [each.cluster_id for each in others if each.instance_id != instance.instance_id])
        NETWORK.check(instance)
        return str(NETWORK.address_of(instance, self.taken()))

    def open(self, server: Server, access: Access) -> None:
        """Let those reach it, at a public address too if they shall. Raises ProviderError if there is none."""
        if access.is_public and not self.has_public_addresses:
            raise ProviderError("This cloud has no public addresses.")
        taken = {each.public_address for each in self.servers.values()}
        free = next(str(each) for each in PUBLIC_NETWORK.hosts() if str(each) not in taken)
        server.access = access
        server.public_address = (server.public_address or free) if access.is_public else None

    def look(self, instance_id: str) -> tuple[ServerStatus, int]:
        """Return the server's status as one poll sees it, and how far it is (percent)."""
        with self.lock:
            if (server := self.servers.get(instance_id)) is None:
                return ServerStatus.DELETED, 100
            if not server.polls_left:
                return server.status, 100
            server.polls_left -= 1
            return server.moving, 100 - 100 * (server.polls_left + 1) // (self.polls + 1)

    def turn(self, server: Server, status: ServerStatus, moving: ServerStatus) -> None:
        server.status, server.moving, server.polls_left = status, moving, self.polls
        server.shown.append(f"{moving}, then {status}")

    def owned(self) -> list[OwnedResource]:
        with self.lock:
            things = (self.servers, self.volumes, self.snapshots, self.addresses)
            return [each.owned for shelf in things for each in shelf.values()]


def owned(kind: str, cluster_id: str, instance_id: str | None) -> OwnedResource:
    deployment = config.current().dtrove_deployment
    return OwnedResource(kind, str(uuid4()), cluster_id, instance_id, datetime.now(UTC), deployment)
