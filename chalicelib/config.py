"""The service's own settings: one frozen dataclass, read from the environment and checked at start.

Every field is an environment variable of the same name in capitals, `DTROVE_…` but for the seed's `OS_…`.
Units are in the names; what each may be is in checks.py. ConfigError names each that is wrong.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from chalicelib import checks, dotted, words
from chalicelib.errors import ConfigError

DEFAULT_MANAGERS = (
    ("chalicelib.datastores.mysql.MySQLManager", "mysql"),
    ("chalicelib.datastores.redis.RedisManager", "redis"),
    ("chalicelib.datastores.postgresql.PostgresManager", "postgresql"),
)
PROVIDERS = {
    "openstack": "chalicelib.providers.openstack.provider.OpenStackProvider",
    "nspawn": "chalicelib.providers.nspawn.provider.NspawnProvider",
    "memory": "chalicelib.providers.memory.MemoryProvider",
}
OF_CALLERS = frozenset(  # what `. .local/env` sets for a caller's shell: no settings of the service
    {
        *("DTROVE_URL", "DTROVE_PROJECT", "DTROVE_OTHER_PROJECT", "DTROVE_NETWORK", "DTROVE_SUBNET"),
        *("DTROVE_TOKEN", "DTROVE_READER_TOKEN", "DTROVE_ADMIN_TOKEN", "DTROVE_OTHER_TOKEN"),
    }
)
READ_AS = {int: "a whole number", float: "a number", tuple: "[[dotted path, name], …] as JSON"}


@dataclass(frozen=True)
class Config:
    # --- the seed's options
    dtrove_datastore_managers: tuple[tuple[str, str], ...] = DEFAULT_MANAGERS  # JSON: [[dotted path, name], …]
    dtrove_max_cluster_size: int = 5  # instances
    dtrove_prefix: str = "sudo "  # before each remote command; "sudo vzctl exec %(local_id)s ": any instance property
    dtrove_provider: str = "openstack"  # a key of PROVIDERS, or a dotted path to a class
    dtrove_ssh_user: str = "root"
    os_auth_url: str = "http://0.0.0.0:5000/v3"
    os_nova_bypass_url: str | None = None
    os_nova_endpoint_type: str = "publicURL"
    os_nova_url: str | None = None
    os_password: str | None = None
    os_project_id: str | None = None
    os_username: str | None = None
    # --- the service's own user, beyond the seed's
    os_project_name: str | None = None  # if there is no OS_PROJECT_ID
    os_project_domain_name: str = "Default"  # of OS_PROJECT_NAME
    os_user_domain_name: str = "Default"
    os_application_credential_id: str | None = None  # instead of a user and password
    os_application_credential_secret: str | None = None
    os_region_name: str | None = None  # in the cloud's catalog; None: its only one
    os_cacert: str | None = None  # a file of the bundle, if the cloud's certificates are its own
    os_cloud: str | None = None  # a cloud of a clouds.yaml, which then tells all of the above
    os_client_config_file: str | None = None  # that clouds.yaml, if it is not at one of its usual places
    dtrove_cloud_secret: str | None = None  # Secrets Manager's name or ARN of what is secret of the above, as JSON
    dtrove_cloud_timeout_seconds: float = 20.0  # of one request
    # --- reaching guests
    dtrove_ssh_host: str = "%(address)s"  # where SSH connects to; any instance property
    dtrove_ssh_port: int = 22
    dtrove_key_passphrase_length: int = 0  # characters; 0: keys have none, since they are sealed as a whole anyway
    dtrove_ssh_connect_timeout_seconds: float = 5.0
    dtrove_ssh_banner_timeout_seconds: float = 5.0
    dtrove_ssh_auth_timeout_seconds: float = 10.0
    dtrove_command_timeout_seconds: float = 60.0
    dtrove_output_limit_bytes: int = 65_536
    # --- reaching guests through other hosts: docs/reaching-guests.md
    dtrove_jump_host: str | None = None  # host or host:port that connections to guests pass through
    dtrove_jump_user: str = "dtrove"
    dtrove_jump_host_key: str | None = None  # OpenSSH line of its public host key, the only one accepted
    dtrove_jump_secret: str | None = None  # in Secrets Manager, name or ARN: {"private_key": …, "passphrase": …}
    dtrove_compute_host_keys: str = "{}"  # JSON: {compute host: OpenSSH line of its public host key}
    dtrove_compute_user: str = "root"  # on compute hosts; DTROVE_SSH_USER is the guests'
    dtrove_compute_secret: str | None = None  # as DTROVE_JUMP_SECRET, for compute hosts
    # --- steps
    dtrove_patience_seconds: float = 8.0  # how long a step asks again itself before the state machine does
    dtrove_console_lines: int = 100  # of a server that does not come up, kept with its job
    # --- logs of instances
    dtrove_log_file_mib: int = 32  # a log is turned over at this size; a guest keeps it and the one before
    dtrove_log_publish_mib: int = 256  # that one publishing brings to S3 at most
    dtrove_log_retention_days: int = 30  # of what was published; the bucket's own rule
    # --- backups
    dtrove_store_url: str | None = None  # where guests reach S3, if not at AWS's own addresses
    dtrove_backup_part_mib: int = 16  # of what is sent at once; a guest has room for two
    dtrove_schedule_window_minutes: int = 60  # over which schedules of one time are spread, unless they say so
    dtrove_schedule_patience_minutes: int = 180  # after its window; then a schedule's backup is missed, or overdue
    # --- names in AWS
    dtrove_table_prefix: str = "dtrove-"
    dtrove_machine_prefix: str = "arn:aws:states:us-east-1:000000000000:stateMachine:dtrove-"  # + workflow = ARN
    dtrove_data_key: str = "alias/dtrove"  # KMS key id, alias or ARN
    dtrove_bucket: str = "dtrove-objects"  # published logs
    dtrove_event_bus: str = "dtrove"  # where events for users go: a name or an ARN
    dtrove_reads_function: str = "dtrove-dev-reads"  # what the API asks guests through: a name or an ARN
    dtrove_job_retention_days: int = 90
    dtrove_deployment: str = "dtrove"  # in the metadata of all we make: a sweep touches no other deployment's
    dtrove_sweep_limit: int = 5  # old resources without a record that a sweep removes; more are a matter for a person
    # --- limits of the API
    dtrove_answer_patience_seconds: float = 5.0  # that a change of users or databases is waited for
    dtrove_max_instances: int = 10  # per project; -1 is no limit
    dtrove_max_volumes_gib: int = 40  # per project; -1 is no limit
    dtrove_max_backups: int = 50  # per project; -1 is no limit
    dtrove_max_schedules: int = 50  # per project; -1 is no limit
    dtrove_max_volume_gib: int = 1_024  # one volume
    dtrove_max_body_bytes: int = 65_536
    dtrove_page_size: int = 1_000
    dtrove_reads_per_minute: int = 1_200  # GETs of a project; -1 is no limit
    dtrove_writes_per_minute: int = 300  # of a project: all else
    dtrove_answers_kept_hours: int = 24  # for an Idempotency-Key that comes again
    dtrove_default_datastore: str = "mysql"  # of an instance whose order names none
    dtrove_region: str = "RegionOne"  # that this deployment serves: shown, and the only one an order may name
    # --- identity
    dtrove_identity: str = "tokens"  # tokens: DTROVE_TOKENS; keystone: that of OS_AUTH_URL
    dtrove_tokens: str = "{}"  # JSON: {sha256 of the token: {"project_id": …, "user": …, "roles": […]}}
    dtrove_token_cache_seconds: float = 60.0  # how long a token counts that Keystone revoked meanwhile
    # --- the openstack provider
    dtrove_openstack_network: str | None = None  # id or name of the servers' network; None: the project's only one
    dtrove_openstack_public_network: str | None = None  # that public addresses are of; None: there are none
    dtrove_openstack_our_networks: str | None = None  # from where our functions come to servers: a.b.c.d/n,…
    dtrove_openstack_disk_bus: str = "virtio"  # or scsi: how volumes are named in guests
    dtrove_openstack_boot_volume_gib: int = 0  # of the volume that a server boots from; 0: its host's disk
    dtrove_openstack_boot_volume_type: str | None = None  # None: the cloud's default
    dtrove_openstack_endpoint: str = "floating_ip"  # or port: what a cluster's own address is
    dtrove_openstack_dns_zone: str | None = None  # where clusters have names, if there is Designate: dbs.example.org.
    # --- the nspawn provider
    dtrove_nspawn_root: str = "/var/lib/dtrove/nspawn"
    dtrove_nspawn_images: str | None = None  # a folder of images shared with another root; None: <root>/images
    dtrove_nspawn_bridge: str = "dtrove0"
    dtrove_nspawn_network: str = "10.79.0.0/24"

    @property
    def our_networks(self) -> tuple[str, ...]:
        return tuple((self.dtrove_openstack_our_networks or "").split(","))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Config":
        """Read and check the settings, of whatever machine. Raises ConfigError naming each that is wrong."""
        values: dict[str, Any] = {}
        wrong = list(_strangers(environment))
        for field in fields(cls):
            variable = field.name.upper()
            if (text := environment.get(variable)) is None:
                continue
            try:
                values[field.name] = _parsed(text, field.default)
            except (ValueError, TypeError, RecursionError):
                wrong.append(f"{variable}: must be {READ_AS[type(field.default)]}")
        settings = cls(**values)  # what could not be read has its default here, which is right
        wrong += checks.faults(vars(settings))
        if "dtrove_provider" in values:  # what nobody chose is told where a cloud is needed
            wrong += _provider_fault(settings.dtrove_provider)
        if wrong:
            raise ConfigError("; ".join(wrong))
        return settings


def _strangers(environment: Mapping[str, str]) -> Iterator[str]:
    known = {field.name.upper() for field in fields(Config)}
    for name in sorted(environment):
        if name.startswith("DTROVE_") and name not in known | OF_CALLERS:
            yield f"{name}: there is no such setting{words.nearest(name, known)}"


def _parsed(text: str, default: object) -> object:
    match default:
        case int():
            return int(text)
        case float():
            return float(text)
        case tuple():
            return tuple((path, name) for path, name in json.loads(text))
    return text


def _provider_fault(name: str) -> list[str]:
    if name in PROVIDERS or dotted.is_path(name):
        return []
    return [f"DTROVE_PROVIDER: there is no provider {name}; there are {', '.join(sorted(PROVIDERS))}, and dotted paths"]


def provider_path(name: str) -> str:
    """Return the dotted path that a provider's name stands for. Raises ConfigError, telling those there are."""
    if fault := _provider_fault(name):
        raise ConfigError(*fault)
    return PROVIDERS.get(name, name)


@cache
def current() -> Config:
    """Return this process's settings. Raises ConfigError, also for a dotted path that leads nowhere here."""
    settings = Config.from_environment(os.environ)
    if lost := list(_lost(settings)):
        raise ConfigError("; ".join(lost))
    return settings


def _lost(settings: Config) -> Iterator[str]:
    """Yield a sentence for each class whose module is not there. None is imported: not every function may have it."""
    paths = [("DTROVE_DATASTORE_MANAGERS", path) for path, _ in settings.dtrove_datastore_managers]
    paths += [("DTROVE_PROVIDER", settings.dtrove_provider)] if "." in settings.dtrove_provider else []
    for variable, path in paths:
        if not dotted.is_module(module := path.rpartition(".")[0]):
            yield f"{variable}: there is no module {module} for {path}"
