"""Backups and restores of real guests, as the workflows have them: begun, looked at, handed addresses, ended."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from chalicelib.datastores.backups import Piece, Restored, Restoring, Taken, Taking
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import UnitState
from tests.datastores.real_cluster import RealCluster
from tests.datastores.scripted_store import ScriptedStore

PART_BYTES = 2**20
AT_ONCE = 64  # parts' addresses
LIMIT_SECONDS = 90
LOOK_AGAIN_SECONDS = 0.1
Seen = TypeVar("Seen")


@dataclass
class Backup:
    """One backup of an instance, and the key pair that is its own."""

    cluster: RealCluster
    store: ScriptedStore
    instance: Instance
    since: str | None = None
    part_bytes: int = PART_BYTES
    backup_id: str = field(default_factory=lambda: f"b-{secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        key = self.cluster.run(self.instance, "age-keygen 2>/dev/null").split()
        self.identity = key[-1]
        self.taking = Taking(self.backup_id, key[key.index("key:") + 1], self.part_bytes, self.since)

    def begin(self, token: str = "", parts: range = range(1, AT_ONCE)) -> None:
        urls = self.store.part_urls(self.backup_id, parts, token)
        with self.cluster.guest(self.instance) as guest:
            self.cluster.manager.begin_backup(self.instance, guest, self.taking, urls)

    def hand_over(self, token: str = "", parts: range = range(1, AT_ONCE)) -> None:
        with self.cluster.guest(self.instance) as guest:
            self.cluster.manager.hand_over(guest, self.backup_id, self.store.part_urls(self.backup_id, parts, token))

    def look(self) -> Taken:
        with self.cluster.guest(self.instance) as guest:
            return self.cluster.manager.backup_progress(guest, self.backup_id)

    def taken(self) -> Taken:
        """Wait until it has ended. What failed is told in the assertion."""
        ended = until(self.look, lambda taken: taken.state is not UnitState.RUNNING)
        assert ended.state is UnitState.SUCCEEDED, (ended.state, self.failure())
        return ended

    def take(self) -> Taken:
        self.begin()
        return self.taken()

    def failed(self) -> str:
        """Wait until it has failed, and return why."""
        ended = until(self.look, lambda taken: taken.state is not UnitState.RUNNING)
        assert ended.state is UnitState.FAILED
        assert ended.position is None
        return self.failure()

    def failure(self) -> str:
        with self.cluster.guest(self.instance) as guest:
            return self.cluster.manager.backup_failure(guest, self.backup_id)

    def end(self) -> None:
        with self.cluster.guest(self.instance) as guest:
            self.cluster.manager.end_backup(guest, self.backup_id)

    def piece(self) -> Piece:
        return Piece(self.backup_id, self.look().parts, self.identity)


@dataclass
class Restore:
    cluster: RealCluster
    store: ScriptedStore
    pieces: tuple[Piece, ...]
    restore_id: str = field(default_factory=lambda: f"r-{secrets.token_hex(4)}")

    @property
    def instance(self) -> Instance:
        return self.cluster.primary

    def begin(self, token: str = "") -> None:
        urls = {each.backup_id: self.store.url(each.backup_id, token) for each in self.pieces}
        with self.cluster.guest(self.instance) as guest:
            restoring = Restoring(self.restore_id, self.pieces)
            self.cluster.manager.begin_restore(self.instance, guest, restoring, urls)

    def hand_over(self, token: str = "") -> None:
        urls = {each.backup_id: self.store.url(each.backup_id, token) for each in self.pieces}
        with self.cluster.guest(self.instance) as guest:
            self.cluster.manager.hand_over_reading(guest, self.restore_id, urls)

    def look(self) -> Restored:
        with self.cluster.guest(self.instance) as guest:
            return self.cluster.manager.restore_progress(guest, self.restore_id)

    def done(self) -> None:
        """Wait until it has ended well, and let the cluster's own passwords in."""
        ended = until(self.look, lambda restored: restored.state is not UnitState.RUNNING)
        assert ended.state is UnitState.SUCCEEDED, (ended.state, self.failure())
        assert ended.done_bytes == ended.of_bytes == sum(part.size for each in self.pieces for part in each.parts)
        with self.cluster.guest(self.instance) as guest:
            self.cluster.manager.adopt(self.instance, guest, self.cluster.passwords)

    def restore(self) -> None:
        self.begin()
        self.done()

    def failed(self) -> str:
        ended = until(self.look, lambda restored: restored.state is not UnitState.RUNNING)
        assert ended.state is UnitState.FAILED
        return self.failure()

    def failure(self) -> str:
        with self.cluster.guest(self.instance) as guest:
            return self.cluster.manager.restore_failure(guest, self.restore_id)

    def end(self) -> None:
        with self.cluster.guest(self.instance) as guest:
            self.cluster.manager.end_restore(guest, self.restore_id)


def until(look: Callable[[], Seen], is_so: Callable[[Seen], bool]) -> Seen:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not is_so(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(LOOK_AGAIN_SECONDS)
    return seen
