"""Servers that are reached by SSH, whatever cloud they are of."""

import socket
import time
from contextlib import closing
from io import StringIO

import paramiko
from paramiko.ssh_exception import NoValidConnectionsError

from chalicelib.models.instance import Instance
from tests.outsiders import outsider
from tests.providers.rig import Rig

NEARBY_SECONDS = 0.3  # to be refused, or not answered at all, on this host
TIMEOUT_SECONDS = 5.0
HANDSHAKE_SECONDS = 3.0  # a whole shell is started for one


class SshRig(Rig):
    def host_key_at(self, address: str) -> str | None:
        try:
            with (
                socket.create_connection((address, 22), NEARBY_SECONDS) as connection,
                closing(paramiko.Transport(connection)) as transport,
            ):
                transport.start_client(timeout=TIMEOUT_SECONDS)
                key = transport.get_remote_server_key()
                return f"{key.get_name()} {key.get_base64()}"
        except (OSError, EOFError, paramiko.SSHException):
            return None

    def run(self, instance: Instance, command: str) -> tuple[int, str]:
        """Run the command over SSH, the host key pinned; again while nobody answers: a boot may start sshd twice."""
        deadline = time.monotonic() + self.patience_seconds
        while True:
            try:
                return self._run(instance, command)
            except NoValidConnectionsError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(self.look_again_seconds)

    def _run(self, instance: Instance, command: str) -> tuple[int, str]:
        with paramiko.SSHClient() as client:
            kind, key = str(instance.host_key).split()[:2]
            line = paramiko.hostkeys.HostKeyEntry.from_line(f"{instance.address} {kind} {key}")
            assert line is not None
            assert line.key is not None
            client.get_host_keys().add(str(instance.address), kind, line.key)
            client.set_missing_host_key_policy(paramiko.RejectPolicy())
            client.connect(
                str(instance.address),
                username=str(instance.user),
                pkey=paramiko.Ed25519Key.from_private_key(StringIO(self.login.private)),
                look_for_keys=False,
                allow_agent=False,
                timeout=TIMEOUT_SECONDS,
            )
            _, output, _ = client.exec_command(f"{{ {command}\n}} 2>&1", timeout=30)
            text = output.read().decode()
            return output.channel.recv_exit_status(), text

    def done(self, instance: Instance, command: str) -> str:
        status, output = self.run(instance, command)
        assert status == 0, output
        return output

    def write(self, instance: Instance, text: str, *, on_volume: bool) -> None:
        path = "/data/kept" if on_volume else "/root/kept"
        self.done(instance, f"{mounting(instance) if on_volume else ''} echo -n {text} > {path} && sync {path}")

    def read(self, instance: Instance, *, on_volume: bool) -> str:
        path = "/data/kept" if on_volume else "/root/kept"
        return self.done(instance, f"{mounting(instance) if on_volume else ''} cat {path}").splitlines()[-1]

    def release_volume(self, instance: Instance) -> None:
        self.done(instance, "umount /data")

    def volume_gib(self, instance: Instance) -> int:
        device = instance.volume_device
        status, output = self.run(instance, f"test -b {device} && blockdev --getsize64 {device}")
        return int(output) >> 30 if status == 0 else 0

    def serve(self, instance: Instance, port: int) -> None:
        """Listen, which is to shake hands with whoever comes."""
        self.done(instance, f"systemd-run --quiet --socket-property=ListenStream={port} sleep infinity")

    def reaches(self, source: str, instance: Instance, port: int) -> bool:
        with outsider(source) as somebody:
            return somebody.reaches(str(instance.address), port)

    def neighbour_reaches(self, neighbour: Instance, instance: Instance, port: int) -> bool:
        shake_hands = f"exec 3<>/dev/tcp/{instance.address}/{port}"
        return self.run(neighbour, f"timeout {HANDSHAKE_SECONDS} bash -c '{shake_hands}'")[0] == 0


def mounting(instance: Instance) -> str:
    device = instance.volume_device
    return (
        f"mkdir -p /data; mountpoint -q /data || {{ blkid {device} || mkfs.xfs -q {device}; mount {device} /data; }}; "
    )
