"""Roads: by which way the guest of an instance is reached, who logs in there, and whose host key is shown there.

direct          the guest's own sshd, with the cluster's key; it shows the host key that it was born with
compute host    the sshd of the guest's host, with the deployment's key; it shows the one in DTROVE_COMPUTE_HOST_KEYS.
                There DTROVE_PREFIX enters the guest, and each command makes sure that it did (enclosed.py)

Either may lead through the jump host, with the deployment's key for that; it shows DTROVE_JUMP_HOST_KEY.
"""

import json
import shlex
from dataclasses import dataclass

from chalicelib.checks import jump_address
from chalicelib.config import Config
from chalicelib.errors import Permanent, Transient
from chalicelib.models.instance import Instance
from chalicelib.ssh.connection import Connection, Endpoint, KeyRefused, PrivateKey
from chalicelib.ssh.own_keys import OwnKeys


@dataclass(frozen=True)
class Road:
    endpoint: Endpoint
    shell: str  # what runs at its end, and is told on standard input what to do
    guest_key: str | None = None  # the host key that the guest must have, where the endpoint is another host


def road_to(instance: Instance, settings: Config) -> Road:
    """Return the road to the instance's guest. Raises Permanent if something that it needs is not known."""
    name = instance.instance_id
    known = {each: str(value) for each, value in instance.attribute_values.items() if value is not None}
    quoted = {each: shlex.quote(value) for each, value in known.items()}
    try:
        host = settings.dtrove_ssh_host % known
        shell = f"{settings.dtrove_prefix % quoted}sh -s"
        user, host_key = known["user"], known["host_key"]
    except KeyError as error:
        raise Permanent(f"{name}: its guest cannot be reached: {error} is not known.") from error
    port = settings.dtrove_ssh_port
    compute_hosts = json.loads(settings.dtrove_compute_host_keys)
    if not compute_hosts:
        return Road(Endpoint(name, host, port, user, host_key), shell)
    if host not in compute_hosts:
        raise Permanent(f"{name}: its guest cannot be reached: DTROVE_COMPUTE_HOST_KEYS has no key of {host}.")
    endpoint = Endpoint(f"{name}'s compute host", host, port, settings.dtrove_compute_user, compute_hosts[host])
    return Road(endpoint, shell, host_key)


def travel(road: Road, key: PrivateKey, settings: Config, own_keys: OwnKeys) -> Connection:
    """Connect to the road's end, with the key if that is the guest itself. Raises Transient, Permanent."""

    def jump() -> Connection | None:
        return _jump(settings, own_keys) if settings.dtrove_jump_host else None

    if road.guest_key:
        return own_keys.log_in(road.endpoint, str(settings.dtrove_compute_secret), settings, jump)
    try:
        return Connection.open(road.endpoint, key, settings, jump())
    except KeyRefused as refused:  # as by a guest that still boots (pam_nologin, cloud-init)
        raise Transient(str(refused)) from refused


def _jump(settings: Config, own_keys: OwnKeys) -> Connection:
    host, port = jump_address(str(settings.dtrove_jump_host))
    endpoint = Endpoint("the jump host", host, port, settings.dtrove_jump_user, str(settings.dtrove_jump_host_key))
    return own_keys.log_in(endpoint, str(settings.dtrove_jump_secret), settings)
