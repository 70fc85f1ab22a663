"""BackedUp: backups that a guest sends to a store itself, and gets back from it.

    engine's stream | zstd | age | parts ──PUT──▶ store     the unit dtrove-backup-<id>
    engine's data   | zstd | age | parts ◀──GET── store     the unit dtrove-restore-<id>

A guest holds no credential: it is handed addresses that are signed for minutes, and waits for others once they expire.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, LiteralString

from chalicelib.datastores.described import OPT, SCRIPT_MODE
from chalicelib.datastores.logged import Logged
from chalicelib.datastores.sent import Part, addresses, part_lines, read_parts, told
from chalicelib.datastores.units import last_words
from chalicelib.errors import NotOffered
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest, UnitState

REMOVE: Final[LiteralString] = (
    "rm -rf /run/dtrove/{unit} /run/systemd/system.control/{unit}.service.d /var/tmp/{unit} {data}/.{unit}"
)
FOLDER = "/run/dtrove"  # in memory: gone after a reboot, as the units are
PAUSES_SECONDS = (1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30)  # between the tries of one part
PATIENCE_SECONDS = 1800  # for an address, or another one once it has expired
STALLED_SECONDS = 30  # a transfer that hardly moves for so long is cut, and tried again


@dataclass(frozen=True)
class Taking:
    """A backup that a guest shall take."""

    backup_id: str
    recipient: str  # age's public key
    part_bytes: int
    since: str | None = None  # the position of the backup that this one adds to; None: everything


@dataclass(frozen=True)
class Taken:
    """How far it is; also after it has ended."""

    state: UnitState
    parts: tuple[Part, ...]
    read_bytes: int  # of the engine's stream
    of_bytes: int  # an estimate
    position: str | None  # where it ends, as JSON in the manager's own words; once it has ended well
    server_version: str | None


@dataclass(frozen=True)
class Piece:
    """One object of a chain."""

    backup_id: str
    parts: tuple[Part, ...]
    identity: str = field(repr=False)  # age's secret key


@dataclass(frozen=True)
class Restoring:
    restore_id: str
    pieces: tuple[Piece, ...]  # the full backup first


@dataclass(frozen=True)
class Restored:
    state: UnitState
    done_bytes: int  # of what is stored
    of_bytes: int


class BackedUp(Logged):
    """Units run on their own once they are begun: `backup_progress` tells of one that failed, it does not raise.

    A rebooted guest has lost the unit and all that is told of it: it is NOT_STARTED, and begun anew.
    """

    supports_backups: bool = False
    supports_incremental_backups: bool = False  # on the instance that the former one was taken of
    store_pauses_seconds: Sequence[float] = PAUSES_SECONDS
    store_patience_seconds: int = PATIENCE_SECONDS
    store_stalled_seconds: int = STALLED_SECONDS

    def begin_backup(self, instance: Instance, guest: Guest, taking: Taking, urls: Mapping[int, str]) -> None:
        """Start sending a backup; one that runs or ended is left alone. `urls` are of parts, by their numbers from 1.

        Works on a primary and on a replica. Raises NotOffered if the datastore has no such backups.
        """
        self.check_backups(incremental=taking.since is not None)
        unit = backup_unit(taking.backup_id)
        if guest.state(unit) is not UnitState.NOT_STARTED:
            return
        guest.write(
            File(f"{OPT}/backup", self.render("backup.sh"), SCRIPT_MODE),
            File(f"{FOLDER}/{unit}/urls", addresses(urls)),
            *self.backup_files(instance),
        )
        guest.start(
            unit,
            "/opt/dtrove/backup {backup_id} {recipient} {part_bytes} {since}",
            backup_id=taking.backup_id,
            recipient=taking.recipient,
            part_bytes=taking.part_bytes,
            since=taking.since or "",
        )

    def backup_progress(self, guest: Guest, backup_id: str, after: int = 0) -> Taken:
        """Return how far it is, with its parts whose numbers are above `after`: there may be thousands."""
        unit = backup_unit(backup_id)
        state = guest.state(unit)
        said = told(guest, f"{FOLDER}/{unit}")
        return Taken(
            state=state,
            parts=read_parts(guest, f"{FOLDER}/{unit}", after),
            read_bytes=int(said.get("read", 0)),
            of_bytes=int(said.get("of", 0)),
            position=said.get("position") if state is UnitState.SUCCEEDED else None,
            server_version=said.get("version"),
        )

    def hand_over(self, guest: Guest, backup_id: str, urls: Mapping[int, str]) -> None:
        """Give the unit these addresses instead of those it has: of the parts that are not stored yet."""
        guest.write(File(f"{FOLDER}/{backup_unit(backup_id)}/urls", addresses(urls)))

    def backup_failure(self, guest: Guest, backup_id: str) -> str:
        """Return why it failed, for people."""
        return last_words(guest, backup_unit(backup_id))

    def end_backup(self, guest: Guest, backup_id: str) -> None:
        """Stop it if it runs, and remove all that the guest has of it. Not there is success."""
        self._end(guest, backup_unit(backup_id))

    def begin_restore(self, instance: Instance, guest: Guest, restoring: Restoring, urls: Mapping[str, str]) -> None:
        """Start replacing all data of the instance; one that runs or ended is left alone. `urls` are by backup id.

        The instance is a primary that was prepared. Follow with `adopt` once the unit has succeeded.
        """
        self.check_backups()
        unit = restore_unit(restoring.restore_id)
        if guest.state(unit) is not UnitState.NOT_STARTED:
            return
        folder = f"{FOLDER}/{unit}"
        guest.write(
            File(f"{OPT}/restore", self.render("restore.sh"), SCRIPT_MODE),
            File(f"{folder}/urls", addresses(urls)),
            File(f"{folder}/pieces", "".join(f"{each.backup_id}\n" for each in restoring.pieces)),
            *(File(f"{folder}/{each.backup_id}.parts", part_lines(each.parts)) for each in restoring.pieces),
            *(File(f"{folder}/{each.backup_id}.identity", f"{each.identity}\n") for each in restoring.pieces),
        )
        guest.start(unit, "/opt/dtrove/restore {restore_id}", restore_id=restoring.restore_id)

    def restore_progress(self, guest: Guest, restore_id: str) -> Restored:
        unit = restore_unit(restore_id)
        state = guest.state(unit)
        said = told(guest, f"{FOLDER}/{unit}")
        return Restored(state, int(said.get("done", 0)), int(said.get("of", 0)))

    def hand_over_reading(self, guest: Guest, restore_id: str, urls: Mapping[str, str]) -> None:
        """Give the unit these addresses of objects, by backup id, instead of those it has."""
        guest.write(File(f"{FOLDER}/{restore_unit(restore_id)}/urls", addresses(urls)))

    def restore_failure(self, guest: Guest, restore_id: str) -> str:
        """Return why it failed, for people."""
        return last_words(guest, restore_unit(restore_id))

    def end_restore(self, guest: Guest, restore_id: str) -> None:
        """Stop it if it runs, and remove all that the guest has of it but its data. Not there is success."""
        self._end(guest, restore_unit(restore_id))

    def backup_files(self, instance: Instance) -> Iterable[File]:
        """Return what the taking of a backup needs beside the scripts."""
        return ()

    def check_backups(self, *, incremental: bool = False) -> None:
        """Raise NotOffered if the datastore has none, or none that add to others."""
        name = f"{self.datastore.datastore} {self.datastore.version}"
        if not self.supports_backups:
            raise NotOffered(f"{name} has no backups here.")
        if incremental and not self.supports_incremental_backups:
            raise NotOffered(f"{name} has no incremental backups: take a full one.")

    def _end(self, guest: Guest, unit: str) -> None:
        guest.forget(unit)
        guest.run(REMOVE, unit=unit, data=self.data_path)


def backup_unit(backup_id: str) -> str:
    return f"dtrove-backup-{backup_id}"


def restore_unit(restore_id: str) -> str:
    return f"dtrove-restore-{restore_id}"
