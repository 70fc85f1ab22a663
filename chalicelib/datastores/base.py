"""BaseManager: what a datastore must be able to do. One subclass a datastore, one folder each."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, LiteralString

from chalicelib import config
from chalicelib.datastores.accounts import Accounts
from chalicelib.datastores.backups import BackedUp
from chalicelib.datastores.described import OPT, PUBLIC_MODE, SCRIPT_MODE
from chalicelib.datastores.parameters import Value
from chalicelib.datastores.units import ensure_done
from chalicelib.errors import NotOffered, NotReady, Permanent
from chalicelib.models.instance import Instance
from chalicelib.sizes import GIB
from chalicelib.ssh.guest import File, Guest

# A SCSI disk tells of its new size only once it is asked.
SIZE_OF_VOLUME: Final = (
    "device=$(readlink -f {device}); ask=/sys/class/block/${{device##*/}}/device/rescan; "
    '[ ! -w "$ask" ] || echo 1 >"$ask"; blockdev --getsize64 "$device"'
)
SEED_SECRETS: Final = "/run/dtrove/seed"  # only while a replica is seeded; in memory


@dataclass(frozen=True)
class Passwords:
    """Drawn once per cluster, stored sealed. Each is 32 characters of A-Z a-z 0-9."""

    root: str  # the customer's own, of `root_name`
    replication: str  # between the cluster's instances

    def __repr__(self) -> str:
        return "Passwords(…)"


class BaseManager(BackedUp):
    """Manages one datastore version on guests.

    Methods that take a guest may be repeated at any time: "already so" is success. They raise NotReady while work goes
    on in a systemd unit of the guest, Permanent when it failed (with the unit's last lines), and Transient as the guest
    does.

    A datastore serves only whole data: its service starts only if the file `.dtrove-whole` is in `data_path`, and that
    is written last, by `prepare` on a primary and by `seed_replica` on a replica. What was cut before is made anew.
    """

    # --- what each datastore says for itself
    @abstractmethod
    def render_config_file(self, instance: Instance) -> str:
        """Return the configuration, sized from the flavor's memory."""

    @abstractmethod
    def files(self, instance: Instance, passwords: Passwords) -> Iterable[File]:
        """Return what `prepare` lays on the guest beside the scripts that all datastores have."""

    @abstractmethod
    def start_primary(self, instance: Instance, guest: Guest, passwords: Passwords) -> None:
        """Open the instance for the customer (`root_name`) and for its replicas."""

    @abstractmethod
    def seed_files(self, instance: Instance, primary: Instance, passwords: Passwords) -> Iterable[File]:
        """Return what the seed script needs; secrets go to SEED_SECRETS."""

    def admit_replica(self, instance: Instance, guest: Guest, primary: Instance, primary_guest: Guest) -> None:
        """Let the primary give this replica a copy of its data."""

    def dismiss_replica(self, instance: Instance, primary_guest: Guest) -> None:
        """Take back what only the copying needed."""

    def drop_replica(self, primary_guest: Guest, replica: Instance) -> None:
        """Let the primary forget a replica that is leaving (slots, accounts). The replica itself may be gone."""
        self.dismiss_replica(replica, primary_guest)

    # --- life cycle, in order
    def mount_volume(self, instance: Instance, guest: Guest) -> None:
        """Mount the volume, if there is one, on `data_path`, at each boot too. Permanent if other data is on it."""
        if not instance.volume_device:
            return
        unit = f"{self.data_path.strip('/').replace('/', '-')}.mount"
        values = {"device": instance.volume_device, "mount_unit": unit}

        def begin() -> None:
            guest.write(
                File(f"/etc/systemd/system/{unit}", self.render("volume.mount", **values), PUBLIC_MODE),
                File(f"{OPT}/mount-volume", self.render("mount-volume.sh", **values), SCRIPT_MODE),
            )
            guest.start("dtrove-mount-volume", "/opt/dtrove/mount-volume")

        ensure_done(guest, "dtrove-mount-volume", begin)

    def grow_file_system(self, instance: Instance, guest: Guest) -> None:
        """Let the file system have all of a volume that was extended, while it is used.

        Raises NotReady until the guest sees its volume_gib.
        """
        size_bytes = int(guest.run(SIZE_OF_VOLUME, device=str(instance.volume_device)))
        if size_bytes < int(instance.volume_gib) * GIB:
            raise NotReady(f"{instance.name} sees {size_bytes} bytes of its volume's {instance.volume_gib} GiB yet.")
        guest.run("xfs_growfs -d {folder}", folder=self.data_path)

    def prepare(
        self, instance: Instance, guest: Guest, passwords: Passwords, parameters: Mapping[str, Value] | None = None
    ) -> None:
        """Install and configure the datastore; a primary then listens on its address, with authentication on.

        Its first start already has the `parameters`.
        """
        systemd = "/etc/systemd/system"

        def begin() -> None:
            guest.write(
                File(f"{systemd}/{self.service_name}.service.d/dtrove.conf", self.render("service.conf"), PUBLIC_MODE),
                File(f"{systemd}/multi-user.target.d/dtrove.conf", self.render("boot.conf"), PUBLIC_MODE),
                File(f"{OPT}/service", self.render("service.sh"), SCRIPT_MODE),
                File(f"{OPT}/replica-state", self.render("replica-state.sh"), SCRIPT_MODE),
                File(f"{OPT}/prepare", self.render("prepare.sh", is_primary=instance.is_primary), SCRIPT_MODE),
                *self.files(instance, passwords),
                *self.parameter_files(instance, parameters or {}),
                *self.log_files(),
            )
            guest.start("dtrove-prepare", "/opt/dtrove/prepare")

        ensure_done(guest, "dtrove-prepare", begin)

    def seed_replica(
        self, instance: Instance, guest: Guest, primary: Instance, primary_guest: Guest, passwords: Passwords
    ) -> None:
        """Fill the instance with a physical copy of the primary and let it follow, read-only."""

        def begin() -> None:
            self.admit_replica(instance, guest, primary, primary_guest)
            guest.write(*self.seed_files(instance, primary, passwords))
            guest.start("dtrove-seed", "/opt/dtrove/seed")

        try:
            ensure_done(guest, "dtrove-seed", begin)
        except Permanent:
            self._end_seeding(instance, guest, primary_guest)
            raise
        self._end_seeding(instance, guest, primary_guest)

    def await_replica(self, instance: Instance, guest: Guest) -> None:
        """Raise NotReady until the instance follows its primary and has what that had when the seeding ended.

        Raises Permanent with the server's own words if it stopped following.
        """
        seconds = round(config.current().dtrove_patience_seconds)
        state, _, reason = guest.run("/opt/dtrove/replica-state {seconds}", seconds=seconds).strip().partition(" ")
        if state == "stopped":
            raise Permanent(f"{instance.name} does not follow its primary: {reason}")
        if state != "following":
            raise NotReady(f"{instance.name} does not follow its primary yet: it waits {reason}")

    # --- later in its life; `run_id` names one wish: however often it is repeated, the service is touched once
    def start(self, instance: Instance, guest: Guest, run_id: str) -> None:
        """Start the datastore; it answers when this returns."""
        self._control(guest, f"dtrove-start-{run_id}", "/opt/dtrove/service start")

    def stop(self, instance: Instance, guest: Guest, run_id: str) -> None:
        """Stop the datastore; it stays so, over reboots too, until `start`."""
        self._control(guest, f"dtrove-stop-{run_id}", "/opt/dtrove/service stop")

    def restart(self, instance: Instance, guest: Guest, run_id: str) -> None:
        """Restart the datastore; it answers when this returns."""
        self._control(guest, f"dtrove-restart-{run_id}", "/opt/dtrove/service restart")

    def adopt(self, instance: Instance, guest: Guest, passwords: Passwords) -> None:
        """After a restore: let root and the replicas in by these passwords, whatever the backup had."""
        self.start_primary(instance, guest, passwords)
        self.accounts.enable_root(guest, passwords.root)

    @property
    def accounts(self) -> Accounts:
        """What reads and changes databases, users and root. Raises NotOffered where there is nothing of the kind."""
        raise NotOffered(f"{self.datastore.name} has no databases and users that could be managed.")

    def _control(self, guest: Guest, unit: str, command: LiteralString) -> None:
        ensure_done(guest, unit, lambda: guest.start(unit, command))

    def _end_seeding(self, instance: Instance, guest: Guest, primary_guest: Guest) -> None:
        guest.run("rm -rf /run/dtrove/seed")
        self.dismiss_replica(instance, primary_guest)
