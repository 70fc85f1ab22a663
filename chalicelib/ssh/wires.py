"""What SSH goes over: TCP, or a channel that another host forwards. No paramiko here."""

import errno
import socket
from typing import Protocol

PACKET_BYTES = 1 << 18  # RFC 4253 has peers take 35,000, and we ask for 32 KiB


class Channel(Protocol):
    """Of paramiko's, what a tunnel needs."""

    def recv(self, limit: int) -> bytes: ...

    def send(self, data: bytes) -> int: ...

    def settimeout(self, seconds: float | None) -> None: ...


class Wire(socket.socket):
    """Acknowledges at once: sshd opens a session in small packets that would each wait 40 ms for our delayed ACK."""

    def recv(self, limit: int, flags: int = 0) -> bytes:
        _check_packet(limit)
        if hasattr(socket, "TCP_QUICKACK"):  # Linux; the kernel forgets it with the next packet
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return super().recv(limit, flags)


class Tunnel:
    """A forwarded channel, as the socket of the SSH inside it.

    It ends with the connection that it is in. To take leave before would be to write to the host beneath, which may
    not read; and paramiko's thread, closing what it has, is not ready for errors.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel  # a transport holds its channels weakly

    def recv(self, limit: int) -> bytes:
        _check_packet(limit)
        return self._channel.recv(limit)

    def send(self, data: bytes) -> int:
        return self._channel.send(data)

    def settimeout(self, seconds: float | None) -> None:
        self._channel.settimeout(seconds)

    def shutdown(self, _how: int) -> None: ...

    def close(self) -> None: ...


def dialled(host: str, port: int, timeout_seconds: float) -> Wire:
    """Connect over TCP. Raises OSError."""
    connected = socket.create_connection((host, port), timeout_seconds)
    wire = Wire(fileno=connected.detach())
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def _check_packet(limit: int) -> None:
    if limit > PACKET_BYTES:  # paramiko would gather it in memory, be it 4 GiB
        raise OSError(errno.EMSGSIZE, f"a packet of {limit} bytes was announced")
