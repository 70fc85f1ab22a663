"""One SSH connection that no sshd can hold past its limits. The one module that imports paramiko."""

import base64
import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import paramiko

from chalicelib.config import Config
from chalicelib.errors import Permanent, StepError, Transient
from chalicelib.ssh.wires import Tunnel, Wire, dialled

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # what it would log reaches us as an exception

HOST_KEY_TYPE = "ssh-ed25519"
KEY_EXCHANGES = ("curve25519-sha256@libssh.org", "ecdh-sha2-nistp256")
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
CHUNK_BYTES = 1 << 20
TAIL_BYTES = 1_000  # of what it says on standard error, that are kept whatever the limit: how it ended may be there
REASON_CHARACTERS = 200  # of an error's text: a peer can put anything into it
CUT_AGAIN_SECONDS = 0.1
CLOSE_SECONDS = 1.0
PROHIBITED = 1  # RFC 4254, 5.1: the host itself does not let us through


class KeyRefused(Exception):
    """The host does not take the key. Whether another try can help depends on whose key it is."""


@dataclass(frozen=True)
class Endpoint:
    name: str  # whom messages speak of
    host: str
    port: int
    user: str
    host_key: str  # OpenSSH line: the only key we accept

    def __str__(self) -> str:
        return f"{self.name} ({self.user}@{self.host}:{self.port})"


@dataclass(frozen=True)
class PrivateKey:
    text: str = field(repr=False)  # OpenSSH PEM
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True)
class Answer:
    exit_status: int
    output: str  # its head, if it was over the limit
    errors: str  # its tail, if it was over the limit


class Connection:
    def __init__(self, wire: Wire | Tunnel, endpoint: Endpoint, config: Config, beneath: "Connection | None") -> None:
        self._wire = wire
        self._endpoint = endpoint
        self._config = config
        self._beneath = beneath
        self._transport = paramiko.Transport(wire)
        self._channel: paramiko.Channel | None = None

    @classmethod
    def open(
        cls, endpoint: Endpoint, key: PrivateKey, config: Config, beneath: "Connection | None" = None
    ) -> "Connection":
        """Connect, check the host key, log in: over TCP or through the connection beneath, which is then ours to close.

        Raises:
            KeyRefused: it does not take our key.
            Transient: no connection.
            Permanent: it showed another host key, or one of our own keys cannot be read.
        """
        try:
            pinned, private = _pinned(endpoint), _private(endpoint, key)
            wire = beneath._tunnel_to(endpoint) if beneath else _dialled(endpoint, config)
        except BaseException:
            if beneath:
                beneath.close()
            raise
        connection = cls(wire, endpoint, config, beneath)
        try:
            connection._shake_hands(pinned)
            connection._log_in(private)
        except BaseException:
            connection.close()
            raise
        return connection

    def execute(self, command: str, script: bytes, timeout_seconds: float) -> Answer:
        """Run the command with the script on its standard input. Raises Transient: whether it ran is not known."""
        with self._limited("the command", timeout_seconds), closing(self._transport.open_session()) as channel:
            self._channel = channel
            channel.exec_command(command)
            errors = bytearray()
            reader = threading.Thread(target=self._keep_tail, args=(channel.recv_stderr, errors), daemon=True)
            reader.start()
            with suppress(OSError):  # it ended before it had read all, as a refused sudo does
                _send(channel, script)
            output = self._head(channel.recv)
            reader.join()
            if (exit_status := channel.recv_exit_status()) < 0:
                raise EOFError("the connection was lost, or it ended without an exit status")
        return Answer(exit_status, output.decode(errors="replace"), errors.decode(errors="replace"))

    def close(self) -> None:
        self._cut()
        if self._transport.is_alive():
            self._transport.join(CLOSE_SECONDS)
        self._transport.packetizer.complete_handshake()  # ends a timer that would outlive us
        self._transport.close()
        self._wire.close()
        if self._beneath:
            self._beneath.close()

    def _tunnel_to(self, endpoint: Endpoint) -> Tunnel:
        """Have the host that this connection is to connect to another. Raises Transient, Permanent."""
        there, here = (endpoint.host, endpoint.port), ("127.0.0.1", 0)
        try:
            with self._limited("connecting onwards", self._config.dtrove_ssh_connect_timeout_seconds):
                return Tunnel(self._transport.open_channel("direct-tcpip", there, here))
        except Transient as error:
            match error.__cause__:
                case paramiko.ChannelException(code=code, text=text):
                    if code == PROHIBITED:
                        raise Permanent(f"{endpoint}: {self._endpoint} does not let us through: {text}") from error
                    raise Transient(f"{endpoint}: no connection: {self._endpoint} says: {text}") from error
            raise Transient(f"{endpoint}: no connection: {error}") from error

    def _shake_hands(self, pinned: paramiko.PKey) -> None:
        seconds = self._config.dtrove_ssh_banner_timeout_seconds
        options = self._transport.get_security_options()
        options.kex, options.ciphers, options.digests = KEY_EXCHANGES, CIPHERS, MACS
        options.key_types = (HOST_KEY_TYPE,)
        self._transport.banner_timeout = self._transport.handshake_timeout = seconds
        with self._limited("the SSH handshake", seconds):
            self._transport.start_client()
            shown = self._transport.get_remote_server_key()
        if shown.asbytes() != pinned.asbytes():
            raise Permanent(
                f"{self._endpoint}: its host key changed: {pinned.fingerprint} is on record,"
                f" and now it shows {shown.fingerprint}."
            )

    def _log_in(self, key: paramiko.PKey) -> None:
        with self._limited("the log-in", self._config.dtrove_ssh_auth_timeout_seconds):
            try:
                self._transport.auth_publickey(self._endpoint.user, key)
                if not self._transport.is_authenticated():
                    raise paramiko.AuthenticationException("our key alone is not enough")
            except paramiko.AuthenticationException as error:
                if not self._transport.is_active():  # paramiko's word for a lost connection, too
                    raise
                raise KeyRefused(f"{self._endpoint}: the log-in: {_reason(error)}") from error

    @contextmanager
    def _limited(self, doing: str, seconds: float) -> Iterator[None]:
        """Cut the connection when the time is up, however paramiko waits, and turn its errors into ours."""
        done = threading.Event()
        watchdog = threading.Thread(target=self._cut_unless, args=(done, seconds), daemon=True)
        end = time.monotonic() + seconds
        watchdog.start()
        try:
            yield
        except (StepError, KeyRefused):
            raise
        except paramiko.IncompatiblePeer as error:  # no ed25519 host key, so not the one on record
            raise Permanent(f"{self._endpoint}: {_reason(error)}") from error
        except Exception as error:  # a hostile sshd can make paramiko raise anything
            reason = f"took over {seconds:g} s" if time.monotonic() >= end else _reason(error)
            raise Transient(f"{self._endpoint}: {doing}: {reason}") from error
        finally:
            done.set()
            watchdog.join()

    def _cut_unless(self, done: threading.Event, seconds: float) -> None:
        while not done.wait(seconds):
            self._cut()
            seconds = CUT_AGAIN_SECONDS

    def _cut(self) -> None:
        """End the stream under paramiko, whose thread then wakes all who wait: but for one who was about to."""
        if self._beneath:
            self._beneath._cut()
        with suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        if not self._transport.is_alive():  # nor if it died in its own error handling
            self._transport.close()
        if self._channel is not None:
            self._channel.event.set()

    def _head(self, receive: Callable[[int], bytes]) -> bytearray:
        kept = bytearray()
        while chunk := receive(CHUNK_BYTES):
            kept += chunk[: self._config.dtrove_output_limit_bytes - len(kept)]
        return kept

    def _keep_tail(self, receive: Callable[[int], bytes], kept: bytearray) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):  # the reader of standard output meets it too
            while chunk := receive(CHUNK_BYTES):
                kept += chunk
                del kept[: -max(TAIL_BYTES, self._config.dtrove_output_limit_bytes)]


def _send(channel: paramiko.Channel, text: bytes) -> None:
    for start in range(0, len(text), CHUNK_BYTES):
        channel.sendall(text[start : start + CHUNK_BYTES])
    channel.shutdown_write()


def _pinned(endpoint: Endpoint) -> paramiko.PKey:
    try:
        key_type, encoded, *_comment = endpoint.host_key.split()
        if key_type != HOST_KEY_TYPE:
            raise ValueError(key_type)
        return paramiko.Ed25519Key(data=base64.b64decode(encoded))
    except Exception as error:
        raise Permanent(f"{endpoint}: the host key on record is not an ed25519 key in OpenSSH's format.") from error


def _dialled(endpoint: Endpoint, config: Config) -> Wire:
    try:
        return dialled(endpoint.host, endpoint.port, config.dtrove_ssh_connect_timeout_seconds)
    except OSError as error:
        raise Transient(f"{endpoint}: no connection: {error}") from error


def _private(endpoint: Endpoint, key: PrivateKey) -> paramiko.PKey:
    try:
        return paramiko.Ed25519Key.from_private_key(io.StringIO(key.text), password=key.passphrase or None)
    except Exception:
        # nothing of the cause is passed on: it was raised over a secret
        raise Permanent(f"{endpoint}: its private key or the passphrase is wrong.") from None


def _reason(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:REASON_CHARACTERS]
