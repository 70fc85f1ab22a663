"""BaseManager: what a datastore must be able to do. One subclass a datastore, one folder each."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final, LiteralString

from chalicelib import config
from chalicelib.datastores import applying, templates
from chalicelib.datastores.accounts import Accounts
from chalicelib.datastores.applying import LiveParameters
from chalicelib.datastores.logs import Log, switch_log, switched_on
from chalicelib.datastores.parameters import Parameter, Value, parameters_for
from chalicelib.datastores.units import ensure_done
from chalicelib.errors import NotOffered, NotReady, Permanent
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest

OPT: Final = "/opt/dtrove"  # our scripts on a guest
SEED_SECRETS: Final = "/run/dtrove/seed"  # only while a replica is seeded; in memory
SCRIPT_MODE: Final = 0o700
PUBLIC_MODE: Final = 0o644
MIB: Final = 2**20


@dataclass(frozen=True)
class Passwords:
    """Drawn once per cluster, stored sealed. Each is 32 characters of A-Z a-z 0-9."""

    root: str  # the customer's own, of `root_name`
    replication: str  # between the cluster's instances

    def __repr__(self) -> str:
        return "Passwords(…)"


class BaseManager(ABC):
    """Manages one datastore version on guests.

    Methods that take a guest may be repeated at any time: "already so" is success. They raise NotReady while work goes
    on in a systemd unit of the guest, Permanent when it failed (with the unit's last lines), and Transient as the guest
    does.

    A datastore serves only whole data: its service starts only if the file `.dtrove-whole` is in `data_path`, and that
    is written last, by `prepare` on a primary and by `seed_replica` on a replica. What was cut before is made anew.
    """

    service_name: str  # of systemd, e.g. "mariadb"
    service_user: ClassVar[str]  # who owns the data
    port: ClassVar[int]
    root_name: ClassVar[str]  # the account that `Passwords.root` opens, from anywhere
    data_path: ClassVar[str]  # the folder that the volume is mounted on; no dash in it
    log_noise: ClassVar[str] = "^$"  # lines of its log that tell of whoever asks it, and never why it does not start
    pid_path: str = "/dev/null"  # a file whose first line is the service's process, where systemd does not know it
    parameters_path: str = "/etc/dtrove/parameters.conf"  # what the service reads after `render_config_file`'s
    log_folder: str = ""  # where all its `logs` are: its own, so that nobody else's logrotate knows it
    logs_path: str = ""  # which of them are switched on: the service reads it before its parameters

    def __init__(self, datastore: Datastore) -> None:
        self.datastore = datastore

    @property
    def name(self) -> str:
        """The class's name in lower case without Manager: MySQLManager is "mysql"."""
        return type(self).__name__.removesuffix("Manager").lower()

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

    def admit_replica(self, instance: Instance, guest: Guest, primary: Instance, primary_guest: Guest) -> None:  # noqa: B027
        """Let the primary give this replica a copy of its data."""

    def dismiss_replica(self, instance: Instance, primary_guest: Guest) -> None:  # noqa: B027
        """Take back what only the copying needed."""

    def drop_replica(self, primary_guest: Guest, replica: Instance) -> None:
        """Let the primary forget a replica that is leaving (slots, accounts). The replica itself may be gone."""
        self.dismiss_replica(replica, primary_guest)

    def live_parameters(self) -> LiveParameters:
        """Return how the datastore is told its parameters; only for one that has a parameters.json."""
        raise Permanent(f"{self.datastore.name} has no parameters.")

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

    # --- its parameters; see docs/parameters.md
    def apply_parameters(self, instance: Instance, guest: Guest, values: Mapping[str, Value]) -> frozenset[str]:
        """Make the guest's parameters exactly these; what is not among them goes back to our own default.

        Returns the names that wait for a restart. What the server refuses is taken back as a whole.

        Raises:
            Permanent: refused, with the server's own words; all is as it was before.
        """
        return applying.apply_parameters(self.live_parameters(), instance, guest, values)

    def has_waiting_parameters(self, guest: Guest) -> bool:
        """Whether some wait for a restart: a start puts them in force only where the service did not run."""
        said = guest.run("[ -e {path}.next ] && echo waiting || echo none", path=self.parameters_path)
        return said.strip() == "waiting"

    def actual_parameters(self, guest: Guest, names: Sequence[str]) -> dict[str, Any]:
        """Return the server's present values, each of its parameter's type; names that cannot be set are left out."""
        offered = [name for name in names if name in self.parameters]
        return self.live_parameters().actual(guest, offered) if offered else {}

    def replicas_first(self, primary: Instance, former: Mapping[str, Value], values: Mapping[str, Value]) -> bool:
        """Say whether replicas must be restarted before their primary for this change; otherwise it is restarted first.

        Only restarts have an order: until then no static value is in force anywhere. Raises Permanent if no order does.
        """
        return False

    # --- its logs; see logs.py
    @property
    def logs(self) -> Sequence[Log]:
        """What the service writes of itself."""
        return ()

    def switch_log(self, instance: Instance, guest: Guest, log: Log, *, on: bool) -> None:
        """Have the service write a log of type USER, or not. Raises Permanent if a configuration group rules it."""
        switch_log(self, instance, guest, log, on=on)

    def switched_on(self, guest: Guest) -> dict[str, bool]:
        """Return of each log whether it is written now."""
        return switched_on(self, guest, self.logs)

    def backup(self, instance: Instance, guest: Guest) -> None:
        raise Permanent(f"A backup of {self.datastore.name} comes with backups.")

    @property
    def accounts(self) -> Accounts:
        """What reads and changes databases, users and root. Raises NotOffered where there is nothing of the kind."""
        raise NotOffered(f"{self.datastore.name} has no databases and users that could be managed.")

    # --- for subclasses
    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        return parameters_for(self.datastore.manager, self.datastore.version)

    def parameter_files(self, instance: Instance, values: Mapping[str, Value]) -> Iterable[File]:
        """Return the file of the parameters; there is one even if none is set, since the configuration includes it."""
        if self.parameters:
            text = self.live_parameters().text(instance, values)
            yield File(self.parameters_path, text, PUBLIC_MODE)

    def log_files(self) -> Iterable[File]:
        """Return what keeps the logs from filling the guest."""
        if self.logs:
            most_bytes = config.current().dtrove_log_file_mib * MIB
            yield File(f"{OPT}/turn-logs", self.render("turn-logs.sh", most_bytes=most_bytes), SCRIPT_MODE)
            for unit in ("service", "timer"):
                yield File(f"/etc/systemd/system/dtrove-logs.{unit}", self.render(f"logs.{unit}"), PUBLIC_MODE)

    @property
    def log_paths(self) -> list[str]:
        return list(dict.fromkeys(each.path for each in self.logs))

    @property
    def server_log(self) -> str:
        """The path of the log that says why the service does not start; empty if the journal alone does."""
        return next((each.path for each in self.logs if each.switch is None), "")

    @cached_property
    def folder(self) -> Path:
        return Path(inspect.getfile(type(self))).parent

    def render(self, template: str, **values: object) -> str:
        """Render a template, which sees the manager, its packages and the values."""
        packages = list(self.datastore.packages)
        version = self.datastore.version
        return templates.render(self.folder, version, template, manager=self, packages=packages, **values)

    @property
    def whole_path(self) -> str:
        return f"{self.data_path}/.dtrove-whole"

    def _control(self, guest: Guest, unit: str, command: LiteralString) -> None:
        ensure_done(guest, unit, lambda: guest.start(unit, command))

    def _end_seeding(self, instance: Instance, guest: Guest, primary_guest: Guest) -> None:
        guest.run("rm -rf /run/dtrove/seed")
        self.dismiss_replica(instance, primary_guest)
