"""An sshd on 127.0.0.1 that runs what it is told in a local sh, or misbehaves as its script says."""

import io
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
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
    forward: Callable[[tuple[str, int], threading.Event], socket.socket | int] | None = None  # None: not allowed


class ScriptedSshd:
    def __init__(self, script: Script | None = None, host_key: KeyPair | None = None) -> None:
        self.script = script or Script()
        self.host_key = host_key or draw_key()
        self.closing = threading.Event()
        self.commands: list[str] = []
        self.was_asked_to_authenticate = False
        self.trusted: tuple[str, ...] | None = None  # public keys; None: all
        self.forwarded: dict[int, socket.socket] = {}
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
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for it
            peer.close()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def has_no_client(self, within_seconds: float) -> bool:
        """Say whether all who connected are gone, or went within the time."""
        end = time.monotonic() + within_seconds
        while any(each.is_alive() for each in self._threads if isinstance(each, paramiko.Transport)):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

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
                if (channel := transport.accept(0.05)) is not None:
                    opened.append(channel)
                    self._forward(channel)
        except (EOFError, OSError, paramiko.SSHException):
            pass  # the client went away
        finally:
            transport.packetizer.complete_handshake()
            transport.close()

    def _forward(self, channel: paramiko.Channel) -> None:
        if (beyond := self.forwarded.pop(channel.get_id(), None)) is not None:
            self._peers.append(beyond)
            self._start(_pump, channel.recv, beyond.sendall, beyond)
            self._start(_pump, beyond.recv, channel.sendall, channel)


class _Server(paramiko.ServerInterface):  # type: ignore[misc] # paramiko is untyped
    def __init__(self, sshd: ScriptedSshd) -> None:
        self._sshd = sshd

    def get_allowed_auths(self, _username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, _username: str, key: paramiko.PKey) -> int:
        self._sshd.was_asked_to_authenticate = True
        trusted = self._sshd.trusted
        is_trusted = trusted is None or f"{key.get_name()} {key.get_base64()}" in trusted
        accepted = is_trusted and self._sshd.script.authenticate(self._sshd.closing)
        return int(paramiko.AUTH_SUCCESSFUL if accepted else paramiko.AUTH_FAILED)

    def check_channel_request(self, _kind: str, _channel_id: int) -> int:
        opened = self._sshd.script.open_channel(self._sshd.closing)
        return int(paramiko.OPEN_SUCCEEDED if opened else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)

    def check_channel_direct_tcpip_request(
        self, channel_id: int, _origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        if self._sshd.script.forward is None:
            return int(paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)
        beyond = self._sshd.script.forward(destination, self._sshd.closing)
        if isinstance(beyond, int):
            return beyond
        self._sshd.forwarded[channel_id] = beyond
        return int(paramiko.OPEN_SUCCEEDED)

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


def connect_onwards(destination: tuple[str, int], _closing: threading.Event) -> socket.socket | int:
    """Do what sshd does with AllowTcpForwarding."""
    try:
        return socket.create_connection(destination, 5)
    except OSError:
        return int(paramiko.OPEN_FAILED_CONNECT_FAILED)


def _pump(receive: Callable[[int], bytes], send: Callable[[bytes], None], to: socket.socket | paramiko.Channel) -> None:
    try:
        while chunk := receive(1 << 16):
            send(chunk)
    except (EOFError, OSError, paramiko.SSHException):
        pass  # either end went away
    finally:
        with suppress(OSError, EOFError, paramiko.SSHException):
            to.shutdown(socket.SHUT_WR) if isinstance(to, socket.socket) else to.close()


def run_in_sh(channel: paramiko.Channel, command: str) -> None:
    """Do what sshd does, but for reading all input first."""
    answer_from_sh(channel, command, channel.makefile("rb").read())


def answer_from_sh(channel: paramiko.Channel, command: str, given: bytes) -> None:
    done = subprocess.run(["/bin/sh", "-c", command], input=given, capture_output=True, check=False)
    channel.sendall(done.stdout)
    channel.sendall_stderr(done.stderr)
    channel.send_exit_status(done.returncode)


def hang(closing: threading.Event) -> bool:
    closing.wait(OPEN_SECONDS)
    return False
