"""An sshd on 127.0.0.1 that runs what it is told in a local sh, or misbehaves as its script says."""

import io
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import paramiko

from chalicelib.ssh.keys import KeyPair, draw_key

OPEN_SECONDS = 30.0  # no misbehaviour lasts longer, whatever the test does


@dataclass(frozen=True)
class Script:
    """What one sshd does at each stage. A function may block on its event, which is set when the sshd closes."""

    greet: Callable[[socket.socket, threading.Event], None] | None = None  # instead of SSH
    authenticate: Callable[[threading.Event], bool] = lambda closing: True
    open_channel: Callable[[threading.Event], bool] = lambda closing: True
    execute: Callable[[paramiko.Channel, str, threading.Event], None] = field(
        default=lambda channel, command, closing: run_in_sh(channel, command)
    )
    host_keys: tuple[paramiko.PKey, ...] = ()  # instead of its own


class ScriptedSshd:
    def __init__(self, script: Script | None = None, host_key: KeyPair | None = None) -> None:
        self.script = script or Script()
        self.host_key = host_key or draw_key()
        self.closing = threading.Event()
        self.commands: list[str] = []
        self.was_asked_to_authenticate = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._peers: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def __enter__(self) -> "ScriptedSshd":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.closing.set()
        for peer in self._peers:
            peer.close()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                peer, _ = self._listener.accept()
            except TimeoutError:
                continue
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers.append(peer)
            self._start(self._serve, peer)

    def _serve(self, peer: socket.socket) -> None:
        if self.script.greet:
            self.script.greet(peer, self.closing)
            return
        transport = paramiko.Transport(peer)
        self._threads.append(transport)
        own = paramiko.Ed25519Key.from_private_key(io.StringIO(self.host_key.private))
        for key in self.script.host_keys or (own,):
            transport.add_server_key(key)
        try:
            transport.start_server(server=_Server(self))
            opened = []  # a transport holds its channels weakly
            while transport.is_active() and not self.closing.is_set():
                opened.append(transport.accept(0.05))
        except (EOFError, OSError, paramiko.SSHException):
            pass  # the client went away
        finally:
            transport.packetizer.complete_handshake()
            transport.close()


class _Server(paramiko.ServerInterface):  # type: ignore[misc] # paramiko is untyped
    def __init__(self, sshd: ScriptedSshd) -> None:
        self._sshd = sshd

    def get_allowed_auths(self, _username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, _username: str, _key: paramiko.PKey) -> int:
        self._sshd.was_asked_to_authenticate = True
        accepted = self._sshd.script.authenticate(self._sshd.closing)
        return int(paramiko.AUTH_SUCCESSFUL if accepted else paramiko.AUTH_FAILED)

    def check_channel_request(self, _kind: str, _channel_id: int) -> int:
        opened = self._sshd.script.open_channel(self._sshd.closing)
        return int(paramiko.OPEN_SUCCEEDED if opened else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._sshd.commands.append(command.decode())
        self._sshd._start(_execute, self._sshd, channel, command.decode())
        return True


def _execute(sshd: ScriptedSshd, channel: paramiko.Channel, command: str) -> None:
    try:
        sshd.script.execute(channel, command, sshd.closing)
        channel.close()
    except (EOFError, OSError, paramiko.SSHException):
        pass  # the client went away


def run_in_sh(channel: paramiko.Channel, command: str) -> None:
    """Do what sshd does, but for reading all input first."""
    given = channel.makefile("rb").read()
    done = subprocess.run(["/bin/sh", "-c", command], input=given, capture_output=True, check=False)
    channel.sendall(done.stdout)
    channel.sendall_stderr(done.stderr)
    channel.send_exit_status(done.returncode)


def hang(closing: threading.Event) -> bool:
    closing.wait(OPEN_SECONDS)
    return False
