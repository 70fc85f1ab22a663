"""MySQL, managed over SSH: MariaDB on Debian images, Oracle's where the datastore record lists its packages."""

import zlib
from collections.abc import Iterable, Sequence

from chalicelib.datastores.base import SEED_SECRETS, BaseManager, Passwords
from chalicelib.datastores.described import OPT, PUBLIC_MODE, SCRIPT_MODE
from chalicelib.datastores.logs import Log, Switch
from chalicelib.datastores.mysql.accounts import MySQLAccounts
from chalicelib.datastores.mysql.distribution import distribution_of
from chalicelib.datastores.mysql.native_password import native_password_hash
from chalicelib.datastores.mysql.parameters import MySQLParameters
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest

BUFFER_POOL_SHARE = 0.7  # of memory; the rest serves connections and the system
REDO_LOG_SHARE = 1 / 4  # of the buffer pool
REDO_LOG_VOLUME_SHARE = 1 / 16
REDO_LOG_MIB = range(48, 2048)
MIB_PER_CONNECTION = 8
CONNECTIONS = range(60, 2000)


class MySQLManager(BaseManager):
    service_user = "mysql"
    port = 3306
    root_name = "root"
    data_path = "/var/lib/mysql"
    log_folder = "/var/log/mysql/dtrove"

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore)
        self.distribution = distribution_of(datastore.packages)
        self.service_name = self.distribution.service_name
        self.supports_backups = self.supports_incremental_backups = self.distribution.has_backups
        self.parameters_path = self.distribution.parameters_path
        self.logs_path = self.distribution.logs_path

    @property
    def accounts(self) -> MySQLAccounts:
        return MySQLAccounts(self.distribution, self.render)

    @property
    def logs(self) -> Sequence[Log]:
        return (
            Log("general", f"{self.log_folder}/general.log", Switch("general_log", on=True, off=False)),
            Log("slow_query", f"{self.log_folder}/slow_query.log", Switch("slow_query_log", on=True, off=False)),
            Log("error", f"{self.log_folder}/error.log"),
        )

    def render_config_file(self, instance: Instance) -> str:
        memory_mib = int(instance.memory_mib)
        buffer_pool_mib = int(memory_mib * BUFFER_POOL_SHARE)
        redo_log_mib = buffer_pool_mib * REDO_LOG_SHARE
        if instance.volume_gib:
            redo_log_mib = min(redo_log_mib, int(instance.volume_gib) * 1024 * REDO_LOG_VOLUME_SHARE)
        return self.render_own(
            "config.cnf",
            server_id=zlib.crc32(instance.instance_id.encode()) or 1,
            is_primary=instance.is_primary,
            buffer_pool_mib=buffer_pool_mib,
            redo_log_mib=_within(REDO_LOG_MIB, redo_log_mib),
            max_connections=_within(CONNECTIONS, memory_mib / MIB_PER_CONNECTION),
        )

    def files(self, instance: Instance, passwords: Passwords) -> Iterable[File]:
        yield File(self.distribution.config_path, self.render_config_file(instance), PUBLIC_MODE)
        if self.distribution.copies_over_ssh:
            yield File(f"{OPT}/send-copy", self.render_own("send-copy.sh"), SCRIPT_MODE)
            yield File(f"{OPT}/replica-access", self.render("replica-access.sh"), SCRIPT_MODE)
            after_start = f"/etc/systemd/system/{self.service_name}.service.d/forget-own-events.conf"
            yield File(f"{OPT}/forget-own-events", self.render_own("forget-own-events.sh"), SCRIPT_MODE)
            yield File(after_start, self.render_own("forget-own-events.conf"), PUBLIC_MODE)

    def start_primary(self, instance: Instance, guest: Guest, passwords: Passwords) -> None:
        hashes = {
            "root_hash": native_password_hash(passwords.root),
            "replication_hash": native_password_hash(passwords.replication),
        }
        accounts = self.render_own("accounts.sql", passwords=passwords, **hashes)
        guest.run("/opt/dtrove/service await </dev/null && {client}", stdin=accounts, client=self.distribution.client)

    def adopt(self, instance: Instance, guest: Guest, passwords: Passwords) -> None:
        super().adopt(instance, guest, passwords)
        replication_hash = native_password_hash(passwords.replication)
        adopt = self.render_own("adopt.sql", replication_hash=replication_hash)
        guest.run("{client}", stdin=adopt, client=self.distribution.client)

    def seed_files(self, instance: Instance, primary: Instance, passwords: Passwords) -> Iterable[File]:
        values = {"primary": primary, "secrets": SEED_SECRETS, "password": passwords.replication}
        yield File(f"{SEED_SECRETS}/primary.cnf", self.render("primary.cnf", **values))
        yield File(f"{SEED_SECRETS}/follow.sql", self.render_own("follow.sql", **values))
        yield File(f"{OPT}/seed", self.render_own("seed.sh", **values), SCRIPT_MODE)
        if self.distribution.copies_over_ssh:
            yield File(f"{SEED_SECRETS}/known_hosts", f"{primary.address} {primary.host_key}\n")
        else:
            yield File(f"{SEED_SECRETS}/clone.sql", self.render_own("clone.sql", **values))

    def admit_replica(self, instance: Instance, guest: Guest, primary: Instance, primary_guest: Guest) -> None:
        """Let a key that is drawn on the replica fetch a copy over SSH, from the replica's address, and no more."""
        if not self.distribution.copies_over_ssh:
            return
        guest.write(File(f"{OPT}/seed-key", self.render("seed-key.sh"), SCRIPT_MODE))
        primary_guest.run(
            "/opt/dtrove/replica-access admit {replica} {address}",
            stdin=guest.run("/opt/dtrove/seed-key"),
            replica=instance.instance_id,
            address=str(instance.address),
        )

    def dismiss_replica(self, instance: Instance, primary_guest: Guest) -> None:
        if self.distribution.copies_over_ssh:
            primary_guest.run("/opt/dtrove/replica-access dismiss {replica}", replica=instance.instance_id)

    def live_parameters(self) -> MySQLParameters:
        plan = self.render("plan-parameters.sh")
        return MySQLParameters(self.parameters, self.parameters_path, client=self.distribution.client, plan=plan)

    def render_own(self, template: str, **values: object) -> str:
        """Render the distribution's own template."""
        return self.render(f"{self.distribution.templates}/{template}", **values)


def _within(limits: range, value: float) -> int:
    return max(limits.start, min(int(value), limits.stop))
