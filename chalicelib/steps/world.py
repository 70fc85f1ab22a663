"""The world a step acts on: the real provider, guests and clock; replaced whole in tests."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chalicelib import config, journal, sealing
from chalicelib.datastores import manager_of
from chalicelib.datastores.base import BaseManager, Passwords
from chalicelib.metrics import SSH_CONNECT_SECONDS, counted
from chalicelib.models.cluster import Cluster
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.models.key import Key
from chalicelib.providers import get_provider
from chalicelib.providers.base import BaseProvider
from chalicelib.ssh.guest import Guest

LEVELS = {"ok": logging.INFO, "NotReady": logging.INFO, "Transient": logging.WARNING}  # of a step's outcomes


def connect(instance: Instance, key_id: str) -> Guest:
    """Open a connection to the instance's guest with one of its cluster's keys. Raises Transient, Permanent."""
    from chalicelib.ssh.client import SshGuest  # noqa: PLC0415 - paramiko only where SSH is spoken

    key = Key.get(key_id, consistent_read=True)
    secret = sealing.unseal(key.cluster_id, key.private)
    began = time.monotonic()
    guest = SshGuest.connect(instance, secret["private"], secret["passphrase"])
    seconds = round(time.monotonic() - began, 3)
    journal.tell("connected", instance_id=instance.instance_id, **counted({SSH_CONNECT_SECONDS: seconds}))
    return guest


def write_log(line: dict[str, Any]) -> None:
    journal.tell("step", LEVELS.get(line["outcome"], logging.ERROR), **line)


@dataclass
class World:
    provider: Callable[[], BaseProvider] = get_provider
    connect: Callable[[Instance, str], Guest] = connect
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    log: Callable[[dict[str, Any]], None] = write_log
    patience_seconds: float = field(default_factory=lambda: config.current().dtrove_patience_seconds)


_current: list[World] = []


def current() -> World:
    if not _current:
        _current.append(World())
    return _current[0]


def replace(world: World | None) -> None:
    """Set the world for this process; None is the real one."""
    _current[:] = [world] if world else []


def manager_for(cluster: Cluster) -> BaseManager:
    return manager_of(Datastore.of_version(cluster.datastore_version_id))


def passwords_of(cluster: Cluster) -> Passwords:
    """Open the cluster's passwords: only the guest function may."""
    return Passwords(**sealing.unseal(cluster.cluster_id, cluster.passwords))


def guest_of(instance: Instance, key_id: str | None = None) -> Guest:
    """Connect to the instance's guest with the key it trusts, or with the one given."""
    return current().connect(instance, key_id or str(instance.key_id))
