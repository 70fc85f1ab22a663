"""The cloud that lives in a dict: what there is in it, and the hook at every change of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network
from threading import RLock
from uuid import uuid4

from chalicelib import config
from chalicelib.providers.base import Birth, OwnedResource, ProviderError, ServerStatus

NETWORK = IPv4Network("192.0.2.0/24")


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


@dataclass
class Volume:
    owned: OwnedResource
    size_gib: int
    is_attached: bool = False
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class Address:
    owned: OwnedResource
    address: str
    holder_id: str | None = None


@dataclass
class Cloud:
    """What all MemoryProviders of one cloud see. `trip` is called before and after every effect, and may raise."""

    polls: int = 0  # how often `update_status` is asked until a change is through
    trip: Callable[[str], None] = lambda point: None
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

    def free_address(self) -> str:
        taken = {each.address for each in self.servers.values()} | {each.address for each in self.addresses.values()}
        free = (str(each) for each in NETWORK.hosts() if str(each) not in taken)
        if (address := next(free, None)) is None:
            raise ProviderError(f"No address is free in {NETWORK}.")
        return address

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

    def owned(self) -> list[OwnedResource]:
        with self.lock:
            things = (self.servers, self.volumes, self.snapshots, self.addresses)
            return [each.owned for shelf in things for each in shelf.values()]


def owned(kind: str, cluster_id: str, instance_id: str | None) -> OwnedResource:
    deployment = config.current().dtrove_deployment
    return OwnedResource(kind, str(uuid4()), cluster_id, instance_id, datetime.now(UTC), deployment)
