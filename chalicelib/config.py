"""The service's own settings: one frozen dataclass, read from the environment and checked at start.

Every field is an environment variable of the same name in capitals, `DTROVE_…` but for the seed's `OS_…`.
Units are in the names. `Config.from_environment` raises ConfigError naming each variable that is wrong.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from chalicelib.errors import ConfigError

DOTTED_OR_PLAIN_NAME = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)*")
MAY_BE_NONE_AT_ALL = frozenset(
    {"dtrove_max_instances", "dtrove_max_volumes_gib", "dtrove_patience_seconds", "dtrove_key_passphrase_length"}
)
MAP_LIMIT = 40  # an inline Map of Step Functions runs about 40 branches at once; a transaction holds 100 items
DEFAULT_MANAGERS = (
    ("chalicelib.datastores.mysql.MySQLManager", "mysql"),
    ("chalicelib.datastores.redis.RedisManager", "redis"),
    ("chalicelib.datastores.postgresql.PostgresManager", "postgresql"),
)


@dataclass(frozen=True)
class Config:
    # --- the seed's options
    dtrove_datastore_managers: tuple[tuple[str, str], ...] = DEFAULT_MANAGERS  # JSON: [[dotted path, name], …]
    dtrove_max_cluster_size: int = 5  # instances
    dtrove_prefix: str = "sudo "  # before each remote command; "sudo vzctl exec %(local_id)s ": any instance property
    dtrove_provider: str = "openstack"  # a key of providers.PROVIDERS, or a dotted path to a class
    dtrove_ssh_user: str = "root"
    os_auth_url: str = "http://0.0.0.0:5000/v3"
    os_nova_bypass_url: str | None = None
    os_nova_endpoint_type: str = "publicURL"
    os_nova_url: str | None = None
    os_password: str | None = None
    os_project_id: str | None = None
    os_username: str | None = None
    # --- reaching guests
    dtrove_ssh_host: str = "%(address)s"  # where SSH connects to; any instance property
    dtrove_ssh_port: int = 22
    dtrove_key_passphrase_length: int = 0  # characters; 0: keys have none, since they are sealed as a whole anyway
    dtrove_ssh_connect_timeout_seconds: float = 5.0
    dtrove_ssh_banner_timeout_seconds: float = 5.0
    dtrove_ssh_auth_timeout_seconds: float = 10.0
    dtrove_command_timeout_seconds: float = 60.0
    dtrove_output_limit_bytes: int = 65_536
    # --- steps
    dtrove_patience_seconds: float = 8.0  # how long a step asks again itself before the state machine does
    # --- names in AWS
    dtrove_table_prefix: str = "dtrove-"
    dtrove_machine_prefix: str = "arn:aws:states:us-east-1:000000000000:stateMachine:dtrove-"  # + workflow = ARN
    dtrove_data_key: str = "alias/dtrove"  # KMS key id, alias or ARN
    dtrove_job_retention_days: int = 90
    dtrove_deployment: str = "dtrove"  # in the metadata of all we make: a sweep touches no other deployment's
    dtrove_sweep_limit: int = 5  # old resources without a record that a sweep removes; more are a matter for a person
    # --- limits of the API
    dtrove_max_instances: int = 10  # per project; -1 is no limit
    dtrove_max_volumes_gib: int = 40  # per project; -1 is no limit
    dtrove_max_volume_gib: int = 1_024  # one volume
    dtrove_max_body_bytes: int = 65_536
    dtrove_page_size: int = 1_000
    # --- identity: the embedded default's tokens: {sha256 of the token: {"project_id": …, "user": …, "roles": […]}}
    dtrove_tokens: str = "{}"
    # --- the nspawn provider
    dtrove_nspawn_root: str = "/var/lib/dtrove/nspawn"
    dtrove_nspawn_images: str | None = None  # a folder of images shared with another root; None: <root>/images
    dtrove_nspawn_bridge: str = "dtrove0"
    dtrove_nspawn_network: str = "10.79.0.0/24"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Config":
        """Read and check the settings. Raises ConfigError naming each variable that is wrong."""
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for field in fields(cls):
            variable = field.name.upper()
            if (text := environment.get(variable)) is None:
                continue
            try:
                values[field.name] = _parsed(text, field.default)
            except (ValueError, TypeError) as error:
                wrong.append(f"{variable}: {error}")
        wrong += [] if wrong else _faults(cls(**values))
        if wrong:
            raise ConfigError("; ".join(wrong))
        return cls(**values)


def _parsed(text: str, default: object) -> object:
    match default:
        case int():
            return int(text)
        case float():
            return float(text)
        case tuple():
            return tuple((str(path), str(name)) for path, name in json.loads(text))
    return text


def _faults(config: Config) -> list[str]:
    positive = [
        f"{field.name.upper()}: must be above 0"
        for field in fields(config)
        if isinstance(value := getattr(config, field.name), int | float)
        and value <= 0
        and field.name not in MAY_BE_NONE_AT_ALL
    ]
    rules = {
        f"DTROVE_MAX_CLUSTER_SIZE: at most {MAP_LIMIT}": config.dtrove_max_cluster_size <= MAP_LIMIT,
        "DTROVE_PROVIDER: a name or a dotted path": bool(DOTTED_OR_PLAIN_NAME.fullmatch(config.dtrove_provider)),
        "DTROVE_SSH_USER: a user name": bool(re.fullmatch(r"[a-z_][a-z0-9_-]*", config.dtrove_ssh_user)),
        "DTROVE_DATASTORE_MANAGERS: [[dotted path, name], …]": all(
            DOTTED_OR_PLAIN_NAME.fullmatch(path) and name for path, name in config.dtrove_datastore_managers
        ),
        "DTROVE_TOKENS: a JSON object": _is_json_object(config.dtrove_tokens),
        "DTROVE_PREFIX: with instance properties as %(name)s": _fills_in(config.dtrove_prefix),
        "DTROVE_SSH_HOST: with instance properties as %(name)s": _fills_in(config.dtrove_ssh_host),
    }
    return positive + [fault for fault, kept in rules.items() if not kept]


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


class _AnyProperty(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name


def _fills_in(template: str) -> bool:
    try:
        return bool(template % _AnyProperty()) or not template
    except (ValueError, TypeError):
        return False


@cache
def current() -> Config:
    """Return this process's settings. Raises ConfigError."""
    return Config.from_environment(os.environ)
