"""BaseManager: what a datastore must be able to do. One subclass a datastore, one folder each."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from chalicelib.errors import Permanent
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import Guest


@dataclass(frozen=True)
class Passwords:
    """Drawn once per cluster, stored sealed. Each is 32 characters of A-Z a-z 0-9."""

    root: str  # the customer's own, of `root_name`
    replication: str  # between the cluster's instances

    def __repr__(self) -> str:
        return "Passwords(…)"


class BaseManager(ABC):
    """Manages one datastore version on guests.

    Methods that take a guest may be repeated at any time: "already so" is success. They raise NotReady while work goes on
    in a systemd unit of the guest, Permanent when it failed (with the unit's last lines), and Transient as the guest does.
    """

    service_name: ClassVar[str]  # of systemd, e.g. "mariadb"
    port: ClassVar[int]
    root_name: ClassVar[str]  # the account that `Passwords.root` opens, from anywhere
    data_path: ClassVar[str]  # the folder that the volume is mounted on

    def __init__(self, datastore: Datastore) -> None:
        self.datastore = datastore

    @property
    def name(self) -> str:
        """The class's name in lower case without Manager: MySQLManager is "mysql"."""
        return type(self).__name__.removesuffix("Manager").lower()

    # --- life cycle, in order
    @abstractmethod
    def prepare(self, instance: Instance, guest: Guest, passwords: Passwords) -> None:
        """Install and configure the datastore; it listens on the instance's address, with authentication on."""

    @abstractmethod
    def render_config_file(self, instance: Instance) -> str:
        """Return the configuration, sized from the flavor's memory; templates: `<version>/` first, then the folder itself."""

    @abstractmethod
    def start_primary(self, instance: Instance, guest: Guest, passwords: Passwords) -> None:
        """Open the instance for the customer (`root_name`) and for its replicas."""

    @abstractmethod
    def seed_replica(
        self, instance: Instance, guest: Guest, primary: Instance, primary_guest: Guest, passwords: Passwords
    ) -> None:
        """Fill the instance with a physical copy of the primary and let it follow, read-only."""

    @abstractmethod
    def await_replica(self, instance: Instance, guest: Guest) -> None:
        """Raise NotReady until the instance follows its primary and is read-only."""

    @abstractmethod
    def drop_replica(self, primary_guest: Guest, replica: Instance) -> None:
        """Let the primary forget a replica that is leaving (slots, accounts). The replica itself may be gone."""
