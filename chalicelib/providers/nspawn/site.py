"""Where this service's servers live on the host, and by what names they go there."""

import hashlib
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from chalicelib.config import Config
from chalicelib.errors import ProviderError
from chalicelib.providers.one_host import Network

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Site:
    """Two sites with roots, bridges and networks of their own live on one host without seeing each other."""

    root: Path
    images: Path
    bridge: str
    network: IPv4Network

    @classmethod
    def of(cls, settings: Config) -> "Site":
        root = Path(settings.dtrove_nspawn_root).resolve()
        images = Path(settings.dtrove_nspawn_images).resolve() if settings.dtrove_nspawn_images else root / "images"
        try:
            network = IPv4Network(settings.dtrove_nspawn_network)
        except ValueError as error:
            raise ProviderError(f"DTROVE_NSPAWN_NETWORK: {error}") from error
        return cls(root, images, settings.dtrove_nspawn_bridge, network)

    @property
    def tag(self) -> str:
        """Four letters that all names of this site carry."""
        return short_hash(str(self.root), 4)

    @property
    def prefix(self) -> str:
        """What the names of its machines and network namespaces begin with; its cgroup's name."""
        return f"dtrove-{self.tag}"

    @property
    def veth_prefix(self) -> str:
        return f"dt{self.tag}"

    @property
    def table(self) -> str:
        return f"dtrove_{self.tag}"

    @property
    def gateway(self) -> IPv4Address:
        return next(self.network.hosts())

    @property
    def only_network(self) -> Network:
        """The one that its servers are in. The ids follow from the settings, for whoever orders to know them."""
        return Network(_id_of(self.bridge), _id_of(str(self.network)), self.network)

    def machine_names(self, instance_id: str) -> tuple[str, str]:
        """Return what the machine (a hostname) and its interface on the host (15 letters at most) are called."""
        short = short_hash(instance_id, 9)
        return f"{self.prefix}-{short}", f"{self.veth_prefix}{short}"

    def guest(self, instance_id: str) -> Path:
        return self.root / "guests" / safe(instance_id)

    def volume(self, instance_id: str) -> Path:
        return self.root / "volumes" / safe(instance_id)

    def snapshot(self, snapshot_id: str) -> Path:
        return self.root / "snapshots" / safe(snapshot_id)

    def address(self, cluster_id: str) -> Path:
        return self.root / "addresses" / safe(cluster_id)

    def lock(self, name: str) -> Path:
        return self.root / "locks" / name


def _id_of(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"dtrove-nspawn:{name}"))


def short_hash(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def safe(name: str) -> str:
    """Return the id if it may be the name of a folder. Raises ProviderError."""
    if not SAFE_NAME.fullmatch(name):
        raise ProviderError(f"{name!r} cannot be an id here: at most 64 of A-Z a-z 0-9 _ -.")
    return name
