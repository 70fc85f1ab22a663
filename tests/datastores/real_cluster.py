"""A cluster of real guests, walked through a manager's methods as the workflows do it, and timed."""

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import LiteralString

from chalicelib.config import Config
from chalicelib.datastores import manager_of
from chalicelib.datastores.base import Passwords
from chalicelib.errors import NotReady, Transient
from chalicelib.models.instance import Instance
from chalicelib.models.status import Role
from chalicelib.providers.base import Birth
from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.providers.nspawn.removal import everything_left, remove_everything
from chalicelib.providers.nspawn.site import Site
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.keys import KeyPair, draw_key
from chalicelib.ssh.own_keys import OWN_KEYS, OwnKeys
from tests.datastores.on_offer import version_of

LOOK_AGAIN_SECONDS = 0.02
SETTINGS = Config(dtrove_prefix="", dtrove_ssh_connect_timeout_seconds=2.0)


@contextmanager
def guests_of(root: Path, bridge: str, network: str) -> Iterator[NspawnProvider]:
    """A site of its own, of which nothing is left."""
    site = Site(root, Path(Config.dtrove_nspawn_root) / "images", bridge, IPv4Network(network))
    try:
        yield NspawnProvider(site)
    finally:
        remove_everything(site)
    assert everything_left(site) == []


@dataclass
class RealCluster:
    provider: NspawnProvider
    datastore: str
    image: str
    volume_gib: int | None = 1
    seconds: dict[str, float] = field(default_factory=dict)
    members: list[Instance] = field(default_factory=list)
    key: KeyPair = field(default_factory=draw_key)
    settings: Config = SETTINGS
    own_keys: OwnKeys = OWN_KEYS
    passwords: Passwords = field(default_factory=lambda: Passwords(secrets.token_hex(16), secrets.token_hex(16)))

    def __post_init__(self) -> None:
        self.manager = manager_of(version_of(self.datastore))

    @property
    def primary(self) -> Instance:
        return self.members[0]

    @property
    def replicas(self) -> list[Instance]:
        return self.members[1:]

    def add_members(self, count: int) -> list[Instance]:
        """Note new instances, without a server yet. The first of all is the primary."""
        new = [self._instance(len(self.members) + each) for each in range(count)]
        self.members += new
        return new

    def provision(self, instances: list[Instance]) -> None:
        self.on_each("server", instances, self.create_server)
        self.on_each("volume", instances, self.mount_volume)
        self.on_each("prepare", instances, self.prepare)

    def start_primary(self) -> None:
        self.on_each("primary", [self.primary], self.open_primary)

    def join(self, replicas: list[Instance]) -> None:
        self.on_each("seed", replicas, self.seed)
        self.on_each("await", replicas, self.await_replica)

    def create_server(self, instance: Instance) -> None:
        host_key = draw_key()
        instance.host_key = host_key.public
        self.provider.create(instance, Birth(self.image, "root", self.key.public, host_key.public, host_key.private))
        if instance.volume_gib:
            self.until_done(lambda: self._attach(instance))
        self.until_done(lambda: self.run(instance, "true"))

    def mount_volume(self, instance: Instance) -> None:
        with self.guest(instance) as guest:
            self.manager.mount_volume(instance, guest)

    def prepare(self, instance: Instance) -> None:
        with self.guest(instance) as guest:
            self.manager.prepare(instance, guest, self.passwords)

    def open_primary(self, instance: Instance) -> None:
        with self.guest(instance) as guest:
            self.manager.start_primary(instance, guest, self.passwords)

    def seed(self, instance: Instance) -> None:
        with self.guest(instance) as guest, self.guest(self.primary) as primary_guest:
            self.manager.seed_replica(instance, guest, self.primary, primary_guest, self.passwords)

    def await_replica(self, instance: Instance) -> None:
        with self.guest(instance) as guest:
            self.manager.await_replica(instance, guest)

    @contextmanager
    def guest(self, instance: Instance) -> Iterator[SshGuest]:
        """Connect anew each time, as each step does."""
        guest = SshGuest.connect(instance, self.key.private, settings=self.settings, own_keys=self.own_keys)
        try:
            yield guest
        finally:
            guest.close()

    def run(self, instance: Instance, command: LiteralString) -> str:
        with self.guest(instance) as guest:
            return guest.run(command)

    def on_each(self, phase: str, instances: list[Instance], work: Callable[[Instance], None]) -> None:
        """Do the work on all instances at once, each as often as it asks for, and note the seconds."""
        began_at = time.monotonic()
        with ThreadPoolExecutor(max(1, len(instances))) as pool:
            list(pool.map(lambda each: self.until_done(lambda: work(each)), instances))
        self.seconds[phase] = time.monotonic() - began_at

    def until_done(self, work: Callable[[], object], limit_seconds: float = 180) -> None:
        deadline = time.monotonic() + limit_seconds
        while True:
            try:
                work()
                return
            except (NotReady, Transient):
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_AGAIN_SECONDS)

    def destroy(self) -> None:
        for instance in self.members:
            while not self.provider.destroy(instance):
                time.sleep(LOOK_AGAIN_SECONDS)

    def _attach(self, instance: Instance) -> None:
        if not self.provider.attach_volume(instance):
            raise NotReady("The volume is not attached yet.")

    def _instance(self, number: int) -> Instance:
        return Instance(
            instance_id=f"{self.datastore}-{secrets.token_hex(6)}",
            cluster_id=f"cluster-{self.datastore}",
            name=f"{self.datastore}-{number}",
            role=Role.REPLICA if number else Role.PRIMARY,
            flavor_id="2",
            memory_mib=1024,
            volume_gib=self.volume_gib,
        )
