"""What a cloud must do for us: the seed's provider interface, with volumes, addresses and fences."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance

__all__ = [
    "Access",
    "BaseProvider",
    "Birth",
    "Endpoint",
    "FlavorOffer",
    "OwnedResource",
    "ProviderError",
    "ServerStatus",
    "VolumeTypeOffer",
]


class ServerStatus(StrEnum):
    """Nova's words for a server, as far as we tell them apart."""

    BUILD = "BUILD"
    ACTIVE = "ACTIVE"
    REBOOT = "REBOOT"
    RESIZE = "RESIZE"  # to another flavor, or back
    VERIFY_RESIZE = "VERIFY_RESIZE"  # runs with the other flavor, until that is confirmed or reverted
    SHUTOFF = "SHUTOFF"
    ERROR = "ERROR"
    DELETED = "DELETED"  # there is no such server

    @property
    def is_up(self) -> bool:
        return self in {ServerStatus.ACTIVE, ServerStatus.VERIFY_RESIZE}


@dataclass(frozen=True)
class Access:
    """Who may reach a server's database, beside us and the other servers of its cluster, who reach all of it."""

    port: int | None = None  # where the database listens; None if nobody else shall reach anything
    allowed_cidrs: tuple[str, ...] | None = None  # IPv4 networks; None: everybody
    is_public: bool = False  # at an address of the cloud's public network too
    number: int = 0  # of a server's changes, in the order in which they were asked for


@dataclass(frozen=True)
class Birth:
    """What a server is born with; a provider hands it over as user-data."""

    image: str
    user: str  # config.ssh_user
    authorized_key: str  # OpenSSH public key line
    host_key_public: str  # OpenSSH public key line: also kept in the server's metadata
    host_key_private: str = field(repr=False)  # OpenSSH PEM, ed25519: never stored by us, never logged
    access: Access = Access()


@dataclass(frozen=True)
class FlavorOffer:
    flavor_id: str
    name: str
    memory_mib: int
    vcpus: int
    disk_gib: int


@dataclass(frozen=True)
class VolumeTypeOffer:
    volume_type_id: str
    name: str
    description: str | None = None
    is_public: bool = True  # for everybody to order


@dataclass(frozen=True)
class Endpoint:
    """Where a cluster is reached, whichever of its servers it leads to."""

    address: str
    name: str | None = None  # that DNS has for it
    is_guests_own: bool = False  # the holder's guest must have it on its interface, and announce it there, after a move


@dataclass(frozen=True)
class OwnedResource:
    """Something in the cloud that carries our ids in its metadata."""

    kind: str  # "server", "volume", "snapshot", "address", "name"; what else a provider makes has names of its own
    resource_id: str
    cluster_id: str
    instance_id: str | None
    created_at: datetime
    deployment: str  # config.dtrove_deployment of who made it: others may use the same cloud
    is_idle: bool = False  # no server has what is only of use to one


class BaseProvider(ABC):
    """One cloud. Every method may be repeated: "already there" and "already gone" are success.

    Methods take our Instance and note on it what they learned (`server_id`, `address`, `public_address`, `network_id`,
    `subnet_id`, `user`, `volume_id`, `server_status`, `progress`, `message`); the caller saves it. Resources carry the
    instance's and cluster's ids in their metadata from birth, so a repeated call finds what an earlier one made even if
    the record does not know of it.
    All return at once: what takes longer is polled with `update_status`.

    All raise:
        Transient: the cloud did not answer, or asks to come again.
        ProviderError: the cloud refused, and would again.
    """

    supports_volumes: ClassVar[bool] = True
    supports_snapshots: ClassVar[bool] = True

    # --- servers
    @abstractmethod
    def has_server(self, instance: Instance) -> bool:
        """Say whether a server of this instance exists (in whatever state), found by our id."""

    @abstractmethod
    def create(self, instance: Instance, birth: Birth) -> None:
        """Have a server for the instance, making it if there is none. Sets server_id, address, user.

        Where it shall be says the instance: `network_id`, `subnet_id` and `ip_address` of its port,
        `availability_zone`, and `locality`, which is that of all servers of its `cluster_id`. Who may reach it is
        in the birth, and so from its first moment. What cannot be had is refused before anything is made.

        Also sets host_key to the one in the metadata of the server it made or found: of two tries at once the later one
        finds a server born with the other's key.
        """

    @abstractmethod
    def update_status(self, instance: Instance) -> tuple[ServerStatus, int]:
        """Ask the cloud; set server_status, progress (percent), address and message; return (status, progress)."""

    @abstractmethod
    def start(self, instance: Instance) -> None: ...

    @abstractmethod
    def stop(self, instance: Instance, *, hard: bool = False) -> None:
        """Power the server off; `hard` as by a power cut. Its data stays."""

    @abstractmethod
    def reboot(self, instance: Instance) -> None: ...

    @abstractmethod
    def console(self, instance: Instance, lines: int) -> str:
        """Return the last lines that the server's console shows: "" if the cloud keeps none, or there is no server."""

    @abstractmethod
    def destroy(self, instance: Instance) -> bool:
        """Delete the server and all that was made for it but snapshots. True once nothing is left; else call again.

        Raises NotReady if it is known what that waits for.
        """

    # --- another flavor: its memory and processors; the server starts anew, with its address and all its data
    @abstractmethod
    def resize(self, instance: Instance, flavor_id: str) -> bool:
        """Give the server that flavor. True once it has it: from then on until it is confirmed, it can be reverted.

        What the record says of the flavor is the caller's. Raises ProviderError also if another flavor waits.
        """

    @abstractmethod
    def confirm_resize(self, instance: Instance) -> bool:
        """Keep the flavor it was given, and free what a revert would need. True once nothing waits for that."""

    @abstractmethod
    def revert_resize(self, instance: Instance) -> bool:
        """Give the server the flavor back that it had. True once nothing waits for that any more."""

    # --- volumes
    @abstractmethod
    def attach_volume(self, instance: Instance) -> bool:
        """Have a volume of volume_gib and volume_type attached, making it if need be. True once it is.

        Sets volume_id, volume_device.
        """

    @abstractmethod
    def detach_volume(self, instance: Instance) -> bool:
        """Detach the volume and keep it. True once it is detached."""

    @abstractmethod
    def extend_volume(self, instance: Instance, volume_gib: int) -> bool:
        """Grow the attached volume (the file system is the guest's own matter). True once it has grown."""

    @abstractmethod
    def snapshot(self, instance: Instance) -> str:
        """Copy the volume as it is at this moment; return the snapshot's id. The caller freezes the file system."""

    @abstractmethod
    def delete_snapshot(self, snapshot_id: str) -> None: ...

    # --- who may come
    @abstractmethod
    def set_access(self, instance: Instance, access: Access) -> bool:
        """Let those reach the server and nobody else, from now on and after every start. True once it is so.

        Sets public_address. Whoever may no longer come is cut off, as far as the cloud can. A change whose number is
        lower than the last one's comes late, from a call that was given up: it changes nothing.
        """

    # --- addresses: one more address that can move between the servers of a cluster
    @abstractmethod
    def ensure_address(self, cluster_id: str) -> Endpoint:
        """Return the cluster's own address, reserving one, and a name for it, the first time.

        It may be of the network of the cluster's servers: have one first.
        """

    @abstractmethod
    def move_address(self, cluster_id: str, to: Instance) -> None:
        """Have the address lead to that server, and to no other from before it does: they need not agree.

        If it `is_guests_own`, the guest is let have it, and must take it itself: as an address of its interface, gone
        with each start, which it announces to its neighbours (`arping -U`). A former holder's guest that still has it
        is neither heard nor answered for, but should put it down.
        """

    @abstractmethod
    def release_address(self, cluster_id: str) -> None:
        """Give the address up, and its name before it."""

    # --- fences
    @abstractmethod
    def cut_off(self, instance: Instance) -> None:
        """Take the server off the network from outside, whatever its inside does."""

    @abstractmethod
    def is_cut_off(self, instance: Instance) -> bool:
        """Prove it: read back from the cloud that no packet can leave or reach the server."""

    @abstractmethod
    def reconnect(self, instance: Instance) -> None: ...

    # --- what there is
    @abstractmethod
    def flavors(self, datastore: str | None = None) -> Sequence[FlavorOffer]: ...

    @abstractmethod
    def volume_types(self) -> Sequence[VolumeTypeOffer]:
        """List those to choose from beside the default."""

    @abstractmethod
    def owned(self) -> Sequence[OwnedResource]:
        """List all that carries our metadata: the sweep compares it with the records."""

    @abstractmethod
    def remove(self, resource: OwnedResource) -> None:
        """Delete something `owned` listed. Already gone is success."""
