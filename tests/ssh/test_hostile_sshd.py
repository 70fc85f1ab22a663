"""No sshd holds us past our limits, and what it does to us gets the right name."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import paramiko
import pytest

from chalicelib.config import Config
from chalicelib.errors import Permanent, Transient
from chalicelib.ssh.keys import draw_key
from tests.ssh.connecting import HASTY_BANNER, HASTY_COMMAND, HASTY_LOGIN, PATIENT, connect
from tests.ssh.scripted_sshd import Script, ScriptedSshd, hang

HANG_SECONDS = 10.0  # far above every hasty limit: only to tell slow from stuck


@contextmanager
def ends_soon() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < HANG_SECONDS


def say_nothing(_peer: socket.socket, closing: threading.Event) -> None:
    closing.wait(HANG_SECONDS * 2)


def trickle(peer: socket.socket, closing: threading.Event) -> None:
    with suppress(OSError):
        while not closing.wait(0.05):
            peer.send(b"a line before the banner\r\n")


def greet_and_hang(peer: socket.socket, closing: threading.Event) -> None:
    peer.send(b"SSH-2.0-hanging\r\n")
    closing.wait(HANG_SECONDS * 2)


def talk_nonsense(peer: socket.socket, closing: threading.Event) -> None:
    peer.send(b"SSH-2.0-nonsense\r\n" + b"\xff" * 4096)
    closing.wait(HANG_SECONDS * 2)


def refuse(_closing: threading.Event) -> bool:
    return False


def announce_two_gigabytes(peer: socket.socket, closing: threading.Event) -> None:
    peer.send(b"SSH-2.0-greedy\r\n" + b"\x7f\xff\xff\xfc" + bytes(4096))
    closing.wait(HANG_SECONDS * 2)


def hang_up(peer: socket.socket, _closing: threading.Event) -> None:
    peer.close()


@pytest.mark.parametrize(
    ("script", "settings", "reason"),
    [
        pytest.param(Script(greet=say_nothing), HASTY_BANNER, "the SSH handshake: took over 0.4 s", id="no banner"),
        pytest.param(Script(greet=trickle), HASTY_BANNER, "the SSH handshake: took over 0.4 s", id="slow banner"),
        pytest.param(Script(greet=greet_and_hang), HASTY_BANNER, "the SSH handshake: took over 0.4 s", id="no more"),
        pytest.param(Script(greet=talk_nonsense), HASTY_BANNER, "the SSH handshake: ", id="nonsense"),
        pytest.param(
            Script(greet=announce_two_gigabytes), PATIENT, "the SSH handshake: [Errno 90] a packet of 2147", id="huge"
        ),
        pytest.param(Script(greet=hang_up), PATIENT, "the SSH handshake: ", id="hangs up"),
        pytest.param(Script(authenticate=hang), HASTY_LOGIN, "the log-in: took over 0.4 s", id="hangs in log-in"),
        pytest.param(Script(authenticate=refuse), PATIENT, "the log-in: Authentication failed", id="refuses our key"),
    ],
)
def test_no_connection_is_transient(script: Script, settings: Config, reason: str) -> None:
    with ScriptedSshd(script) as sshd, ends_soon(), pytest.raises(Transient) as failed:
        connect(sshd, settings)

    assert f"i-1 (root@127.0.0.1:{sshd.port}): {reason}" in str(failed.value)


def test_a_refused_connection_is_transient() -> None:
    with ScriptedSshd() as sshd:
        pass

    with pytest.raises(Transient, match="Connection refused"):
        connect(sshd)


def flood(channel: paramiko.Channel, _command: str, closing: threading.Event) -> None:
    for _ in range(100):
        channel.sendall(b"o" * 500_000)
        channel.sendall_stderr(b"e" * 500_000)
    channel.send_exit_status(0)


def trickle_half_a_line(channel: paramiko.Channel, _command: str, closing: threading.Event) -> None:
    while not closing.wait(0.02):
        channel.sendall(b"half ")


def stay_silent(_channel: paramiko.Channel, _command: str, closing: threading.Event) -> None:
    hang(closing)


def drop(channel: paramiko.Channel, _command: str, _closing: threading.Event) -> None:
    channel.sendall(b"begun\n")
    channel.get_transport().close()


def end_without_a_status(channel: paramiko.Channel, _command: str, _closing: threading.Event) -> None:
    channel.makefile("rb").read()
    channel.sendall(b"done\n")


def end_output_and_hang(channel: paramiko.Channel, _command: str, closing: threading.Event) -> None:
    channel.shutdown_write()
    hang(closing)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(Script(open_channel=hang), "took over 0.4 s", id="hangs after auth"),
        pytest.param(Script(execute=trickle_half_a_line), "took over 0.4 s", id="half a line for ever"),
        pytest.param(Script(execute=stay_silent), "took over 0.4 s", id="silence"),
        pytest.param(Script(execute=end_output_and_hang), "took over 0.4 s", id="end of output, but no end"),
        pytest.param(Script(execute=drop), "", id="drops mid-command"),
        pytest.param(Script(execute=end_without_a_status), "without an exit status", id="no exit status"),
    ],
)
def test_a_command_whose_end_is_not_known_is_transient(script: Script, reason: str) -> None:
    with (
        ScriptedSshd(script) as sshd,
        closing(connect(sshd, HASTY_COMMAND)) as guest,
        ends_soon(),
        pytest.raises(Transient, match=f"the command: .*{reason}"),
    ):
        guest.run("true")


def test_input_that_nobody_reads_holds_us_no_longer() -> None:
    with ScriptedSshd(Script(execute=stay_silent)) as sshd, closing(connect(sshd, HASTY_COMMAND)) as guest, ends_soon():
        with pytest.raises(Transient, match="took over"):
            guest.run("cat", stdin="x" * 20_000_000)
        with pytest.raises(Transient):
            guest.run("true")


def test_100_megabytes_of_output_are_read_and_thrown_away() -> None:
    with ScriptedSshd(Script(execute=flood)) as sshd, closing(connect(sshd)) as guest:
        assert guest.run("true") == "o" * 1000


def test_another_host_key_is_permanent_and_names_both() -> None:
    other = draw_key()

    with ScriptedSshd() as sshd, pytest.raises(Permanent) as refused:
        connect(sshd, host_key=other.public)

    assert "i-1 (root@127.0.0.1:" in str(refused.value)
    assert "its host key changed: SHA256:" in str(refused.value)
    assert str(refused.value).count("SHA256:") == 2
    assert not sshd.was_asked_to_authenticate


def test_a_host_key_of_another_type_is_permanent() -> None:
    with ScriptedSshd(Script(host_keys=(paramiko.ECDSAKey.generate(),))) as sshd, pytest.raises(Permanent):
        connect(sshd)


@pytest.mark.parametrize(
    "host_key", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ=="]
)
def test_a_host_key_on_record_that_cannot_be_read_is_permanent(host_key: str) -> None:
    with ScriptedSshd() as sshd, pytest.raises(Permanent, match="the host key on record"):
        connect(sshd, host_key=host_key)
