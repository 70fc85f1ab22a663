"""PostgreSQL, managed over SSH."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, LiteralString

from chalicelib.datastores.base import BaseManager, Passwords
from chalicelib.datastores.described import OPT, PUBLIC_MODE, SCRIPT_MODE
from chalicelib.datastores.logs import Log, Switch
from chalicelib.datastores.parameters import Value
from chalicelib.datastores.postgresql.accounts import PostgresAccounts
from chalicelib.datastores.postgresql.parameters import PostgresParameters, rises
from chalicelib.datastores.postgresql.psql import AS_ADMINISTRATOR, AWAIT, ON_POSTGRES, PATIENT, SESSION
from chalicelib.datastores.postgresql.scram import scram_verifier
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest

SHARED_BUFFERS_SHARE = 0.25  # of memory; PostgreSQL leans on the system's cache for the rest
CACHE_SHARE = 0.6  # what the planner may expect of both caches
MAINTENANCE_SHARE = 1 / 16
MIB_PER_CONNECTION = 8
MIN_CONNECTIONS = 60
MAX_CONNECTIONS = 1000
KEPT_WAL_SHARE = 0.25  # of the volume, for a replica that is away; it is seeded anew if it stays away longer
KEPT_WAL_MIB = 2048  # without a volume

PSQL: Final[LiteralString] = f"{AWAIT}{AS_ADMINISTRATOR} {ON_POSTGRES}"


class PostgresManager(BaseManager):
    service_user = "postgres"
    port = 5432
    root_name = "postgres"
    data_path = "/var/lib/postgresql"
    log_folder = "/var/log/postgresql/dtrove"
    log_noise = "the database system is (starting up|shutting down|not yet accepting connections)"
    supports_backups = supports_incremental_backups = True
    session_options, replication_options = SESSION, PATIENT  # for the scripts

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore)
        self.major_version = datastore.version.split(".")[0]
        self.service_name = f"postgresql@{self.major_version}-main"
        self.config_path = f"/etc/postgresql/{self.major_version}/main"
        self.parameters_path = f"{self.config_path}/parameters.conf"
        self.logs_path = f"{self.config_path}/logs.conf"
        self.pid_path = f"{self.data_path}/{self.major_version}/main/postmaster.pid"
        self.passfile_path = f"{self.config_path}/replication.pgpass"

    @property
    def name(self) -> str:
        return "postgresql"

    @property
    def accounts(self) -> PostgresAccounts:
        return PostgresAccounts(self.render)

    @property
    def logs(self) -> Sequence[Log]:
        """The server writes one file: what it says of itself, and the statements too while those are switched on."""
        path = f"{self.log_folder}/server.log"
        return (Log("general", path, Switch("log_statement", on="all", off="none")), Log("error", path))

    def render_config_file(self, instance: Instance) -> str:
        memory_mib = int(instance.memory_mib)
        volume_mib = int(instance.volume_gib or 0) * 1024
        return self.render(
            "postgresql.conf",
            instance=instance,
            shared_buffers_mib=int(memory_mib * SHARED_BUFFERS_SHARE),
            effective_cache_mib=int(memory_mib * CACHE_SHARE),
            maintenance_work_mib=int(memory_mib * MAINTENANCE_SHARE),
            max_connections=max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, memory_mib // MIB_PER_CONNECTION)),
            kept_wal_mib=int(volume_mib * KEPT_WAL_SHARE) or KEPT_WAL_MIB,
        )

    def files(self, instance: Instance, passwords: Passwords) -> Iterable[File]:
        return (
            File(f"{self.config_path}/postgresql.conf", self.render_config_file(instance), PUBLIC_MODE),
            File(f"{self.config_path}/pg_hba.conf", self.render("pg_hba.conf"), PUBLIC_MODE),
        )

    def backup_files(self, instance: Instance) -> Iterable[File]:
        """An instance that is older than backups may not let them in yet."""
        return (File(f"{self.config_path}/pg_hba.conf", self.render("pg_hba.conf"), PUBLIC_MODE),)

    def start_primary(self, instance: Instance, guest: Guest, passwords: Passwords) -> None:
        verifiers = {
            "root_verifier": scram_verifier(passwords.root, f"{instance.cluster_id} root"),
            "replication_verifier": scram_verifier(passwords.replication, f"{instance.cluster_id} replication"),
        }
        guest.run(PSQL, stdin=self.render("accounts.sql", **verifiers))

    def seed_files(self, instance: Instance, primary: Instance, passwords: Passwords) -> Iterable[File]:
        passfile = self.render("replication.pgpass", password=passwords.replication)
        seed = self.render("seed.sh", primary=primary, slot=slot_of(instance))
        return (
            File(self.passfile_path, passfile, owner="postgres:postgres"),
            File(f"{OPT}/seed", seed, SCRIPT_MODE),
        )

    def admit_replica(self, instance: Instance, guest: Guest, primary: Instance, primary_guest: Guest) -> None:
        """Have a slot for the replica: the primary then keeps what it still needs, even while it is away."""
        primary_guest.run(PSQL, stdin=self.render("create-slot.sql", slot=slot_of(instance)))

    def live_parameters(self) -> PostgresParameters:
        scripts = {name: self.render(f"{name}.sh") for name in ("plan-parameters", "reload-parameters")}
        return PostgresParameters(self.parameters, self.parameters_path, scripts=scripts)

    def replicas_first(self, primary: Instance, former: Mapping[str, Value], values: Mapping[str, Value]) -> bool:
        """A standby does not start with less than its primary has of what both must keep track of.

        So replicas go first as these values rise; as they fall, the primary does, and replicas once they follow again.
        """
        return rises(self.parameters, self.render_config_file(primary), former, values)

    def drop_replica(self, primary_guest: Guest, replica: Instance) -> None:
        primary_guest.run(PSQL, stdin=self.render("drop-slot.sql", slot=slot_of(replica)))


def slot_of(instance: Instance) -> str:
    return f"dtrove_{instance.instance_id.replace('-', '_')}"
