"""Connections to a scripted sshd."""

from dataclasses import replace
from typing import Any

from chalicelib.config import Config
from chalicelib.models.instance import Instance
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.keys import draw_key
from tests.ssh.scripted_sshd import ScriptedSshd

KEY = draw_key()
PATIENT = Config(
    dtrove_prefix="",
    dtrove_ssh_connect_timeout_seconds=10,
    dtrove_ssh_banner_timeout_seconds=10,
    dtrove_output_limit_bytes=1000,
)
# One limit each, short enough to be met; the others stay long, so that a slow machine does not meet them first.
HASTY_BANNER = replace(PATIENT, dtrove_ssh_banner_timeout_seconds=0.4)
HASTY_LOGIN = replace(PATIENT, dtrove_ssh_auth_timeout_seconds=0.4)
HASTY_COMMAND = replace(PATIENT, dtrove_command_timeout_seconds=0.4)


def instance_of(sshd: ScriptedSshd, **changes: Any) -> Instance:
    attributes: dict[str, Any] = {"address": "127.0.0.1", "user": "root", "host_key": sshd.host_key.public}
    return Instance(instance_id="i-1", **attributes | changes)


def connect(sshd: ScriptedSshd, settings: Config = PATIENT, **changes: Any) -> SshGuest:
    settings = replace(settings, dtrove_ssh_port=sshd.port)
    return SshGuest.connect(instance_of(sshd, **changes), KEY.private, settings=settings)
