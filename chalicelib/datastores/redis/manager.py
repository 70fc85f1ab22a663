"""Redis, managed over SSH."""

from collections.abc import Iterable, Sequence

from chalicelib.datastores.base import BaseManager, Passwords
from chalicelib.datastores.described import OPT, SCRIPT_MODE
from chalicelib.datastores.logs import Log
from chalicelib.datastores.redis.accounts import OF_ROOT, RedisAccounts, hash_of
from chalicelib.datastores.redis.parameters import RedisParameters
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest

DATA_SHARE = 0.6  # of memory; the rest is for the pages that change while a fork saves them, and for clients


class RedisManager(BaseManager):
    service_name = "redis-server"
    service_user = "redis"
    port = 6379
    root_name = "default"
    data_path = "/var/lib/redis"
    log_folder = "/var/log/redis/dtrove"
    supports_backups = True

    @property
    def accounts(self) -> RedisAccounts:
        return RedisAccounts()

    @property
    def logs(self) -> Sequence[Log]:
        return (Log("server", f"{self.log_folder}/server.log"),)

    def render_config_file(self, instance: Instance) -> str:
        return self.render("redis.conf", max_memory_mib=int(instance.memory_mib * DATA_SHARE))

    def files(self, instance: Instance, passwords: Passwords) -> Iterable[File]:
        """Lay the configuration beside its place: Redis rewrites its own, which a repeated `prepare` must not undo."""
        config = self.render_config_file(instance) + self.render("replication.conf", password=passwords.replication)
        hashes = {"root_hash": hash_of(passwords.root), "replication_hash": hash_of(passwords.replication)}
        return (
            File(f"{OPT}/redis.conf", config),
            File(f"{OPT}/users.acl", self.render("users.acl", root_rules=" ".join(OF_ROOT), **hashes)),
            File(f"{OPT}/ask-redis", self.render("ask-redis.sh"), SCRIPT_MODE),
            File("/etc/dtrove/replication-password", passwords.replication),
        )

    def start_primary(self, instance: Instance, guest: Guest, passwords: Passwords) -> None:
        """Nothing to open: both accounts are there from the first start on."""
        guest.run("/opt/dtrove/service await")

    def live_parameters(self) -> RedisParameters:
        return RedisParameters(self.parameters, self.parameters_path, self.render_config_file)

    def seed_files(self, instance: Instance, primary: Instance, passwords: Passwords) -> Iterable[File]:
        return (File(f"{OPT}/seed", self.render("seed.sh", primary=primary), SCRIPT_MODE),)
