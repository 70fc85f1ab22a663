"""A compute host whose one guest is pretended: scripts run in a local sh that takes folders of ours for its /proc."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko

from chalicelib.config import Config
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.keys import draw_key
from tests.ssh.connecting import KEY, PATIENT, instance_of
from tests.ssh.deployed import Vault
from tests.ssh.scripted_sshd import Script, ScriptedSshd, answer_from_sh

GUEST_KEY = draw_key()
SPACES = ("mnt", "pid", "net", "uts", "ipc")
ENTER = """\
#!/bin/sh
# enter GUEST COMMAND…: what leads into a guest, as vzctl exec does.
[ "$1" = the-guest ] || { echo "There is no guest $1." >&2; exit 1; }
shift
"""


class ComputeHost:
    def __init__(self, folder: Path, then: str = 'exec "$@"') -> None:
        """`then` is what its `enter` does at last: `"$@"` is the command."""
        self.folder = folder
        self.vault = Vault()
        self.sshd = ScriptedSshd(Script(execute=self._execute))
        self.sshd.trusted = (self.vault.pair.public,)
        self.host = "127.0.0.1"
        self.show_key(GUEST_KEY.public)
        self._write_tool("enter", f"{ENTER}{then}\n")
        (folder / "proc/1/ns").mkdir(parents=True)
        (folder / "proc/self/ns").mkdir(parents=True)
        (folder / "proc/1/root").symlink_to("/")
        for space in SPACES:
            (folder / "proc/1/ns" / space).touch()
            os.link(folder / "proc/1/ns" / space, folder / "proc/self/ns" / space)

    def show_key(self, public: str) -> None:
        """Have the place that the prefix leads to hold the private half of this one."""
        self._write_tool("ssh-keygen", f"#!/bin/sh\n[ -z '{public}' ] || echo '{public} a comment'\n")

    def leave_space(self, space: str) -> None:
        """Have the prefix forget one of the guest's namespaces."""
        (self.folder / "proc/self/ns" / space).unlink()
        (self.folder / "proc/self/ns" / space).touch()

    @property
    def settings(self) -> Config:
        return replace(
            PATIENT,
            dtrove_prefix="enter %(local_id)s ",
            dtrove_ssh_host="%(compute_host)s",
            dtrove_ssh_port=self.sshd.port,
            dtrove_compute_host_keys=f'{{"{self.host}": "{self.sshd.host_key.public}"}}',
            dtrove_compute_secret="compute",
        )

    def connect(self, settings: Config | None = None, **changes: Any) -> SshGuest:
        about = {"address": "192.0.2.1", "compute_host": self.host, "local_id": "the-guest"}
        instance = instance_of(self.sshd, **{**about, "host_key": GUEST_KEY.public, **changes})
        keys = self.vault.keys()
        return SshGuest.connect(instance, KEY.private, settings=settings or self.settings, own_keys=keys)

    def _execute(self, channel: paramiko.Channel, command: str, _closing: object) -> None:
        given = channel.makefile("rb").read().replace(b"/proc/", f"{self.folder}/proc/".encode())
        answer_from_sh(channel, f'PATH="{self.folder}:$PATH"; {command}', given)

    def _write_tool(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)
